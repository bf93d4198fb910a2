"""Whether clients are served: maintenance drains the broker of them and lets them come again."""

from __future__ import annotations

import logging
from typing import Final

from amqpd.logs import INFO, log
from amqpd.server.listener import Listener
from persistence.committer import Committer

logger = logging.getLogger(__name__)

REASON: Final = "Node was put into maintenance mode"


class Service:
    """The doors for clients, and what has to be durable once they are closed."""

    def __init__(self, listener: Listener, committer: Committer) -> None:
        self._listener: Final = listener
        self._committer: Final = committer

    @property
    def is_drained(self) -> bool:
        """No client is served."""
        return self._listener.is_drained

    async def drain(self) -> None:
        """Close every connection and accept no other; return when all that was taken from them is durable."""
        log(logger, INFO, "maintenance began")
        await self._listener.close(REASON)
        await self._committer.drain()

    def revive(self) -> None:
        """Accept connections again. Raises StartError if that cannot be."""
        self._listener.reopen()
        log(logger, INFO, "maintenance ended")

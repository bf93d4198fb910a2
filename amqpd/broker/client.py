"""One connection as the core sees it: who it is, and what lives and dies with it."""

from __future__ import annotations

from typing import Final

from amqpd.broker.permissions import Access


class Client:
    """An authenticated peer in one virtual host; its identity is what exclusive queues belong to."""

    def __init__(self, user: str, vhost: str, access: Access, can_impersonate: bool, wants_cancels: bool) -> None:
        self.user: Final = user
        self.vhost: Final = vhost
        self.access: Access = access
        self.can_impersonate: Final = can_impersonate
        """May publish under another user's id (tag impersonator)."""
        self.wants_cancels: Final = wants_cancels
        """Has the capability consumer_cancel_notify."""
        self.connection_name: str = ""
        """What operators call the connection."""
        self.exclusive_queues: Final[dict[str, None]] = {}
        """Names of the queues that end with it."""
        self.chosen_name: str = ""
        """The name for a queue that may not be declared before a backend answers."""

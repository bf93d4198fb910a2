"""A listening socket whose connections begin with AMQP at once."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Final

from amqpd.logs import WARNING, log
from amqpd.server.reactor import READ, Reactor, Watched
from amqpd.server.stream import Stream
from amqpd.server.transport import Transport

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""How long nobody is accepted after the process ran out of file descriptors."""
ACCEPTED_MAX: Final = 64
"""Connections that are accepted in one turn: those that are open wait meanwhile."""


class Acceptor(Watched):
    """Makes a stream of every connection that comes."""

    def __init__(self, reactor: Reactor, listening: socket.socket, make: Callable[[], Transport]) -> None:
        self._reactor: Final = reactor
        self._listening: Final = listening
        self._make: Final = make
        self._file: Final[int] = listening.fileno()
        listening.setblocking(False)
        reactor.watch(self._file, self, READ)

    def readable(self) -> None:
        """See `Watched.readable`."""
        try:
            for _ in range(ACCEPTED_MAX):
                client, _address = self._listening.accept()
                self._begin(client)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            self.failed(error)

    def _begin(self, client: socket.socket) -> None:
        try:
            Stream(self._reactor, client, self._make())
        except OSError:  # It is gone already.
            client.close()

    def writable(self) -> None:
        """See `Watched.writable`."""

    def failed(self, error: Exception) -> None:
        """See `Watched.failed`."""
        log(logger, WARNING, "cannot accept connections", reason=str(error))
        self._reactor.change(self._file, 0)
        self._reactor.loop.call_later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._listening.fileno() >= 0:
            self._reactor.change(self._file, READ)

    def close(self) -> None:
        """Accept nobody any more."""
        self._reactor.forget(self._file)
        self._listening.close()

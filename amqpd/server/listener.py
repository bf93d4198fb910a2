"""Listening for clients, and saying goodbye to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from amqpd.broker.broker import Broker
from amqpd.config import Config
from amqpd.errors import StartError
from amqpd.server.alarms import Alarms
from amqpd.server.dispatch import HANDLERS
from amqpd.server.flush import FlushSet
from amqpd.server.peer import Peer, Peers
from amqpd.server.transport import Transport

GOODBYE_SECONDS: Final = 5.0
"""How long clients have for answering connection.close when the broker stops."""
BACKLOG: Final = 1024


class Listener(Peers):
    """Accepts connections and knows those that are open."""

    def __init__(self, broker: Broker, config: Config, flush_set: FlushSet, alarms: Alarms) -> None:
        self.broker: Final = broker
        self.config: Final = config
        self.flush_set: Final = flush_set
        self.alarms: Final = alarms
        self.peers: Final[dict[Peer, None]] = {}
        self._server: asyncio.Server | None = None
        self._all_gone: asyncio.Event = asyncio.Event()

    async def open(self) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        loop = asyncio.get_running_loop()
        host, port = self.config.host, self.config.port
        try:
            # A transport is a protocol to asyncio by its methods' names, not by its base: it is compiled.
            factory = cast(Callable[[], asyncio.BaseProtocol], self._transport)
            self._server = await loop.create_server(factory, host, port, backlog=BACKLOG)
        except (OSError, UnicodeError, OverflowError) as error:
            raise StartError(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from error
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    def _transport(self) -> Transport:
        transport = Transport(asyncio.get_running_loop(), self.flush_set, self.config.handshake_timeout)
        self.peers[Peer(self.broker, self.config, transport, self.alarms, HANDLERS, self)] = None
        return transport

    def peer_lost(self, peer: Peer) -> None:
        """A connection is gone."""
        del self.peers[peer]
        if not self.peers:
            self._all_gone.set()

    async def close(self, reason: str) -> None:
        """Accept nobody any more, close every connection for this reason, and wait for the goodbyes."""
        if self._server is not None:
            self._server.close()
        if not self.peers:
            return
        self._all_gone.clear()
        self.flush_set.begin()
        for peer in list(self.peers):
            peer.force_close(reason)
        try:
            await asyncio.wait_for(self._all_gone.wait(), GOODBYE_SECONDS)
        except TimeoutError:
            for peer in list(self.peers):
                peer.transport.abort()
            await asyncio.sleep(0)

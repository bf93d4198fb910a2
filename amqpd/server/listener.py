"""Listening for clients, and saying goodbye to all of them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final, cast

from amqpd.broker.broker import Broker
from amqpd.config import Config
from amqpd.errors import StartError, reason_of
from amqpd.logs import ERROR, INFO, log
from amqpd.protocol.proxy import Route
from amqpd.server.admission import Admission
from amqpd.server.alarms import Alarms
from amqpd.server.dispatch import HANDLERS
from amqpd.server.flush import FlushSet
from amqpd.server.gate import Gate
from amqpd.server.peer import Peer, Peers
from amqpd.server.tls import Tls
from amqpd.server.transport import Transport

logger = logging.getLogger(__name__)

GOODBYE_SECONDS: Final = 1.5
"""How long clients have for answering connection.close when the broker stops."""
BACKLOG: Final = 1024


class Listener(Peers):
    """Accepts connections and knows those that are open."""

    def __init__(self, broker: Broker, config: Config, flush_set: FlushSet, alarms: Alarms, admission: Admission) -> None:
        self.broker: Final = broker
        self.config: Final = config
        self.flush_set: Final = flush_set
        self.alarms: Final = alarms
        self.admission: Final = admission
        self.peers: Final[dict[Peer, None]] = {}
        self._server: asyncio.Server | None = None
        self._gates: Final[list[Gate]] = []
        self._closing: bool = False
        self._all_gone: asyncio.Event = asyncio.Event()

    async def open(self) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        loop = asyncio.get_running_loop()
        host, port = self.config.host, self.config.port
        if self.config.proxy_protocol:
            return self._open_gate(port, None)
        try:
            # A transport is a protocol to asyncio by its methods' names, not by its base: it is compiled.
            factory = cast(Callable[[], asyncio.BaseProtocol], self._transport)
            self._server = await loop.create_server(factory, host, port, backlog=BACKLOG)
        except (OSError, UnicodeError, OverflowError) as error:
            raise StartError(f"cannot listen on {host}:{port}: {reason_of(error)}") from error
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def open_tls(self) -> tuple[str, int] | None:
        """Listen with TLS, if that is wanted; return the address. Raises StartError if that cannot be."""
        port = self.config.tls_port
        return None if port is None else self._open_gate(port, Tls(self.config))

    def _open_gate(self, port: int, tls: Tls | None) -> tuple[str, int]:
        host = self.config.host
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except (OSError, UnicodeError, OverflowError) as error:
            raise StartError(f"cannot listen on {host}:{port}: {reason_of(error)}") from error
        listening.setblocking(False)
        self._gates.append(Gate(listening, self.config, tls, self._transport))
        name = listening.getsockname()
        return str(name[0]), int(name[1])

    def reload(self) -> None:
        """Read certificates again, for connections to come; if they cannot be used, the old ones stay."""
        for gate in self._gates:
            if gate.tls is not None:
                try:
                    gate.tls.reload()
                    log(logger, INFO, "certificates loaded")
                except StartError as error:
                    log(logger, ERROR, "certificates not loaded", reason=str(error))

    def _transport(self, route: Route | None = None) -> Transport:
        transport = Transport(asyncio.get_running_loop(), self.flush_set, self.config.handshake_timeout)
        transport.route = route
        Peer(self.broker, self.config, transport, self.alarms, HANDLERS, self, self.admission)
        return transport

    def peer_connected(self, peer: Peer) -> None:
        """A connection is there."""
        self.peers[peer] = None
        if self._closing:
            peer.transport.abort()

    def peer_lost(self, peer: Peer) -> None:
        """A connection is gone."""
        del self.peers[peer]
        if not self.peers:
            self._all_gone.set()

    async def close(self, reason: str) -> None:
        """Accept nobody any more, close every connection for this reason, and wait for the goodbyes."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        for gate in self._gates:
            gate.close()
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

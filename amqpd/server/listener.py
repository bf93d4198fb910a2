"""Listening for clients, and saying goodbye to all of them."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

from amqpd.broker.broker import Broker
from amqpd.config import Config
from amqpd.errors import StartError
from amqpd.listening import address_of, listening_sockets
from amqpd.logs import ERROR, INFO, WARNING, log
from amqpd.protocol.proxy import Route
from amqpd.server import reactor
from amqpd.server.acceptor import Acceptor
from amqpd.server.admission import Admission
from amqpd.server.alarms import Alarms
from amqpd.server.dispatch import HANDLERS
from amqpd.server.flush import FlushSet
from amqpd.server.gate import Gate
from amqpd.server.headroom import sockets_limit
from amqpd.server.peer import Peer, Peers
from amqpd.server.reactor import Reactor
from amqpd.server.tls import Tls
from amqpd.server.transport import Transport

logger = logging.getLogger(__name__)

GOODBYE_SECONDS: Final = 1.5
"""How long clients have for answering connection.close when the broker stops."""


class Listener(Peers):
    """Accepts connections and knows those that are open."""

    def __init__(self, broker: Broker, config: Config, flush_set: FlushSet, alarms: Alarms, admission: Admission) -> None:
        self.broker: Final = broker
        self.config: Final = config
        self.flush_set: Final = flush_set
        self.alarms: Final = alarms
        self.admission: Final = admission
        self.peers: Final[dict[Peer, None]] = {}
        self._reactor: Reactor | None = None
        self._acceptors: Final[list[Acceptor]] = []
        self._gates: Final[list[Gate]] = []
        self._doors: Final[list[tuple[int, Tls | None]]] = []
        """The ports to listen on, and with which certificates."""
        self.is_drained: bool = False
        """No client is served."""
        self._sockets_max: Final = sockets_limit()
        self._all_gone: asyncio.Event = asyncio.Event()

    async def open(self) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        port = self.config.port
        if reactor.is_available():
            self._reactor = Reactor(asyncio.get_running_loop(), self.flush_set)
        return self._open(port, None)

    async def open_tls(self) -> tuple[str, int] | None:
        """Listen with TLS, if that is wanted; return the address. Raises StartError if that cannot be."""
        port = self.config.tls_port
        return None if port is None else self._open(port, Tls(self.config))

    def _open(self, port: int, tls: Tls | None) -> tuple[str, int]:
        """Listen on a port, from now on always the same one. Raises StartError."""
        listening = listening_sockets(self.config.host, port)
        address = address_of(listening)
        self._doors.append((address[1], tls))
        self._accept(listening, tls)
        return address

    def _accept(self, listening: list[socket.socket], tls: Tls | None) -> None:
        for one in listening:
            if self.config.proxy_protocol or tls is not None or self._reactor is None:
                self._gates.append(Gate(one, self.config, tls, self._reactor, self._transport))
            else:
                self._acceptors.append(Acceptor(self._reactor, one, self._transport))

    def reload(self) -> None:
        """Read certificates again, for connections to come; if they cannot be used, the old ones stay."""
        for _, tls in self._doors:
            if tls is not None:
                try:
                    tls.reload()
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
        if self.is_drained:
            peer.transport.abort()
        elif len(self.peers) > self._sockets_max:
            log(logger, WARNING, "connection refused", peer=peer.transport.peer_address, reason="too many open files")
            peer.transport.abort()

    def peer_lost(self, peer: Peer) -> None:
        """A connection is gone."""
        del self.peers[peer]
        if not self.peers:
            self._all_gone.set()

    async def close(self, reason: str) -> None:
        """Accept nobody any more, close every connection for this reason, and wait for the goodbyes."""
        self.is_drained = True
        for acceptor in self._acceptors:
            acceptor.close()
        for gate in self._gates:
            gate.close()
        self._acceptors.clear()
        self._gates.clear()
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

    def reopen(self) -> None:
        """Listen again, on the same ports. Raises StartError, and then nobody is accepted."""
        if not self.is_drained:
            return
        opened: list[tuple[list[socket.socket], Tls | None]] = []
        try:
            for port, tls in self._doors:
                opened.append((listening_sockets(self.config.host, port), tls))
        except StartError:
            for listening, _ in opened:
                for one in listening:
                    one.close()
            raise
        self.is_drained = False
        for listening, tls in opened:
            self._accept(listening, tls)

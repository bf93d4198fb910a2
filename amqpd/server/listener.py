"""Listening for clients, and saying goodbye to all of them."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

from amqpd.broker.broker import Broker
from amqpd.config import Config
from amqpd.errors import StartError, reason_of
from amqpd.logs import ERROR, INFO, log
from amqpd.protocol.proxy import Route
from amqpd.server import reactor
from amqpd.server.acceptor import Acceptor
from amqpd.server.admission import Admission
from amqpd.server.alarms import Alarms
from amqpd.server.dispatch import HANDLERS
from amqpd.server.flush import FlushSet
from amqpd.server.gate import Gate
from amqpd.server.peer import Peer, Peers
from amqpd.server.reactor import Reactor
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
        self._reactor: Reactor | None = None
        self._acceptors: Final[list[Acceptor]] = []
        self._gates: Final[list[Gate]] = []
        self._closing: bool = False
        self._all_gone: asyncio.Event = asyncio.Event()

    async def open(self) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        port = self.config.port
        if reactor.is_available():
            self._reactor = Reactor(asyncio.get_running_loop(), self.flush_set)
        if self.config.proxy_protocol or self._reactor is None:
            return self._open_gates(port, None)
        listening = self._listen(port)
        for one in listening:
            self._acceptors.append(Acceptor(self._reactor, one, self._transport))
        return _address(listening)

    async def open_tls(self) -> tuple[str, int] | None:
        """Listen with TLS, if that is wanted; return the address. Raises StartError if that cannot be."""
        port = self.config.tls_port
        return None if port is None else self._open_gates(port, Tls(self.config))

    def _open_gates(self, port: int, tls: Tls | None) -> tuple[str, int]:
        listening = self._listen(port)
        for one in listening:
            self._gates.append(Gate(one, self.config, tls, self._reactor, self._transport))
        return _address(listening)

    def _listen(self, port: int) -> list[socket.socket]:
        """One listening socket for each address of the host. Raises StartError."""
        host = self.config.host
        listening: list[socket.socket] = []
        try:
            for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
                listening.append(socket.create_server(address, family=family, backlog=BACKLOG))
        except (OSError, UnicodeError, OverflowError) as error:
            for one in listening:
                one.close()
            raise StartError(f"cannot listen on {host}:{port}: {reason_of(error)}") from error
        return listening

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
        for acceptor in self._acceptors:
            acceptor.close()
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


def _address(listening: list[socket.socket]) -> tuple[str, int]:
    name = listening[0].getsockname()
    return str(name[0]), int(name[1])

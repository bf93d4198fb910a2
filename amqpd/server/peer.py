"""A connected client on the server's side: from its greeting to its last close, with a log line for each end."""

from __future__ import annotations

import logging
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker import connection_facts
from amqpd.broker.answers import Answers
from amqpd.broker.broker import Broker
from amqpd.broker.client import Client
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.events import Facts
from amqpd.broker.session import Session
from amqpd.broker.users import User
from amqpd.config import Config
from amqpd.errors import ConnectionForced, NotAllowed, Undecided
from amqpd.logs import INFO, WARNING, log
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ChannelHandler, ConnectionHandler
from amqpd.protocol.states import RUNNING
from amqpd.server.admission import Admission, Origin
from amqpd.server.alarms import Alarms, Blockable
from amqpd.server.channel import ChannelCommands, Handlers
from amqpd.server.flush import Throttled
from amqpd.server.outbox import WireOutbox
from amqpd.server.transport import ALARM, COMMIT, RATE, WAITING, Transport
from amqpd.shortage import end_if_out_of_memory
from amqpd.wire.methods import METHODS, Method

logger = logging.getLogger(__name__)

CLOSE_OK_SECONDS: Final = 30.0
"""How long connection.close-ok is waited for."""
CLOSE_OK_SECONDS_AFTER_FRAME_ERROR: Final = 3.0
LOGIN_SUCCEEDED: Final = "user.authentication.success"
LOGIN_FAILED: Final = "user.authentication.failure"
DROP_SECONDS: Final = 3.0
"""Pause before a connection that never got past its handshake is dropped: guessing shall be slow."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Peers:
    """Those who are connected."""

    def peer_connected(self, peer: Peer) -> None:
        """A connection is there."""
        raise NotImplementedError

    def peer_lost(self, peer: Peer) -> None:
        """A connection is gone."""
        raise NotImplementedError


class Peer(ConnectionHandler):
    """One connection."""

    def __init__(
        self, broker: Broker, config: Config, transport: Transport, alarms: Alarms, handlers: Handlers, peers: Peers,
        admission: Admission,
    ) -> None:  # fmt: skip
        self.peers: Final = peers
        self.broker: Final = broker
        self.config: Final = config
        self.transport: Final = transport
        self.alarms: Final = alarms
        self.handlers: Final = handlers
        self.connection: Final = Connection(self, transport, config.max_message_size)
        self.throttle: Final = Throttle(transport)
        self.block: Final = Block(self.connection, transport)
        self.admission: Final = admission
        self.answers: Final = Answers()
        self.origin: Origin = Origin("", False, None)
        self.user: User | None = None
        self.client: Client | None = None
        self.client_properties: dict[str, object] = {}
        self.mechanism: str = ""
        self.presence: Presence | None = None
        transport.attach(self.connection, self, self.throttle)

    def capable(self, capability: str) -> bool:
        """True if the peer announced the capability in its client properties."""
        capabilities = self.client_properties.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(capability) is True

    def send(self, name: str, *values: object) -> None:
        """Send a method on channel 0."""
        self.connection.send(0, METHODS[name], values)

    def tell_of_login(self, event: str, user: str, mechanism: str, more: Facts) -> None:
        """Somebody could log in, or could not."""
        totals = self.broker.totals
        if event == LOGIN_SUCCEEDED:
            totals.logins_succeeded += 1
        else:
            totals.logins_failed += 1
        transport = self.transport
        ends = transport.address("peername"), transport.address("sockname")
        login = connection_facts.login(user, mechanism, transport.detail("cipher") is not None, ends[0], ends[1])
        self.broker.events.emit(event, {**more, **login})

    def enter(self, vhost: str) -> None:
        """The peer opens the virtual host. Raises NotAllowed."""
        assert self.user is not None, "connection.open is heard after start-ok only"
        limit = self.config.connection_max
        if limit and len(self.broker.connections.open) >= limit:
            raise NotAllowed(f"connection refused: node connection limit ({limit}) is reached")
        self.client = self.broker.enter(self.user, vhost, self.capable("consumer_cancel_notify"))
        self.presence = Presence(self, self.user.name, vhost)
        self.client.connection_name = self.presence.name
        self.broker.connections.add(self.presence)
        self.broker.events.emit("connection.created", connection_facts.created(self.presence, self.broker.events.node))

    # --- called by the protocol ------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The socket is there."""
        transport = self.transport
        self.origin = Origin(transport.address("peername")[0], transport.from_loopback, transport.detail("peercert"))
        self.alarms.add(self.block)
        self.peers.peer_connected(self)

    def allowance(self) -> int:
        """See `Transport.allowance`."""
        return self.transport.allowance()

    def undecided(self, question: Undecided) -> None:
        """A command needs the answer of a backend."""
        self.transport.pause(WAITING)
        self.admission.asker.ask(question, self.answered)

    def answered(self, question: Undecided, answer: str) -> None:
        """The backend answered."""
        self.answers.note(question, answer)
        self.transport.go_on()

    def method(self, method: Method, values: list[object]) -> None:
        """A method of class connection."""
        self.handlers[method.name](self, *values)

    def open_channel(self, number: int) -> ChannelHandler:
        """The peer opens a channel."""
        assert self.client is not None, "channels are opened in state running only"
        channel_max = self.connection.limits.channel_max
        if channel_max and number > channel_max:
            opened = len(self.connection.channels)
            raise NotAllowed(f"number of channels opened ({opened}) has reached the negotiated channel_max ({channel_max})")
        self.broker.check_channels(self.client.user)
        outbox = WireOutbox(number, self.connection, self.transport.flow)
        session = self.broker.session(self.client, outbox)
        self.broker.events.emit("channel.created", connection_facts.channel_created(session))
        return ChannelCommands(number, self.connection, self.transport, session, self.handlers, self.broker.pace)

    def stopped(self, rest: bytes) -> None:
        """The peer publishes during an alarm."""
        self.alarms.publisher_seen(self.block)
        self.transport.withhold(rest)

    def closing(self, reason: str, after_frame_error: bool) -> None:
        """connection.close was sent."""
        self.leave()
        self.transport.hear_again()  # Else its answer is not heard.
        self._log(WARNING, "connection closed with an error", reason=reason)
        self.transport.close_within(CLOSE_OK_SECONDS_AFTER_FRAME_ERROR if after_frame_error else CLOSE_OK_SECONDS)

    def dropped(self, reason: str, at_once: bool) -> None:
        """The handshake failed and the peer is not told."""
        self._log(WARNING, "handshake failed", reason=reason)
        if at_once:
            self.transport.close_soon()
        else:
            self.transport.linger(DROP_SECONDS)

    def channel_failed(self, number: int, reason: str) -> None:
        """channel.close was sent."""
        self._log(WARNING, "channel closed with an error", channel=number, reason=reason)

    def lost(self, reason: str) -> None:
        """The socket is gone."""
        self.leave()
        self.alarms.forget(self.block)
        self.peers.peer_lost(self)
        self._log(INFO, "connection closed", reason=reason)

    def timed_out(self) -> None:
        """The peer fell silent."""
        self._log(WARNING, "missed heartbeats from client", timeout=self.connection.limits.heartbeat)

    def crashed(self, error: Exception) -> None:
        """A defect, or no memory."""
        end_if_out_of_memory(error)
        logger.error("internal error", exc_info=error, extra={"fields": {"peer": self.transport.peer_address}})

    # --- ends ------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The connection ends: what was exclusive to it goes."""
        client = self.client
        if client is not None:
            self.client = None
            self.broker.leave(client)
        presence = self.presence
        if presence is not None:
            self.presence = None
            self.broker.connections.remove(presence)
            self.broker.events.emit("connection.closed", connection_facts.closed(presence, self.broker.events.node))

    def force_close(self, reason: str) -> None:
        """Close the connection for the operator's or the broker's reasons."""
        if self.connection.state == RUNNING:
            self.connection.close(ConnectionForced(reason), 0)
        else:
            self.transport.abort()

    def _log(self, level: int, event: str, **fields: object) -> None:
        user = self.user.name if self.user is not None else ""
        log(logger, level, event, peer=self.transport.peer_address, user=user, **fields)


class Presence(ConnectionInfo):
    """The connection as operators see it."""

    def __init__(self, peer: Peer, user: str, vhost: str) -> None:
        super().__init__(peer.client_properties)
        self.peer: Final = peer
        transport = peer.transport
        limits = peer.connection.limits
        self.user = user
        self.vhost = vhost
        self.client = peer.client
        self.peer_host, self.peer_port = transport.address("peername")
        self.host, self.port = transport.address("sockname")
        self.auth_mechanism = peer.mechanism
        self.channel_max = limits.channel_max
        self.frame_max = limits.frame_max
        self.heartbeat = limits.heartbeat
        self.connected_at = peer.broker.clock.now
        cipher = transport.detail("cipher")
        if cipher:
            self.tls_cipher, self.tls_version = str(cipher[0]), str(transport.detail("ssl_object").version())

    def sessions(self) -> dict[int, Session]:
        """See `ConnectionInfo.sessions`."""
        found: dict[int, Session] = {}
        for number, channel in self.peer.connection.channels.items():
            handler = channel.handler
            if isinstance(handler, ChannelCommands) and not channel.closing:
                found[number] = handler.session
        return found

    def state(self) -> str:
        """See `ConnectionInfo.state`."""
        if self.peer.connection.state != RUNNING:
            return "closing"
        transport = self.peer.transport
        if transport.is_blocked(ALARM):
            return "blocked"
        return "flow" if transport.is_blocked(RATE) else "running"

    def received(self) -> tuple[int, int]:
        """See `ConnectionInfo.received`."""
        return self.peer.transport.received, self.peer.transport.reads

    def sent(self) -> tuple[int, int]:
        """See `ConnectionInfo.sent`."""
        return self.peer.transport.sent, self.peer.transport.writes

    def pending(self) -> int:
        """See `ConnectionInfo.pending`."""
        return self.peer.transport.pending()

    def close(self, reason: str) -> None:
        """See `ConnectionInfo.close`."""
        self.peer.force_close(reason)


class Throttle(Throttled):
    """Lets the connection read on after a commit."""

    def __init__(self, transport: Transport) -> None:
        self.transport: Final = transport

    def resume_input(self) -> None:
        """The commit is done."""
        self.transport.resume(COMMIT)


class Block(Blockable):
    """Keeps the connection from publishing during an alarm."""

    def __init__(self, connection: Connection, transport: Transport) -> None:
        self.connection: Final = connection
        self.transport: Final = transport
        self.is_told: bool = False
        """The peer announced that it understands connection.blocked."""

    def stop_at_content(self, stops: bool) -> None:
        """See `Blockable.stop_at_content`."""
        self.connection.stop_at_content(stops)

    def block(self, reason: str) -> None:
        """connection.blocked."""
        self.transport.block(ALARM)
        if self.is_told:
            self.connection.send(0, METHODS["connection.blocked"], (reason,))

    def unblock(self) -> None:
        """connection.unblocked."""
        if self.is_told and self.connection.state == RUNNING:
            self.transport.flush_set.begin()
            self.connection.send(0, METHODS["connection.unblocked"], ())
        self.transport.unblock(ALARM)

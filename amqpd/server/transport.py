"""One client's socket: feeds the protocol, writes its output, keeps its timers. asyncio calls it by its protocol's names.

1. Output is written once per turn, and not at all while it is held for a batch that is not durable yet.
2. Reading stops for as long as any reason to pause stands.
3. Input of a blocked connection is withheld from the protocol, see `withheld`.
4. What is left of a read when a turn's time is used up, or when much is to be sent in answer, is heard in a later turn,
   and reading stops until then; a client that asks on is answered once it has read what it was sent.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from asyncio import Transport as SocketTransport
from typing import Any, Final

from amqpd.broker.credit import Flow
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ConnectionHandler
from amqpd.protocol.heartbeat import BEAT, DEAD, Heartbeat
from amqpd.protocol.output import ANSWERS_MAX, Output
from amqpd.protocol.proxy import Route
from amqpd.protocol.states import CLOSED, HEADER, OPENING, STARTING, TUNING
from amqpd.server import steady
from amqpd.server.flush import FlushSet, Throttled
from amqpd.server.withheld import Withheld
from amqpd.wire.frames import HEARTBEAT_FRAME

WRITE_HIGH: Final = 1024 * 1024
WRITE_LOW: Final = 256 * 1024
"""Bytes in the socket's buffer at which deliveries stop, and go on."""
WRITE_CEILING: Final = 64 * 1024 * 1024
"""Bytes there at which a client that asks on without reading the answers is not read any more."""

TURN_MILLISECONDS: Final = 20
"""How long one connection is heard in one turn, before others have theirs."""
FRAMES: Final = 32
"""How many frames of it are heard without a look at the clock, unless they turn out to be long work."""
SLOW_MILLISECONDS: Final = 5
"""So long should they not take together."""

ALARM: Final = "alarm"
RATE: Final = "rate"
"""Reasons to withhold input."""
COMMIT: Final = "commit"
WAITING: Final = "waiting"
OUTPUT: Final = "output"
WITHHELD: Final = "withheld"
"""Reasons to pause reading."""


class Transport(Output):
    """An asyncio protocol (by its methods' names) over one accepted socket."""

    def __init__(self, loop: AbstractEventLoop, flush_set: FlushSet, handshake_timeout: float) -> None:
        self.dirty = flush_set.dirty
        self.pieces = []
        self.size = 0
        self.loop: Final = loop
        self.flush_set: Final = flush_set
        self.handshake_timeout: Final = handshake_timeout
        self.flow: Final = Flow()
        self.heartbeat: Final = Heartbeat()
        self.connection: Connection | None = None
        self.handler: ConnectionHandler | None = None
        self.throttle: Throttled | None = None
        self.socket: SocketTransport | None = None
        self.peer_address: str = ""
        self.from_loopback: bool = False
        self.route: Route | None = None
        """What a proxy said of the client."""
        self.received: int = 0
        self.reads: int = 0
        self.sent: int = 0
        self.writes: int = 0
        self._interval: float = 0.0
        self._timer: TimerHandle | None = None
        self._pauses: dict[str, None] = {}
        self._hold: int = 0
        self._blocks: Final[dict[str, None]] = {}
        self._withheld: Withheld | None = None
        """While the connection is blocked for any reason, what it sends."""
        self._rest: TimerHandle | None = None
        self._writing_paused: bool = False
        self._spent: int = 0
        """Milliseconds of the turn at the last look at the clock."""
        self._frames: int = FRAMES
        self._is_sated: bool = False
        """What it asks for is answered once it has read what it was sent."""
        self._goes_on: bool = False
        """It is about to."""
        self._hears_all: bool = False
        self._closing: bool = False
        self._lingering: bool = False
        """Nothing is said or heard any more, but the socket is left open for a while."""

    def attach(self, connection: Connection, handler: ConnectionHandler, throttle: Throttled) -> None:
        """Complete it, before its socket is there."""
        self.throttle = throttle
        self.connection = connection
        self.handler = handler

    # --- called by asyncio -----------------------------------------------------------------------------------------

    def connection_made(self, socket: Any) -> None:  # noqa: ANN401 - whatever the loop makes
        """A client connected."""
        self.socket = socket
        socket.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        host, port = self.address("peername")
        self.peer_address = f"{host}:{port}"
        self.from_loopback = host.startswith(("127.", "::ffff:127.")) or host == "::1"
        self._timer = self.loop.call_later(self.handshake_timeout, self._handshake_late)
        if self.handler is not None:
            self.handler.connected()

    def data_received(self, data: bytes) -> None:
        """The client sent bytes."""
        self.heartbeat.received = True
        self.received += len(data)
        self.reads += 1
        self.flush_set.begin()
        if self.throttle is not None and not self.flush_set.admit(len(data), self.throttle):
            self.pause(COMMIT)
        if self._withheld is None:
            self._hear(data)
        else:
            self.withhold(data)

    def withhold(self, data: bytes) -> None:
        """Keep input until the connection is not blocked any more; it must be blocked."""
        withheld = self._withheld
        connection = self.connection
        assert withheld is not None, "block comes first"
        withheld.keep(data)
        if connection is not None and withheld.says_goodbye():
            channels = len(connection.channels)
            self._hear_out(connection, withheld)
            withheld.is_believed = len(connection.channels) < channels
        elif withheld.is_full():
            self.pause(WITHHELD)

    def _hear_out(self, connection: Connection, withheld: Withheld) -> None:
        stops = connection.stops_at_content
        connection.stop_at_content(False)
        self._hears_all = True
        self._hear(withheld.take())
        self._hears_all = False
        connection.stop_at_content(stops)

    def _hear(self, data: bytes) -> None:
        connection = self.connection
        if connection is not None:
            connection.receive_data(data)
            if connection.state == CLOSED and not self._lingering:
                self.close_soon()

    def eof_received(self) -> bool:
        """The client will send no more: that ends the connection."""
        return False

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        self._writing_paused = True
        self.flow.writable = False

    def resume_writing(self) -> None:
        """It caught up."""
        self._writing_paused = False
        if self.is_paused(OUTPUT):
            self.resume(OUTPUT)
        if self._is_sated:
            self._go_on_soon()
        self.flush_set.begin()
        self.flow.open()

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed, by whomever."""
        if self._timer is not None:
            self._timer.cancel()
        if self._rest is not None:
            self._rest.cancel()
        self.flush_set.begin()
        self.socket = None
        connection = self.connection
        if connection is not None:
            if self._withheld is not None and error is None:
                self._hear_out(connection, self._withheld)
            connection.lost()
        if self.handler is not None:
            self.handler.lost("" if error is None else str(error))
        self.connection = self.handler = self.throttle = None  # Who refers to nobody is freed at once.

    def address(self, end: str) -> tuple[str, int]:
        """Host and port of one end of the connection: `peername` or `sockname`."""
        route = self.route
        if route is not None and route.source is not None and route.destination is not None:
            return route.source if end == "peername" else route.destination
        found = self.socket.get_extra_info(end) if self.socket is not None else None
        return (str(found[0]), int(found[1])) if found else ("", 0)

    def detail(self, name: str) -> Any:  # noqa: ANN401 - asyncio knows many things
        """What asyncio knows of the connection under this name: of TLS `peercert`, `cipher`, `ssl_object`; else None."""
        return self.socket.get_extra_info(name) if self.socket is not None else None

    # --- output ----------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Write nothing more until everything that is queued now is durable."""
        self._hold = self.flush_set.undurable() or self._hold

    def flush(self) -> None:
        """Write what was collected; called once per turn."""
        if self._hold > self.flush_set.broker.durability.through:
            self.flush_set.held.append(self)
            return
        data = self.take()
        socket = self.socket
        if socket is None:
            return
        if data:
            self.sent += len(data)
            self.writes += 1
            socket.write(data)
            if self._writing_paused and socket.get_write_buffer_size() > WRITE_CEILING:
                self.pause(OUTPUT)
        if self._is_sated and not self._writing_paused:
            self._go_on_soon()
        if self._closing:
            socket.close()
        elif not self.flow.writable and not self._writing_paused:
            self.flow.open()
            self.flush_set.schedule()

    def close_soon(self) -> None:
        """Close the socket once everything is written."""
        self._closing = True
        if not self.pieces and self.socket is not None:
            self.socket.close()

    def linger(self, seconds: float) -> None:
        """Close the socket after this time, and not before."""
        self._lingering = True
        self.close_within(seconds)

    def close_within(self, seconds: float) -> None:
        """Close the socket after this time at the latest: until then the client may take leave."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """Close the socket now."""
        if self.socket is not None:
            self.socket.abort()

    def pending(self) -> int:
        """Bytes that wait for the client to read."""
        return self.socket.get_write_buffer_size() if self.socket is not None else 0

    # --- input -----------------------------------------------------------------------------------------------------

    def pause(self, reason: str) -> None:
        """Stop reading for a reason."""
        if not self._pauses and self.socket is not None:
            self.socket.pause_reading()
        self._pauses[reason] = None

    def is_paused(self, reason: str) -> bool:
        """True while this reason to pause stands."""
        return reason in self._pauses

    def resume(self, reason: str) -> None:
        """The reason is gone; read again if it was the last one."""
        self._pauses.pop(reason, None)
        if not self._pauses and self.socket is not None and not self.socket.is_closing():
            self.heartbeat.received = True
            self.socket.resume_reading()

    def is_blocked(self, reason: str) -> bool:
        """True while this reason to withhold input stands."""
        return reason in self._blocks

    def block(self, reason: str) -> None:
        """Withhold input for a reason."""
        self._blocks[reason] = None
        if self._withheld is None:
            self._withheld = Withheld()

    def unblock(self, reason: str) -> None:
        """The reason is gone; act on what was withheld if it was the last one."""
        self._blocks.pop(reason, None)
        if not self._blocks:
            self.hear_again()

    def hear_again(self) -> None:
        """Whatever the reasons were, act on what was withheld and on everything that comes."""
        self._blocks.clear()
        withheld, self._withheld = self._withheld, None
        if withheld is not None:
            self.flush_set.begin()
            self.resume(WITHHELD)
            data = withheld.take()
            if data:
                self._hear(data)

    def rest(self, seconds: float) -> None:
        """The client published faster than it may: block it for a while."""
        if not self.is_blocked(RATE):
            self.block(RATE)
            self._rest = self.loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        self.unblock(RATE)

    def allowance(self) -> int:
        """How many frames may be heard before it is asked again; 0: the rest is heard in another turn (4)."""
        if self._hears_all:
            return FRAMES
        if self.size > ANSWERS_MAX:
            self._is_sated = True  # The flush, or the client that reads, lets it go on.
            self.pause(WAITING)
            return 0
        spent = steady.milliseconds() - self.flush_set.broker.clock.now
        took = spent - self._spent if spent >= self._spent else spent
        self._spent = spent
        self._frames = 1 if took >= SLOW_MILLISECONDS else min(FRAMES, self._frames * 2)
        if spent < TURN_MILLISECONDS:
            return self._frames
        self.pause(WAITING)
        self._go_on_soon()
        return 0

    def _go_on_soon(self) -> None:
        if not self._goes_on:
            self._goes_on = True
            self.loop.call_soon(self.go_on)

    def go_on(self) -> None:
        """What the connection waited for is there: let it hear the rest of what was read."""
        self._goes_on = self._is_sated = False
        connection = self.connection
        if connection is None or self.socket is None:
            return
        self.flush_set.begin()
        connection.resume()
        if connection.state == CLOSED and not self._lingering:
            self.close_soon()
        if not connection.waits:
            self.resume(WAITING)

    # --- timers ----------------------------------------------------------------------------------------------------

    def handshake_done(self, heartbeat: int) -> None:
        """Limits are agreed: watch for silence of twice this many seconds, or not at all if it is 0."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if heartbeat:
            self._interval = heartbeat / 2
            self._timer = self.loop.call_later(self._interval, self._tick)

    def _tick(self) -> None:
        if self._closing:
            return
        self._timer = self.loop.call_later(self._interval, self._tick)
        if self._pauses or self._withheld is not None:
            self.heartbeat.received = True
        beat = self.heartbeat.tick(self.writes)
        if beat == BEAT:
            self.flush_set.begin()
            self.add(HEARTBEAT_FRAME)
        elif beat == DEAD and self.handler is not None:
            self.handler.timed_out()
            self.abort()

    def _handshake_late(self) -> None:
        connection = self.connection
        if connection is not None and connection.state in (HEADER, STARTING, TUNING, OPENING):
            self.abort()

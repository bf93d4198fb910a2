"""A client and the whole broker behind one connection, without sockets, loop or disk: all of them are played."""

from collections.abc import Callable
from typing import cast

from amqpd.broker.authority import Internal
from amqpd.config import Config, load
from amqpd.protocol.connection import Connection
from amqpd.server.admission import Admission, Asker
from amqpd.server.alarms import Alarms
from amqpd.server.dispatch import HANDLERS
from amqpd.server.flush import Committing, FlushSet
from amqpd.server.peer import Peer, Peers
from amqpd.server.transport import Transport
from amqpd.wire import tables
from helpers import client
from helpers.client import Heard, hear, method
from helpers.core import Core


def _nothing() -> None:
    """What a cancelled timer does."""


class Timer:
    """Something that the loop does later, unless it is cancelled."""

    def __init__(self, at: float, call: Callable[[], object]) -> None:
        self.at = at
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        """Do not do it, and forget what it would have been, as asyncio's timers do."""
        self.is_cancelled = True
        self.call = _nothing


class Loop:
    """An event loop whose time passes when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0
        self.soon: list[Callable[[], object]] = []
        self.timers: list[Timer] = []

    def call_soon(self, call: Callable[[], object]) -> None:
        """Do it in the next turn."""
        self.soon.append(call)

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        """Do it after this many seconds."""
        timer = Timer(self.time + delay, call)
        self.timers.append(timer)
        return timer

    def run(self) -> None:
        """Turn until nothing is to be done."""
        while self.soon:
            calls, self.soon = self.soon, []
            for call in calls:
                call()

    def advance(self, seconds: float) -> None:
        """Let time pass and do what becomes due, in order."""
        end = self.time + seconds
        self.run()
        while due := [timer for timer in self.timers if timer.at <= end and not timer.is_cancelled]:
            timer = min(due, key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.time = timer.at
            timer.call()
            self.run()
        self.time = end


class Socket:
    """The broker's end of a connection, as asyncio gives it."""

    def __init__(self, transport: Transport, host: str) -> None:
        self.transport = transport
        self.host = host
        self.written: list[bytes] = []
        self.is_reading = True
        self.closed_by = ""

    def get_extra_info(self, name: str) -> tuple[str, int] | None:
        """The address of either end; of TLS there is none."""
        if name not in {"peername", "sockname"}:
            return None
        return (self.host if name == "peername" else "127.0.0.1", 1234)

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """Nothing is buffered."""

    def get_write_buffer_size(self) -> int:
        """Nothing is buffered."""
        return 0

    def write(self, data: bytes) -> None:
        """To the client."""
        assert not self.closed_by
        self.written.append(data)

    def close(self) -> None:
        """The broker is done."""
        self._end("close")

    def abort(self) -> None:
        """The broker gives up."""
        self._end("abort")

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return bool(self.closed_by)

    def pause_reading(self) -> None:
        """Hold the client back."""
        self.is_reading = False

    def resume_reading(self) -> None:
        """Hear it again."""
        self.is_reading = True

    def _end(self, how: str) -> None:
        if not self.closed_by:
            self.closed_by = how
            self.transport.loop.call_soon(lambda: self.transport.connection_lost(None))


class Commits(Committing):
    """Commits when it is told to."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.kicks = 0
        self.busy = False

    def kick(self) -> None:
        """There is something to commit."""
        self.kicks += 1

    def has_work(self) -> bool:
        """Whether the open batch holds messages or definitions."""
        return self.core.store.has_work() or self.core.journal.has_changed

    def is_pressing(self) -> bool:
        """Whether it holds more than acknowledgements."""
        return self.core.store.holds_messages() or self.core.journal.has_changed

    def is_busy(self) -> bool:
        """Whether a commit is said to be under way."""
        return self.busy


class Everybody(Peers):
    """Counts those who left."""

    def __init__(self) -> None:
        self.left = 0

    def peer_connected(self, peer: Peer) -> None:
        """They are not counted."""

    def peer_lost(self, peer: Peer) -> None:
        """One more."""
        self.left += 1


def config(**options: str) -> Config:
    """The configuration with these options, as texts."""
    return load(options, {})


class Hall:
    """One broker for any number of connections."""

    def __init__(self, core: Core | None = None, **options: str) -> None:
        self.core = core or Core()
        self.config = config(**options)
        self.loop = Loop()
        self.flush_set = FlushSet(self.loop, self.core.broker)  # type: ignore[arg-type]  # it plays the part
        self.commits = Commits(self.core)
        self.flush_set.committing = self.commits
        self.alarms = Alarms(self.core.broker.events)
        self.everybody = Everybody()
        users = self.core.broker.users
        self.admission = Admission(self.config, users, [Internal(users)], Asker(), lambda: self.loop.time)
        self.core.write()

    def peer(self, transport: Transport) -> Peer:
        """The server's side of a new connection."""
        return Peer(self.core.broker, self.config, transport, self.alarms, HANDLERS, self.everybody, self.admission)

    def commit(self) -> None:
        """Bring the open batch to disk, and let go what waited for it."""
        self.loop.run()
        self.flush_set.batch_committed(self.core.write())
        self.loop.run()


class ConnectionPair:
    """A client's and the broker's end of one connection."""

    def __init__(self, hall: Hall | None = None, *, host: str = "127.0.0.1") -> None:
        self.hall = hall or Hall()
        self.loop = self.hall.loop
        self.transport = Transport(self.loop, self.hall.flush_set, self.hall.config.handshake_timeout)  # type: ignore[arg-type]
        self.peer = self.hall.peer(self.transport)
        self.socket = Socket(self.transport, host)
        self.transport.connection_made(self.socket)

    @property
    def connection(self) -> Connection:
        """The broker's protocol machine."""
        return self.peer.connection

    def send(self, *data: bytes) -> None:
        """Speak to the broker, in one piece, and let it finish its turn."""
        self.transport.data_received(b"".join(data))
        self.loop.run()

    def heard(self) -> list[Heard]:
        """What the broker newly said."""
        written, self.socket.written = self.socket.written, []
        return hear(b"".join(written))

    def call(self, name: str, *values: object, channel: int = 1) -> Heard:
        """Send one method, commit, and return the only answer."""
        self.send(method(channel, name, *values))
        self.hall.commit()
        (heard,) = self.heard()
        return heard

    def greet(self, password: str = "guest", vhost: str = "/", *, heartbeat: int = 0, **capabilities: bool) -> None:
        """Send everything that opens a connection."""
        names = {name.replace("connection_", "connection."): value for name, value in capabilities.items()}
        properties = tables.encode({"capabilities": cast(object, names)})
        self.send(
            client.HEADER,
            method(0, "connection.start-ok", properties, "PLAIN", b"\0guest\0" + password.encode(), "en_US"),
            method(0, "connection.tune-ok", 2047, 131072, heartbeat),
            method(0, "connection.open", vhost, "", False),
        )


def opened(hall: Hall | None = None, *channels: int, heartbeat: int = 0, **capabilities: bool) -> ConnectionPair:
    """A pair with an open connection and these channels open; what was said so far is forgotten."""
    pair = ConnectionPair(hall)
    pair.greet("guest", "/", heartbeat=heartbeat, **capabilities)
    pair.send(*[method(number, "channel.open", "") for number in channels])
    pair.heard()
    return pair

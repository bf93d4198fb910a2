"""Owners of a protocol machine that write down what they are asked for."""

from amqpd.errors import AmqpError, Undecided
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ChannelHandler, ConnectionHandler
from amqpd.protocol.handshake import Limits
from amqpd.protocol.output import Output
from amqpd.wire.methods import Method
from helpers import client

Events = list[tuple[object, ...]]


class ChannelRecorder(ChannelHandler):
    """One channel's commands."""

    def __init__(self, number: int, events: Events, failures: dict[str, Exception]) -> None:
        self.number = number
        self.events = events
        self.failures = failures

    def _note(self, name: str, *event: object) -> None:
        self.events.append((name, self.number, *event))
        if name in self.failures:
            raise self.failures[name]

    def publish(self, method: bytes, header: bytes, body: bytes) -> None:
        """basic.publish."""
        self._note("basic.publish", method, header, body)

    def publish_again(self) -> None:
        """The message that was undecided."""
        self._note("again")

    def ack(self, delivery_tag: int, multiple: bool) -> None:
        """basic.ack."""
        self._note("basic.ack", delivery_tag, multiple)

    def method(self, method: Method, values: list[object]) -> None:
        """Any other method."""
        self._note(method.name, *values)

    def leaving(self) -> None:
        """The end of the connection is not noted: that of the channel follows."""

    def closed(self) -> None:
        """The end."""
        self.events.append(("closed", self.number))


class Recorder(ConnectionHandler):
    """A connection's commands; it agrees to any limits, and fails at the methods that it is told to fail at."""

    def __init__(self) -> None:
        self.events: Events = []
        self.failures: dict[str, Exception] = {}
        self.allowances: list[int] = []
        """What is answered to the next questions for more frames; then there is no limit."""
        self.output = Output([])
        self.connection = Connection(self, self.output, 100_000)

    def feed(self, *data: bytes) -> Events:
        """Give these bytes to the machine, piece by piece; return what was newly asked for."""
        known = len(self.events)
        for piece in data:
            self.connection.receive_data(piece)
        return self.events[known:]

    def heard(self) -> list[client.Heard]:
        """What the machine newly sent."""
        return client.hear(self.output.take())

    def method(self, method: Method, values: list[object]) -> None:
        """A method on channel 0."""
        self.events.append((method.name, 0, *values))
        if method.name in self.failures:
            raise self.failures[method.name]
        if method.name == "connection.tune-ok":
            channel_max, frame_max, heartbeat = (int(str(value)) for value in values)
            self.connection.limits = Limits(channel_max, frame_max, heartbeat)

    def open_channel(self, number: int) -> ChannelHandler:
        """A channel opens."""
        self.events.append(("open", number))
        if "open" in self.failures:
            raise self.failures["open"]
        return ChannelRecorder(number, self.events, self.failures)

    def allowance(self) -> int:
        """As many frames as the test says."""
        return self.allowances.pop(0) if self.allowances else 1

    def undecided(self, question: Undecided) -> None:
        """A question is asked."""
        self.events.append(("undecided", question.subject))

    def closing(self, reason: str, after_frame_error: bool) -> None:
        """connection.close was sent."""
        self.events.append(("closing", reason, after_frame_error))

    def dropped(self, reason: str, at_once: bool) -> None:
        """The handshake failed."""
        self.events.append(("dropped", reason, at_once))

    def channel_failed(self, number: int, reason: str) -> None:
        """channel.close was sent."""
        self.events.append(("channel_failed", number, reason))

    def crashed(self, error: Exception) -> None:
        """A defect."""
        self.events.append(("crashed", error))


START_OK = client.method(0, "connection.start-ok", b"", "PLAIN", b"\0guest\0guest", "en_US")
OPEN = client.method(0, "connection.open", "/", "", False)


def tune_ok(channel_max: int = 0, frame_max: int = 4096, heartbeat: int = 0) -> bytes:
    """A connection.tune-ok frame."""
    return client.method(0, "connection.tune-ok", channel_max, frame_max, heartbeat)


def handshake(frame_max: int = 4096) -> bytes:
    """Everything that a client sends until its connection is open."""
    return client.HEADER + START_OK + tune_ok(frame_max=frame_max) + OPEN


def opened(*channels: int, frame_max: int = 4096) -> Recorder:
    """A recorder with a running connection and these channels open; what it recorded so far is forgotten."""
    recorder = Recorder()
    recorder.feed(handshake(frame_max), *[client.method(number, "channel.open", "") for number in channels])
    recorder.output.take()
    recorder.events.clear()
    return recorder


def failing(name: str, error: AmqpError | Exception, *channels: int) -> Recorder:
    """A recorder with a running connection that fails at the method of this name."""
    recorder = opened(*channels)
    recorder.failures[name] = error
    return recorder

import pytest

from amqpd.broker.clock import Clock
from amqpd.broker.events import Events
from amqpd.server.alarms import DISK, MEMORY, STORE, WATERMARK, Alarms, Blockable
from amqpd.wire.frames import HEARTBEAT_FRAME
from helpers.client import body_frame, content_header, header_frame, method, publish
from helpers.pair import ConnectionPair, Hall, opened


class Publisher(Blockable):
    """Writes down what happens to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.stops: list[bool] = []

    def stop_at_content(self, stops: bool) -> None:
        """To be stopped, or not."""
        self.stops.append(stops)

    def block(self, reason: str) -> None:
        """Blocked."""
        self.told.append(reason)

    def unblock(self) -> None:
        """Unblocked."""
        self.told.append("")


@pytest.mark.parametrize(
    ("low", "reason"),
    [((MEMORY,), "low on memory"), ((DISK,), "low on disk"), ((DISK, MEMORY), "low on memory & disk")],
)
def test_publishers_are_told_why(low: tuple[str, ...], reason: str) -> None:
    """In RabbitMQ's words, once, and again when all is well."""
    alarms, publisher = Alarms(Events(Clock())), Publisher()
    active = [alarms.active]
    for resource in low:
        alarms.set(resource, WATERMARK)
    active.append(alarms.active)
    for _ in range(2):
        alarms.publisher_seen(publisher)
    for resource in low:
        alarms.clear(resource, WATERMARK)
    active.append(alarms.active)
    assert [False, True, False] == active
    assert [reason, ""] == publisher.told


def test_an_alarm_has_several_causes() -> None:
    """It ends with the last of them (2)."""
    alarms = Alarms(Events(Clock()))
    alarms.set(DISK, WATERMARK)
    alarms.set(DISK, STORE)
    alarms.clear(DISK, WATERMARK)
    alarms.clear(MEMORY, WATERMARK)
    assert [DISK] == alarms.low()
    alarms.clear(DISK, STORE)
    assert [] == alarms.low()


def test_who_left_is_not_unblocked() -> None:
    """A connection that is gone is forgotten."""
    alarms, publisher = Alarms(Events(Clock())), Publisher()
    alarms.set(DISK, STORE)
    alarms.publisher_seen(publisher)
    alarms.forget(publisher)
    alarms.clear(DISK, STORE)
    assert ["low on disk"] == publisher.told


def test_everybody_is_stopped_when_he_publishes() -> None:
    """Whoever is there when an alarm begins and whoever comes later, once, until all is well; who left is not."""
    alarms, early, late, gone = Alarms(Events(Clock())), Publisher(), Publisher(), Publisher()
    alarms.add(early)
    alarms.add(gone)
    alarms.forget(gone)
    alarms.set(DISK, STORE)
    alarms.add(late)
    alarms.set(MEMORY, WATERMARK)
    alarms.clear(DISK, STORE)
    assert [[True], [True], []] == [early.stops, late.stops, gone.stops]
    alarms.clear(MEMORY, WATERMARK)
    assert [[True, False], [True, False], []] == [early.stops, late.stops, gone.stops]


def publisher(*channels: int, heartbeat: int = 0) -> ConnectionPair:
    """A connection with a queue to publish to."""
    pair = opened(Hall(), *channels, heartbeat=heartbeat, connection_blocked=True)
    pair.call("queue.declare", 0, "q", False, True, False, False, False, b"")
    return pair


def blocked(heartbeat: int = 0) -> ConnectionPair:
    """A connection that published during an alarm."""
    pair = publisher(1, heartbeat=heartbeat)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(publish(1, "", "q", b"first"))
    assert [("connection.blocked", ["low on memory"])] == [heard[1:3] for heard in pair.heard()]
    return pair


def ready(pair: ConnectionPair) -> int:
    """How many messages are in the queue."""
    return pair.hall.core.vhost.queues["q"].ready.count


def test_input_waits_for_the_end_of_the_alarm() -> None:
    """What a blocked connection sends meanwhile is not lost, and comes in its order."""
    pair = blocked()
    for body in (b"second", b"third"):
        pair.send(publish(1, "", "q", body))
    assert ready(pair) == 0
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    pair.loop.run()
    assert ready(pair) == 3
    assert ["connection.unblocked"] == [heard.name for heard in pair.heard()]
    assert [(1, b"first"), (2, b"second"), (3, b"third")] == [
        (tag, pair.call("basic.get", 0, "q", False).body) for tag in (1, 2, 3)
    ]


def test_a_publisher_that_repeats_itself_is_stopped() -> None:
    """Nothing of what it sends at once after an alarm began is taken, all of it when the alarm is over."""
    pair = publisher(1)
    message = publish(1, "", "q", b"x")
    pair.send(message * 5)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(message * 5)
    assert ready(pair) == 5
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    pair.send(message * 5)
    assert ready(pair) == 15


def test_reading_stops_with_a_content_frame() -> None:
    """basic.publish alone is nothing yet; with the content header the connection is blocked, and the body waits."""
    pair = publisher(1, 2)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    start = method(1, "basic.publish", 0, "", "q", False, False)
    pair.send(start, method(2, "channel.flow", True))
    assert ["channel.flow-ok"] == [heard.name for heard in pair.heard()]
    pair.send(header_frame(1, content_header(1)), method(2, "channel.flow", True), body_frame(1, b"x"))
    assert ["connection.blocked"] == [heard.name for heard in pair.heard()]
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    pair.loop.run()
    assert ["connection.unblocked", "channel.flow-ok"] == [heard.name for heard in pair.heard()]
    assert ready(pair) == 1


def test_a_message_that_an_alarm_cuts_in_two() -> None:
    """The frame that is heard last may complete it, as RabbitMQ has it; so may a header, if there is no body."""
    pair = publisher(1)
    message = publish(1, "", "q", b"x")
    pair.send(message[:-9])
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(message[-9:], message)
    assert (1, ["connection.blocked"]) == (ready(pair), [heard.name for heard in pair.heard()])
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(publish(1, "", "q", b"") * 2)
    assert ready(pair) == 3


def test_who_connects_during_an_alarm_is_stopped() -> None:
    """As those who were there before."""
    pair = publisher(1)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    late = opened(pair.hall, 1, connection_blocked=True)
    late.send(publish(1, "", "q", b"x"))
    assert (0, ["connection.blocked"]) == (ready(pair), [heard.name for heard in late.heard()])


def test_a_blocked_consumer_goes_on() -> None:
    """It gets what others make ready, while its own acknowledgements wait."""
    pair = publisher(1)
    pair.call("basic.qos", 0, 1, False)
    pair.call("basic.consume", 0, "q", "c", False, False, False, False, b"")
    pair.send(publish(1, "", "q", b"1") + publish(1, "", "q", b"2"))
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(publish(1, "", "q", b"3"), method(1, "basic.ack", 1, False))
    assert ["basic.deliver", "connection.blocked"] == [heard.name for heard in pair.heard()]
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    pair.loop.run()
    assert [("connection.unblocked", b""), ("basic.deliver", b"2")] == [(heard.name, heard.body) for heard in pair.heard()]


def test_a_publisher_may_leave_in_the_same_breath() -> None:
    """What it sent before connection.close, or before it ended the stream, is taken."""
    for goodbye in (method(0, "connection.close", 200, "bye", 10, 50), b""):
        pair = publisher(1)
        pair.hall.alarms.set(MEMORY, WATERMARK)
        pair.send(publish(1, "", "q", b"x") * 2, goodbye)
        pair.transport.connection_lost(None)
        assert ready(pair) == 2


def test_a_closed_channel_does_not_lift_the_block() -> None:
    """What is published on other channels after it waits again."""
    pair = publisher(1, 2)
    pair.hall.alarms.set(MEMORY, WATERMARK)
    pair.send(publish(1, "", "q", b"x"), method(1, "channel.close", 200, "bye", 10, 50))
    pair.send(publish(2, "", "q", b"y"))
    assert ready(pair) == 1
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    assert ready(pair) == 2


def test_heartbeats_go_on() -> None:
    """A blocked client is sent heartbeats, and is not given up for its silence."""
    pair = blocked(heartbeat=10)
    for _ in range(20):
        pair.socket.written.clear()
        pair.loop.advance(10)
        assert HEARTBEAT_FRAME in pair.socket.written
    assert pair.socket.closed_by == ""


def test_little_is_kept_of_a_blocked_connection() -> None:
    """More than 64 KiB stay in the socket; the end of the alarm frees it."""
    pair = blocked()
    pair.send(publish(1, "", "q", bytes(70_000)))
    is_reading = [pair.socket.is_reading]
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    is_reading.append(pair.socket.is_reading)
    assert [False, True] == is_reading
    assert ready(pair) == 2


def test_a_blocked_connection_can_be_closed_by_its_client() -> None:
    """channel.close and connection.close are heard, and what stood before them too."""
    pair = blocked()
    pair.send(publish(1, "", "q", b"second"))
    assert ready(pair) == 0
    assert pair.call("channel.close", 200, "bye", 10, 50).name == "channel.close-ok"
    pair.send(method(0, "connection.close", 200, "bye", 10, 50))
    pair.hall.commit()
    assert ["connection.close-ok"] == [heard.name for heard in pair.heard()]
    assert ready(pair) == 2


def test_a_blocked_connection_can_be_closed_by_the_broker() -> None:
    """Its close-ok is heard."""
    pair = blocked()
    pair.hall.flush_set.begin()
    pair.peer.force_close("shutdown")
    pair.loop.run()
    pair.send(method(0, "connection.close-ok"))
    assert pair.socket.closed_by == "close"


def test_a_false_goodbye_is_believed_once() -> None:
    """Bodies that end like connection.close do not get a publisher around the alarm."""
    pair = blocked()
    lie = publish(1, "", "q", method(0, "connection.close", 200, "", 0, 0))[:-1]
    assert lie.endswith(b"\xce")
    for _ in range(3):
        pair.send(lie)
        pair.send(b"\xce")
    assert ready(pair) == 1
    pair.hall.alarms.clear(MEMORY, WATERMARK)
    assert ready(pair) == 4


def test_a_connection_that_publishes_too_fast_rests() -> None:
    """It is not heard until its debt is paid; its state tells so."""
    hall = Hall()
    hall.core.broker.pace.limit_user("guest", 2)
    pair = opened(hall, 1)
    pair.call("queue.declare", 0, "q", False, True, False, False, False, b"")
    pair.send(publish(1, "", "q", b"x") * 3)
    pair.send(publish(1, "", "q", b"x"))
    (connection,) = hall.core.broker.connections.open
    assert (3, "flow") == (ready(pair), connection.state())
    pair.loop.advance(0.5)
    assert ready(pair) == 4

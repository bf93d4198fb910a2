"""Content framing: method, header and body frames in order and out of order, and how writes may be cut."""

import struct

from conformance.broker import Broker
from conformance.cases.framing import CONTENT, METHODS, SPEC, body, framing, header, publish
from conformance.catalogue import EXTENSION, SHOULD
from conformance.client.connection import Connection
from conformance.mismatch import equal
from conformance.wire import frames
from conformance.wire.frames import Frame
from conformance.wire.methods import encode_method

# Order of content frames


@framing.case(
    "content.header-without-method", "A content header without a method before it ends the connection with 505", CONTENT
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(header(channel, 1))
    connection.must_end(505)


@framing.case("content.body-without-method", "A content body without a method before it ends the connection with 505", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(body(channel, b"x"))
    connection.must_end(505)


@framing.case("content.body-instead-of-header", "A body frame where the content header must come is answered with 505", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), body(channel, b"x"))
    connection.must_end(505)


@framing.case("content.method-instead-of-header", "A method where the content header must come is answered with 505", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), channel.method_frame("basic.qos", prefetch_count=1))
    connection.must_end(505)


@framing.case("content.method-instead-of-body", "A method while the body is incomplete is answered with 505", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 2), body(channel, b"x"), publish(channel))
    connection.must_end(505)


@framing.case(
    "content.header-instead-of-body",
    "A second content header while the body is incomplete is answered with 505",
    CONTENT,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 2), header(channel, 2))
    connection.must_end(505)


@framing.table(
    "content.header-of-class",
    "A content header of class {} behind basic.publish is answered with 505",
    CONTENT,
    [(str(class_id), class_id) for class_id in (0, 10, 50, 61, 90)],
)
def _(broker: Broker, class_id: int) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 1, class_id))
    connection.must_end(505)


@framing.table(
    "content.body-too-long",
    "A body {} octets longer than its header says ends the connection with 501",
    CONTENT,
    [("1", 1), ("1000", 1000)],
    deviations={
        "*": {"RabbitMQ 3.10": "RabbitMQ bug: it takes the octets as they are and waits for more; newer versions send 501"}
    },
)
def _(broker: Broker, surplus: int) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 4), body(channel, bytes(4 + surplus)))
    connection.must_end(501)


@framing.case("content.body-after-empty", "A body frame behind a header of body size zero is answered with 505", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 0), body(channel, b"x"))
    connection.must_end(505)


@framing.table(
    "content.absurd-size",
    "A content header that announces {} octets does not make the broker wait for them: the connection or channel ends",
    "RabbitMQ max_message_size",
    [("2^40", 2**40), ("2^63", 2**63), ("2^64-1", 2**64 - 1)],
    EXTENSION,
    deviations={"*": {"RabbitMQ 3.10": "version difference: it checks the size when the body is complete, newer ones at once"}},
)
def _(broker: Broker, size: int) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, size), body(channel, b"x"))
    event = channel.wait("channel.close", "connection.close") if connection.inbox(1) else None
    if event is None:
        connection.must_end(501)


@framing.case("content.weight", "The weight field of a content header must be zero: another is refused", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.send_frames(publish(channel), header(channel, 1, weight=7), body(channel, b"x"))
    connection.must_end(501, 502, 505)


@framing.case("content.interleaved-channels", "Contents of two channels may interleave frame by frame", CONTENT)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    connection.send_frames(
        publish(first, queue),
        publish(second, queue),
        header(first, 4),
        header(second, 4),
        body(first, b"1a"),
        body(second, b"2a"),
        body(second, b"2b"),
        body(first, b"1b"),
    )
    second.fence()
    equal("bodies", {"1a1b", "2a2b"}, {first.await_get(queue).body.decode() for _ in range(2)})


@framing.case("content.interleaved-methods", "Methods of another channel may come between the frames of a content", CONTENT)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    connection.send_frames(publish(first, queue), header(first, 2), body(first, b"a"))
    second.call("basic.qos", prefetch_count=3)
    connection.send_frames(body(first, b"b"))
    equal("body", b"ab", first.must_get(queue).body)


@framing.case("content.heartbeat-between", "A heartbeat may come between the frames of a content", CONTENT)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    connection.send_frames(publish(channel, queue), header(channel, 2))
    connection.heartbeat()
    connection.send_frames(body(channel, b"ab"))
    equal("body", b"ab", channel.must_get(queue).body)


@framing.case("content.abandoned", "A content cut off by the end of the connection is not a message", CONTENT)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    connection, channel = broker.connected()
    connection.send_frames(publish(channel, queue), header(channel, 10), body(channel, b"half"))
    channel.stream.link.drop()
    broker.connect().close()
    equal("messages", 0, observer.count(queue))


@framing.case(
    "content.abandoned.channel-close",
    "channel.close ends an incomplete content; the connection lives on or gets 505",
    CONTENT,
    SHOULD,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    frames_of_half = publish(channel), header(channel, 10), body(channel, b"half")
    connection.send_frames(*frames_of_half, channel.method_frame("channel.close", reply_code=200))
    connection.must_end(505)


# How octets are cut into writes


@framing.table(
    "writes.slices",
    "Declare, publish and get work when the octets come {} at a time",
    SPEC,
    [("1", 1), ("2", 2), ("3", 3), ("7", 7), ("8", 8), ("100", 100)],
)
def _(broker: Broker, size: int) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    outgoing = [*channel.content_frames(b"sliced", {"priority": 1}, routing_key=queue)]
    connection.link.send_slices([*outgoing, channel.method_frame("basic.get", queue=queue, no_ack=True)], size)
    equal("body", b"sliced", channel.wait("basic.get-ok").body)


@framing.case("writes.merged", "A hundred messages and a get in one write are all handled, in order", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    outgoing = [frame for n in range(100) for frame in channel.content_frames(b"%d" % n, {}, routing_key=queue)]
    connection.send_frames(*outgoing)
    channel.must_hold(queue, *map(str, range(100)))


@framing.case("writes.many-channels", "Opening fifty channels in one write gives fifty answers", SPEC)
def _(broker: Broker) -> None:
    connection = broker.connect()
    channels = [connection.bare_channel() for _ in range(50)]
    connection.send_frames(*(channel.method_frame("channel.open") for channel in channels))
    for channel in channels:
        channel.wait("channel.open-ok")


# Broken methods


@framing.table(
    "methods.unknown",
    "The unknown method {} ends the connection",
    METHODS,
    [
        ("class-99", 99, 10),
        ("basic-99", 60, 99),
        ("class-0", 0, 0),
        ("queue-99", 50, 99),
        ("class-65535", 65535, 65535),
    ],
)
def _(broker: Broker, class_id: int, method_id: int) -> None:
    connection, channel = broker.connected()
    connection.send_frames(Frame(frames.METHOD, channel.number, struct.pack(">HH", class_id, method_id)))
    end_by_any_code(connection)


def end_by_any_code(connection: Connection) -> None:
    """The connection must end; the code is the broker's choice among the hard errors."""
    connection.must_end(501, 502, 503, 505, 540, 541)


@framing.table(
    "methods.truncated",
    "A {} frame whose arguments are cut off ends the connection",
    METHODS,
    [(name, name) for name in ("queue.declare", "basic.publish", "basic.ack", "exchange.declare", "basic.qos")],
)
def _(broker: Broker, name: str) -> None:
    connection, channel = broker.connected()
    payload = encode_method(name, {})
    connection.send_frames(Frame(frames.METHOD, channel.number, payload[: len(payload) - 2 if len(payload) > 6 else 5]))
    end_by_any_code(connection)


@framing.table(
    "methods.empty-payload",
    "A method frame with {} octets of payload ends the connection",
    METHODS,
    [("0", 0), ("1", 1), ("3", 3)],
)
def _(broker: Broker, size: int) -> None:
    connection, channel = broker.connected()
    connection.send_frames(Frame(frames.METHOD, channel.number, bytes(size)))
    end_by_any_code(connection)


@framing.table(
    "methods.overrun",
    "A {} that is longer than its frame ends the connection",
    METHODS,
    [
        ("short string", encode_method("queue.declare", {})[:6] + b"\xff" + b"q" * 5),
        ("table", encode_method("queue.declare", {"queue": "q"})[:-4] + b"\xff\xff\xff\xff"),
    ],
)
def _(broker: Broker, payload: bytes) -> None:
    connection, channel = broker.connected()
    connection.send_frames(Frame(frames.METHOD, channel.number, payload))
    end_by_any_code(connection)


def table_of(entry: bytes) -> bytes:
    """A queue.declare whose arguments are these octets."""
    return encode_method("queue.declare", {"exclusive": True})[:-4] + struct.pack(">I", len(entry)) + entry


@framing.table(
    "tables.broken",
    "A field table with {} ends the connection",
    "AMQP 0-9-1 4.2.5.5 Field tables",
    [
        ("an unknown tag", table_of(b"\x01kZ1234")),
        ("a name that overruns", table_of(b"\x20k")),
        ("a value that overruns", table_of(b"\x01kS\x00\x00\x00\xffabc")),
        ("a number cut off", table_of(b"\x01kl1234")),
        ("a nested table that overruns", table_of(b"\x01kF\x00\x00\x00\x10\x01a")),
        ("an array that overruns", table_of(b"\x01kA\x00\x00\x00\x10t")),
        ("a name without a value", table_of(b"\x01k")),
    ],
)
def _(broker: Broker, payload: bytes) -> None:
    connection, channel = broker.connected()
    connection.send_frames(Frame(frames.METHOD, channel.number, payload))
    end_by_any_code(connection)


@framing.case("framing.other-connections", "A broken frame ends its own connection and no other", SPEC)
def _(broker: Broker) -> None:
    bystander, connection = broker.connect(), broker.connect()
    connection.send_frames(Frame(7, 0, b""))
    connection.must_end(501)
    bystander.must_live()

"""Channels: opening, closing, flow, and what an error on one of them means for the others."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import BEYOND, EXTENSION, SHOULD, Area
from conformance.mismatch import equal, require

channels = Area("channels", "Channels")

OPEN = "AMQP 0-9-1 channel.open"
CLOSE = "AMQP 0-9-1 channel.close"
FLOW = "AMQP 0-9-1 channel.flow"


@channels.case("channel.open", "channel.open is answered with open-ok", OPEN)
def _(broker: Broker) -> None:
    broker.connect().bare_channel(1).call("channel.open")


@channels.case("channel.open.reserved", "The reserved argument of channel.open is ignored", OPEN, SHOULD)
def _(broker: Broker) -> None:
    broker.connect().bare_channel(1).call("channel.open", reserved_1="out-of-band")


@channels.case("channel.open.twice", "Opening an open channel closes the connection with 504", OPEN)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.send("channel.open")
    connection.must_close(504, "channel.open")


@channels.case("channel.open.any-order", "Channel numbers may be opened in any order", OPEN)
def _(broker: Broker) -> None:
    connection = broker.connect()
    for number in (7, 3, 5, 1):
        connection.channel(number)


@channels.table(
    "channel.not-open",
    "{} on a channel that was never opened closes the connection with 504",
    OPEN,
    [
        ("queue.declare", "queue.declare", {}),
        ("exchange.declare", "exchange.declare", {"exchange": "x", "type": "direct"}),
        ("basic.ack", "basic.ack", {"delivery_tag": 1}),
        ("basic.qos", "basic.qos", {}),
        ("tx.select", "tx.select", {}),
        ("confirm.select", "confirm.select", {}),
        ("channel.flow", "channel.flow", {"active": True}),
    ],
)
def _(broker: Broker, name: str, arguments: dict[str, Any]) -> None:
    connection = broker.connect()
    connection.bare_channel(3).send(name, **arguments)
    connection.must_close(504)


@channels.case("channel.not-open.publish", "Publishing on a channel that was never opened closes the connection with 504", OPEN)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.bare_channel(3).publish(b"m")
    connection.must_close(504)


@channels.case("channel.close", "channel.close is answered with close-ok", CLOSE)
def _(broker: Broker) -> None:
    broker.channel().call("channel.close", reply_code=200, reply_text="bye")


@channels.case("channel.close.reopen", "The number of a closed channel can be opened again", CLOSE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    for _ in range(20):
        channel.close()
        channel.call("channel.open")


@channels.case(
    "channel.close.reopen-at-once",
    "Close and open of one number may come in one write, without waiting for close-ok",
    CLOSE,
    BEYOND,
    deviations={"RabbitMQ 3.10": "it ignores channel.open until the channel has ended; clients should wait for close-ok"},
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    close, reopen = channel.method_frame("channel.close", reply_code=200), channel.method_frame("channel.open")
    connection.send_frames(close, reopen, close, reopen)
    for name in ("channel.close-ok", "channel.open-ok") * 2:
        equal("reply", name, channel.next().name)


@channels.case(
    "channel.close.never-opened",
    "Closing a channel that is not open is not answered with success",
    CLOSE,
    SHOULD,
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.bare_channel(9).send("channel.close", reply_code=200)
    connection.must_end(503, 504, 505)


@channels.case("channel.close.method-after", "A method on a closed channel closes the connection with 504", CLOSE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.close()
    channel.send("basic.qos")
    connection.must_close(504)


@channels.case(
    "channel.close.settles", "Closing a channel gives its unacknowledged messages back, in order and redelivered", CLOSE
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    for _ in range(2):
        channel.must_get(queue, no_ack=False)
    channel.close()
    other = connection.channel()
    messages = [other.await_get(queue) for _ in range(3)]
    equal("bodies", [b"a", b"b", b"c"], [message.body for message in messages])
    equal("redelivered", [True, True, False], [message.redelivered for message in messages])


@channels.case("channel.close.consumers", "Closing a channel ends its consumers", CLOSE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.consume(queue)
    channel.close()
    other = connection.channel()
    equal("consumers", 0, other.call("queue.declare", queue=queue, passive=True).consumer_count)


@channels.case("channel.close.tags", "Delivery tags start from 1 again when a channel is reopened", CLOSE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    equal("first tag", 1, channel.must_get(queue).delivery_tag)
    channel.close()
    channel.call("channel.open")
    equal("first tag after reopening", 1, channel.must_get(queue).delivery_tag)


@channels.case("channel.close.frames-before", "What was published before channel.close arrives", CLOSE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish_all(queue, *map(str, range(50)))
    channel.close()
    other = connection.channel()
    other.must_hold(queue, *map(str, range(50)))


# Errors


@channels.case("channel.error.others-live", "A channel error leaves other channels and the connection alone", CLOSE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    other = connection.channel()
    queue = other.queue()
    channel.refuses(404, "queue.declare", queue=broker.name(), passive=True)
    other.publish(b"m", routing_key=queue)
    other.must_hold(queue, "m")


@channels.case("channel.error.reuse", "After close-ok the number of a channel closed by the server can be opened again", CLOSE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    for _ in range(5):
        channel.refuses(404, "queue.declare", queue=broker.name(), passive=True)
        channel.call("channel.open")


@channels.case("channel.error.ignores", "After its channel.close the server ignores all methods until close-ok", CLOSE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    other = connection.channel()
    queue = other.queue()
    channel.send("queue.declare", queue=broker.name(), passive=True)
    for _ in range(10):
        channel.publish(b"ignored", routing_key=queue)
        channel.send("queue.declare", queue=queue, passive=True)
    close = channel.wait("channel.close")
    equal("code", 404, close.reply_code)
    channel.send("basic.ack", delivery_tag=99)
    other.fence(queue)
    equal("messages", 0, other.count(queue))
    require(not channel.inbox, "nothing on the closed channel", channel.inbox)
    channel.send("channel.close-ok")
    channel.call("channel.open")


@channels.case(
    "channel.error.simultaneous",
    "A channel.close that crosses the server's own is answered with close-ok",
    CLOSE,
    SHOULD,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    missing = channel.method_frame("queue.declare", queue=broker.name(), passive=True)
    connection.send_frames(missing, channel.method_frame("channel.close", reply_code=200))
    equal("first", "channel.close", channel.next().name)
    equal("second", "channel.close-ok", channel.next().name)
    channel.send("channel.close-ok")
    connection.must_live()


@channels.case(
    "channel.error.content-in-flight", "Content frames in flight on a channel closed by the server are ignored", CLOSE
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    missing = broker.name("x")
    outgoing = [frame for _ in range(20) for frame in channel.content_frames(b"m", {}, exchange=missing)]
    connection.send_frames(*outgoing)
    channel.must_close(404, "basic.publish")
    connection.must_live()


@channels.case("channel.error.hundred", "A hundred channel errors do not wear a connection out", CLOSE)
def _(broker: Broker) -> None:
    connection = broker.connect()
    for _ in range(100):
        channel = connection.channel(1)
        channel.publish(b"", exchange="missing." + broker.name("x"))
        channel.must_close(404, "basic.publish")
    connection.must_live()


@channels.case(
    "channel.error.reply-text",
    "The text of a close starts with the name of its code",
    "RabbitMQ: reply text",
    EXTENSION,
)
def _(broker: Broker) -> None:
    close = broker.channel().refuses(404, "queue.declare", queue=broker.name(), passive=True)
    require(close.reply_text.startswith("NOT_FOUND - "), "NOT_FOUND - …", close.reply_text)


@channels.case(
    "channel.error.reply-text.long",
    "A reply text that would be longer than 255 octets is cut, not refused",
    "AMQP 0-9-1 4.2.5.3 Strings",
)
def _(broker: Broker) -> None:
    close = broker.channel().refuses(404, "queue.declare", queue="q" * 255, passive=True)
    require(0 < len(close.reply_text) <= 255, "at most 255 octets", close.reply_text)


@channels.table(
    "channel.server-method",
    "{}, which only servers send, closes the connection",
    "AMQP 0-9-1 1.4 (methods by role)",
    [
        (name, name)
        for name in (
            "queue.declare-ok",
            "basic.consume-ok",
            "basic.get-empty",
            "basic.qos-ok",
            "exchange.declare-ok",
            "tx.commit-ok",
        )
    ],
)
def _(broker: Broker, name: str) -> None:
    connection, channel = broker.connected()
    channel.send(name)
    connection.must_end(501, 502, 503, 505, 540)


# Flow


@channels.case("channel.flow.active", "channel.flow active=true is answered with flow-ok active=true", FLOW)
def _(broker: Broker) -> None:
    equal("active", True, broker.channel().call("channel.flow", active=True).active)


@channels.case(
    "channel.flow.inactive",
    "channel.flow active=false stops deliveries until active=true",
    FLOW,
    BEYOND,
    deviations={"RabbitMQ 3.10": "RabbitMQ does not implement it: 540; it recommends basic.qos instead"},
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, no_ack=True)
    equal("active", False, channel.call("channel.flow", active=False).active)
    channel.publish(b"m", routing_key=queue)
    channel.call("queue.declare", queue=queue, passive=True)
    require(not channel.inbox, "no delivery", channel.inbox)
    channel.call("channel.flow", active=True)
    channel.must_receive("m")


@channels.case(
    "channel.flow.not-implemented",
    "channel.flow active=false is refused with 540 where it is not implemented",
    "RabbitMQ: channel.flow",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.send("channel.flow", active=False)
    connection.must_close(540, "channel.flow")


@channels.case(
    "channel.access-request",
    "access.request of AMQP 0-8 is answered with a ticket",
    "RabbitMQ: access.request",
    EXTENSION,
)
def _(broker: Broker) -> None:
    broker.channel().call("access.request", realm="/data", active=True, write=True, read=True)


@channels.case("channel.many", "Five hundred channels work on one connection", OPEN)
def _(broker: Broker) -> None:
    connection = broker.connect()
    opened = [connection.channel() for _ in range(500)]
    queue = opened[0].queue()
    for channel in opened:
        channel.publish(b"m", routing_key=queue)
        channel.close()
    connection.channel().must_count(queue, 500)


@channels.case(
    "channel.independent-order",
    "Each channel keeps the order of its own publishes",
    "AMQP 0-9-1 4.7 Content ordering guarantees",
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    first, second = connection.channel(), connection.channel()
    queue = first.queue()
    for n in range(50):
        first.publish(f"1.{n}", routing_key=queue)
        second.publish(f"2.{n}", routing_key=queue)
    first.fence()
    second.fence()
    first.must_count(queue, 100)
    bodies = first.bodies(queue)
    for channel in "12":
        equal(f"order of channel {channel}", [f"{channel}.{n}" for n in range(50)], [b for b in bodies if b[0] == channel])

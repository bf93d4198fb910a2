"""Connections: opening the virtual host, closing in order and out of order, client properties, TLS."""

import time

from conformance.broker import Broker
from conformance.cases.handshake import LIFE, PATIENCE, before_open, handshake, method
from conformance.catalogue import EXTENSION, SHOULD
from conformance.client.link import Disconnected
from conformance.mismatch import Mismatch, equal, require
from conformance.wire.frames import PROTOCOL_HEADER

# connection.open


@handshake.case(
    "connection.open.missing-vhost",
    "A virtual host that does not exist is refused with 530",
    "RabbitMQ: connection.open",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = before_open(broker)
    connection.send("connection.open", virtual_host=broker.name("vhost"))
    connection.must_close(530, "connection.open")


@handshake.case(
    "connection.open.invalid-path",
    "A virtual host that does not exist is refused by closing the connection",
    "AMQP 0-9-1 connection.open",
)
def _(broker: Broker) -> None:
    connection = before_open(broker)
    connection.send("connection.open", virtual_host=broker.name("vhost"))
    connection.must_end(402, 530, 403, 404)


@handshake.case(
    "connection.open.slash-is-no-magic",
    "The virtual host is taken literally: `//` is not `/`",
    "AMQP 0-9-1 connection.open.virtual-host",
)
def _(broker: Broker) -> None:
    connection = before_open(broker)
    connection.send("connection.open", virtual_host="/" + broker.vhost)
    connection.must_end(402, 530, 403, 404)


@handshake.case(
    "connection.open.reserved",
    "The reserved arguments of connection.open are ignored",
    "AMQP 0-9-1 connection.open",
    SHOULD,
)
def _(broker: Broker) -> None:
    connection = before_open(broker)
    connection.call("connection.open", virtual_host=broker.vhost, reserved_1="capabilities", reserved_2=True)


# The end


@handshake.case("connection.close", "connection.close is answered with close-ok", "AMQP 0-9-1 connection.close")
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.call("connection.close", reply_code=200, reply_text="Goodbye")


@handshake.case(
    "connection.close.tcp",
    "After close-ok the server leaves it to the client to close TCP, as clients take an early end for an error",
    "RabbitMQ: connection.close (lapin relies on it)",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.call("connection.close", reply_code=200)
    try:
        connection.pump(time.monotonic() + 0.3)
    except TimeoutError:
        return
    except Disconnected:
        raise Mismatch("TCP still open", "the broker closed the TCP connection") from None


@handshake.case(
    "connection.close.any-code", "The client may close with any reply code", "AMQP 0-9-1 connection.close.reply-code"
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.call("connection.close", reply_code=541, reply_text="x" * 255, class_id=60, method_id=40)


@handshake.case(
    "connection.close.channels-open",
    "connection.close needs no closed channels, and ends their consumers",
    "AMQP 0-9-1 connection.close",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    channel.consume(queue)
    connection.close()
    equal("consumers", 0, observer.call("queue.declare", queue=queue, passive=True).consumer_count)


@handshake.case("connection.close.frames-after", "Frames behind connection.close are ignored", "AMQP 0-9-1 connection.close")
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    outgoing = [method("connection.close", reply_code=200), *channel.content_frames(b"late", {}, routing_key=queue)]
    connection.send_frames(*outgoing)
    connection.wait("connection.close-ok")
    equal("messages", 0, observer.count(queue))


@handshake.case(
    "connection.close.before-it",
    "What was published just before connection.close arrives",
    "AMQP 0-9-1 connection.close",
)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    connection, channel = broker.connected()
    close = method("connection.close", reply_code=200)
    connection.send_frames(*channel.content_frames(b"last", {}, routing_key=queue), close)
    connection.wait("connection.close-ok")
    observer.must_hold(queue, "last")


@handshake.case(
    "connection.close.exclusive-queues",
    "Exclusive queues are deleted before close-ok is sent",
    "RabbitMQ: exclusive queues",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    connection.close()
    broker.channel().refuses(404, "queue.declare", queue=queue, passive=True)


@handshake.case(
    "connection.close.during-open",
    "A client may close instead of opening a virtual host",
    "AMQP 0-9-1 connection.close",
    SHOULD,
    deviations={"RabbitMQ 3.10": "it answers 504; the specification allows close at any time after start"},
)
def _(broker: Broker) -> None:
    connection = before_open(broker)
    connection.send("connection.close", reply_code=200)
    try:
        connection.wait("connection.close-ok")
    except Mismatch as mismatch:
        require("closed the TCP" in mismatch.observed, "close-ok or the end of the connection", mismatch.observed)


@handshake.case(
    "connection.close.server-waits",
    "After its own connection.close the server ignores everything but close-ok",
    "AMQP 0-9-1 connection.close",
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.send_frames(method("channel.open"), method("channel.open", 1), method("queue.declare", 1))
    connection.must_end(503, 504, 505)
    require(not connection.inbox(1), "no answers on channel 1")


@handshake.case(
    "connection.abort",
    "A client that vanishes leaves no consumers and no exclusive queues behind",
    "AMQP 0-9-1 queue.declare.exclusive",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.consume(queue)
    connection.drop()
    broker.channel().must_be_gone("queue", queue)


@handshake.case("connection.half-closed", "A client that sends the end of the stream is disconnected", LIFE, SHOULD)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.link.stop_sending()
    connection.must_drop()


@handshake.case(
    "connection.update-secret",
    "connection.update-secret is answered with update-secret-ok",
    "RabbitMQ: connection.update-secret",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.call("connection.update-secret", new_secret="new", reason="rotated")  # noqa: S106
    connection.must_live()


@handshake.case(
    "connection.client-properties",
    "Nested tables and unknown client properties are accepted",
    "AMQP 0-9-1 connection.start-ok.client-properties",
)
def _(broker: Broker) -> None:
    properties = {"nested": {"deep": [1, {"x": None}]}, "unknown": b"\xff\xfe", "connection_name": "conformance"}
    broker.connect(properties=properties).must_live()


@handshake.case(
    "connection.client-properties.none",
    "An empty client properties table is accepted",
    "AMQP 0-9-1 connection.start-ok.client-properties",
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.start()
    connection.send("connection.start-ok", mechanism="PLAIN", response=broker.credentials(), locale="en_US")
    connection.wait("connection.tune")


@handshake.case(
    "connection.client-properties.too-large",
    "Client properties beyond the frame size allowed before tuning are refused",
    "AMQP 0-9-1 4.2.3 (frame-min-size)",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.start()
    connection.start_ok(broker.credentials(), padding="x" * 20000)
    connection.must_end(501, timeout=PATIENCE)


@handshake.case(
    "connection.locale",
    "An unknown locale does not prevent the connection",
    "AMQP 0-9-1 connection.start-ok.locale",
    SHOULD,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.start()
    connection.start_ok(broker.credentials(), locale="xx_XX")
    connection.wait("connection.tune")


@handshake.case("tls.handshake", "The handshake over TLS is the same", "AMQP 0-9-1 with TLS", EXTENSION, needs=["tls"])
def _(broker: Broker) -> None:
    connection = broker.dial(tls=True)
    connection.start()
    connection.start_ok(broker.credentials())
    connection.tune_ok(connection.wait("connection.tune"))
    connection.open(broker.vhost)
    connection.must_live()


@handshake.case(
    "tls.slices", "A message larger than a TLS record arrives whole", "AMQP 0-9-1 with TLS", EXTENSION, needs=["tls"]
)
def _(broker: Broker) -> None:
    connection = broker.dial(tls=True)
    connection.start()
    connection.start_ok(broker.credentials())
    connection.tune_ok(connection.wait("connection.tune"))
    connection.open(broker.vhost)
    channel = connection.channel()
    queue = channel.queue()
    channel.publish(bytes(300_000), routing_key=queue)
    equal("body size", 300_000, len(channel.must_get(queue).body))


@handshake.case(
    "tls.plain-client",
    "A client without TLS on the TLS port is disconnected",
    "AMQP 0-9-1 with TLS",
    EXTENSION,
    needs=["tls"],
)
def _(broker: Broker) -> None:
    connection = broker.dial_plain_to_tls()
    connection.link.send_octets(PROTOCOL_HEADER)
    connection.read_to_end(timeout=PATIENCE)

"""The handshake: protocol header, connection.start to connection.open-ok, and the connection's orderly end."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.client.connection import Connection
from conformance.mismatch import equal, require
from conformance.wire import frames
from conformance.wire.frames import PROTOCOL_HEADER, Frame
from conformance.wire.methods import encode_method

handshake = Area("handshake", "Handshake and connection life")

HEADER = "AMQP 0-9-1 4.2.2 Protocol header"
LIFE = "AMQP 0-9-1 2.2.4 The Connection class"
# RabbitMQ waits three seconds before it drops a connection whose handshake went wrong.
PATIENCE = 8.0


def method(name: str, channel: int = 0, **arguments: Any) -> Frame:
    """A method frame."""
    return Frame(frames.METHOD, channel, encode_method(name, arguments))


@handshake.table(
    "handshake.header.refused",
    "The protocol header {} is answered with a header the broker supports, then closed",
    HEADER,
    [
        ("AMQP 0-7", b"AMQP\x01\x01\x07\x00"),
        ("AMQP 0-10", b"AMQP\x01\x01\x00\x0a"),
        ("AMQP 0-9-2", b"AMQP\x00\x00\x09\x02"),
        ("AMQP 9-9-9", b"AMQP\x00\x09\x09\x09"),
        ("wrong protocol id", b"AMQP\x05\x00\x09\x01"),
        ("no AMQP at all", b"HELO\r\n\r\n"),
        ("lower case", b"amqp\x00\x00\x09\x01"),
        ("zeros", bytes(8)),
    ],
)
def _(broker: Broker, header: bytes) -> None:
    connection = broker.dial()
    connection.link.send_octets(header)
    received = connection.read_to_end()
    require(received[:4] == b"AMQP" and len(received) == 8, "a protocol header of 8 octets", repr(received))


@handshake.case("handshake.header.0-9-1-offered", "A refused protocol header is answered with AMQP 0 0 9 1", HEADER)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.link.send_octets(b"AMQP\x00\x00\x09\x02")
    equal("header", PROTOCOL_HEADER, connection.read_to_end())


@handshake.case("handshake.header.slices", "The protocol header may come octet by octet", HEADER)
def _(broker: Broker) -> None:
    connection = broker.dial()
    for octet in PROTOCOL_HEADER:
        connection.link.send_octets(bytes([octet]))
    connection.wait("connection.start")


@handshake.case(
    "handshake.header.silence",
    "A client that never sends its header is disconnected",
    "RabbitMQ handshake_timeout",
    EXTENSION,
)
def _(broker: Broker) -> None:
    broker.dial().must_drop(timeout=16)


@handshake.case(
    "handshake.header.half",
    "A client that stops in the middle of its header is disconnected",
    "RabbitMQ handshake_timeout",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.link.send_octets(PROTOCOL_HEADER[:5])
    connection.must_drop(timeout=16)


@handshake.case(
    "handshake.start.silence",
    "A client that never answers connection.start is disconnected",
    "RabbitMQ handshake_timeout",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.start()
    connection.must_end(501, 541, 320, timeout=20)


# connection.start


@handshake.case("connection.start.version", "connection.start says version 0-9", "AMQP 0-9-1 connection.start.version-major")
def _(broker: Broker) -> None:
    start = broker.dial().start()
    equal("version", (0, 9), (start.version_major, start.version_minor))


@handshake.case("connection.start.locales", "connection.start offers the locale en_US", "AMQP 0-9-1 connection.start.locales")
def _(broker: Broker) -> None:
    require("en_US" in broker.dial().start().locales.split(" "), "en_US among the locales")


@handshake.table(
    "connection.start.mechanism",
    "connection.start offers the mechanism {}",
    "AMQP 0-9-1 connection.start.mechanisms",
    [("PLAIN", "PLAIN"), ("AMQPLAIN", "AMQPLAIN")],
)
def _(broker: Broker, mechanism: str) -> None:
    start = broker.dial().start()
    require(mechanism in start.mechanisms.split(" "), f"{mechanism} offered", start.mechanisms)


@handshake.table(
    "connection.start.server-property",
    "The server properties tell {} as a string",
    "AMQP 0-9-1 connection.start.server-properties",
    [(name, name) for name in ("product", "version", "platform", "copyright", "information")],
    SHOULD,
)
def _(broker: Broker, name: str) -> None:
    value = broker.dial().start().server_properties.get(name)
    require(isinstance(value, str) and bool(value), f"a text as {name}", value)


@handshake.case(
    "connection.start.cluster-name",
    "The server properties tell the name of the cluster",
    "RabbitMQ server properties",
    EXTENSION,
)
def _(broker: Broker) -> None:
    require("cluster_name" in broker.dial().start().server_properties, "cluster_name")


@handshake.table(
    "connection.start.capability",
    "The server announces the capability {}",
    "RabbitMQ: Capabilities",
    [
        (name, name)
        for name in (
            "publisher_confirms",
            "exchange_exchange_bindings",
            "basic.nack",
            "consumer_cancel_notify",
            "connection.blocked",
            "consumer_priorities",
            "authentication_failure_close",
            "per_consumer_qos",
            "direct_reply_to",
        )
    ],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    capabilities = broker.dial().start().server_properties.get("capabilities", {})
    equal(f"capability {name}", True, capabilities.get(name))


# Order


@handshake.case("handshake.complete", "start-ok, tune-ok and open lead to open-ok", LIFE)
def _(broker: Broker) -> None:
    broker.connect().must_live()


@handshake.case("handshake.pipelined", "A client may send tune-ok, open and channel.open in one write", LIFE)
def _(broker: Broker) -> None:
    connection, tune = broker.tuning()
    connection.send_frames(
        method("connection.tune-ok", channel_max=tune.channel_max, frame_max=tune.frame_max),
        method("connection.open", virtual_host=broker.vhost),
        method("channel.open", 1),
    )
    connection.wait("connection.open-ok")
    connection.wait("channel.open-ok", channel=1)


@handshake.case(
    "handshake.pipelined.whole",
    "A client that knows the broker may send its whole handshake in one write",
    LIFE,
    SHOULD,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.link.send_octets(
        PROTOCOL_HEADER
        + method("connection.start-ok", mechanism="PLAIN", response=broker.credentials(), locale="en_US").encode()
        + method("connection.tune-ok", channel_max=100, frame_max=8192).encode()
        + method("connection.open", virtual_host=broker.vhost).encode()
    )
    for name in ("connection.start", "connection.tune", "connection.open-ok"):
        connection.wait(name)


@handshake.case("handshake.slices", "start-ok may come octet by octet", LIFE)
def _(broker: Broker) -> None:
    connection = broker.dial()
    connection.start()
    start_ok = method("connection.start-ok", mechanism="PLAIN", response=broker.credentials(), locale="en_US")
    connection.link.send_slices([start_ok], 1)
    connection.wait("connection.tune")


def before_login(broker: Broker) -> Connection:
    """A connection that got connection.start."""
    connection = broker.dial()
    connection.start()
    return connection


def before_tune(broker: Broker) -> Connection:
    """A connection that got connection.tune."""
    return broker.tuning()[0]


def before_open(broker: Broker) -> Connection:
    """A connection that answered connection.tune."""
    connection, tune = broker.tuning()
    connection.tune_ok(tune)
    return connection


@handshake.table(
    "handshake.order",
    "{} is refused, and the connection ends",
    LIFE,
    [
        ("tune-ok before start-ok", before_login, method("connection.tune-ok")),
        ("open before start-ok", before_login, method("connection.open", virtual_host="/")),
        ("channel.open before start-ok", before_login, method("channel.open", 1)),
        ("queue.declare before start-ok", before_login, method("queue.declare", 1)),
        ("a heartbeat on channel 1 before start-ok", before_login, Frame(frames.HEARTBEAT, 1, b"")),
        ("a body frame before start-ok", before_login, Frame(frames.BODY, 1, b"x")),
        ("open before tune-ok", before_tune, method("connection.open", virtual_host="/")),
        ("start-ok twice", before_tune, method("connection.start-ok", mechanism="PLAIN", locale="en_US")),
        ("channel.open before open", before_open, method("channel.open", 1)),
        ("tune-ok twice", before_open, method("connection.tune-ok", frame_max=131072, channel_max=100)),
        ("queue.declare on channel 0 before open", before_open, method("queue.declare")),
    ],
)
def _(broker: Broker, stage: Any, frame: Frame) -> None:
    connection: Connection = stage(broker)
    connection.send_frames(frame)
    connection.must_end(501, 503, 504, 505, 530, timeout=PATIENCE)


@handshake.table(
    "connection.wrong-method",
    "{} on an open connection is refused with 503, 504 or 505",
    LIFE,
    [
        ("connection.start-ok", method("connection.start-ok", mechanism="PLAIN", locale="en_US")),
        ("connection.tune-ok", method("connection.tune-ok", frame_max=131072)),
        ("connection.open", method("connection.open", virtual_host="/")),
        ("connection.start", method("connection.start")),
        ("connection.tune", method("connection.tune")),
        ("channel.open on channel 0", method("channel.open")),
        ("queue.declare on channel 0", method("queue.declare")),
        ("basic.publish on channel 0", method("basic.publish")),
        ("tx.select on channel 0", method("tx.select")),
    ],
)
def _(broker: Broker, frame: Frame) -> None:
    connection = broker.connect()
    connection.send_frames(frame)
    connection.must_end(503, 504, 505)


@handshake.case("connection.method-on-channel", "connection.close on channel 1 is refused", LIFE, SHOULD)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.send("connection.close", reply_code=200)
    connection.must_end(503, 504, 505)

"""Negotiation: channel_max, frame_max and heartbeat in connection.tune and tune-ok, and what follows from them."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.mismatch import equal, require

negotiation = Area("negotiation", "Negotiation of limits")

TUNE = "AMQP 0-9-1 connection.tune"
TUNE_OK = "AMQP 0-9-1 connection.tune-ok"


@negotiation.case("tune.frame-max", "The proposed frame_max is 0 or at least 4096", TUNE)
def _(broker: Broker) -> None:
    _, tune = broker.tuning()
    require(tune.frame_max == 0 or tune.frame_max >= 4096, "0 or at least 4096", tune.frame_max)


@negotiation.table(
    "tune.rabbitmq",
    "The proposed {} is RabbitMQ's default, {}",
    "RabbitMQ configuration",
    [("channel_max", 2047), ("frame_max", 131072), ("heartbeat", 60)],
    EXTENSION,
)
def _(broker: Broker, value: int) -> None:
    _, tune = broker.tuning()
    require(value in tune.arguments.values(), str(value), tune)


@negotiation.table(
    "tune-ok.frame-max",
    "A client may choose frame_max {}",
    TUNE_OK,
    [("8192", 8192), ("10000", 10000), ("65536", 65536), ("131072", 131072)],
)
def _(broker: Broker, frame_max: int) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, frame_max=frame_max)
    connection.open(broker.vhost)
    connection.must_live()


@negotiation.case("tune-ok.frame-max.minimum", "A client may choose the smallest frame_max of the specification, 4096", TUNE_OK)
def _(broker: Broker) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, frame_max=4096)
    connection.open(broker.vhost)
    connection.must_live()


@negotiation.table(
    "tune-ok.channel-max",
    "A client may choose channel_max {}",
    TUNE_OK,
    [("1", 1), ("100", 100), ("2046", 2046), ("2047", 2047)],
)
def _(broker: Broker, channel_max: int) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, channel_max=channel_max)
    connection.open(broker.vhost)
    connection.must_live()


REFUSED = [
    ("frame_max 1", {"frame_max": 1}),
    ("frame_max 4095", {"frame_max": 4095}),
    ("frame_max 131073", {"frame_max": 131073}),
    ("frame_max 2^32-1", {"frame_max": 2**32 - 1}),
    ("frame_max 0 (no limit)", {"frame_max": 0}),
    ("channel_max 2048", {"channel_max": 2048}),
    ("channel_max 65535", {"channel_max": 65535}),
    ("channel_max 0 (no limit)", {"channel_max": 0}),
]


@negotiation.table("tune-ok.refused", "{} beyond the proposed limits ends the connection", TUNE_OK, REFUSED)
def _(broker: Broker, limits: dict[str, int]) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, **limits)
    connection.must_end(501, 502, 503, 530, timeout=8)


@negotiation.table(
    "tune-ok.refused.close",
    "{} beyond the proposed limits is refused with connection.close 530 by connection.tune",
    "RabbitMQ: negotiation",
    REFUSED,
    EXTENSION,
    deviations={"*": {"RabbitMQ 3.10": "version difference: it closes TCP without a word, newer ones send connection.close"}},
)
def _(broker: Broker, limits: dict[str, int]) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, **limits)
    connection.must_close(530, "connection.tune")


@negotiation.case(
    "channel-max.number",
    "A channel number above channel_max is refused, and the connection ends",
    TUNE_OK,
    deviations={"RabbitMQ 3.10": "it counts open channels and takes any number; the specification limits the numbers too"},
)
def _(broker: Broker) -> None:
    connection = broker.connect(channel_max=5)
    connection.channel(5)
    connection.bare_channel(6).send("channel.open")
    connection.must_end(504, 530, 503)


@negotiation.case("channel-max.count", "Exactly channel_max channels can be open at once", TUNE_OK)
def _(broker: Broker) -> None:
    connection = broker.connect(channel_max=10)
    for _ in range(10):
        connection.channel()
    connection.bare_channel(11).send("channel.open")
    connection.must_end(504, 530, 503)


@negotiation.case("channel-max.reuse", "Closed channels do not count against channel_max", TUNE_OK)
def _(broker: Broker) -> None:
    connection = broker.connect(channel_max=2)
    first, _ = connection.channel(), connection.channel()
    for _ in range(5):
        first.close()
        first.call("channel.open")


@negotiation.case("channel-max.highest", "The channel with the number channel_max works like any other", TUNE_OK)
def _(broker: Broker) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune)
    connection.open(broker.vhost)
    channel = connection.channel(tune.channel_max or 65535)
    queue = channel.queue()
    channel.publish(b"high", routing_key=queue)
    equal("body", b"high", channel.must_get(queue).body)


@negotiation.table(
    "frame-max.delivery",
    "With frame_max {} no frame of a large delivery is larger",
    TUNE_OK,
    [("8192", 8192), ("16384", 16384), ("131072", 131072)],
)
def _(broker: Broker, frame_max: int) -> None:
    channel = broker.channel(frame_max=frame_max)
    queue = channel.queue()
    channel.publish(bytes(300_000), routing_key=queue)
    channel.consume(queue, no_ack=True)
    largest = max(len(frame.payload) + 8 for frame in channel.delivery().body_frames)
    require(largest <= frame_max, f"frames of at most {frame_max} octets", largest)


@negotiation.case("frame-max.different", "Publisher and consumer may have different frame_max", TUNE_OK)
def _(broker: Broker) -> None:
    large, small = broker.channel(), broker.channel(frame_max=8192)
    queue = large.queue(exclusive=False)
    large.publish(bytes(100_000), routing_key=queue)
    large.fence(queue)
    message = small.must_get(queue)
    equal("body size", 100_000, len(message.body))
    require(max(len(frame.payload) for frame in message.body_frames) <= 8184, "frames of at most 8192 octets")


@negotiation.case("frame-max.headers", "A header frame of nearly frame_max octets is accepted and delivered", TUNE_OK, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel(frame_max=8192)
    queue = channel.queue()
    channel.publish(b"x", routing_key=queue, headers={"padding": "p" * 8000})
    equal("header size", 8000, len(channel.must_get(queue).headers["padding"]))


@negotiation.table(
    "message-size",
    "A message of {} is accepted and delivered unchanged",
    "RabbitMQ max_message_size (134217728)",
    [("64 KiB", 2**16), ("1 MiB", 2**20), ("8 MiB", 2**23)],
    SHOULD,
)
def _(broker: Broker, size: int) -> None:
    channel = broker.channel()
    queue = channel.queue()
    octets = bytes(range(256)) * (size // 256)
    channel.publish(octets, routing_key=queue)
    require(channel.must_get(queue).body == octets, "the same octets")


@negotiation.table(
    "tune-ok.heartbeat",
    "A client may choose heartbeat {}",
    TUNE_OK,
    [("0", 0), ("1", 1), ("60", 60), ("3600", 3600), ("65535", 65535)],
)
def _(broker: Broker, heartbeat: int) -> None:
    broker.connect(heartbeat=heartbeat).must_live()

"""Heartbeats: who sends them, what counts as a sign of life, and what silence means."""

import time

from conformance.broker import Broker, pause
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.client.connection import Connection
from conformance.mismatch import Mismatch, require
from conformance.wire import frames
from conformance.wire.frames import Frame

heartbeats = Area("heartbeats", "Heartbeats")

SPEC = "AMQP 0-9-1 4.2.7 Heartbeat frames"


def listen(connection: Connection, seconds: float) -> None:
    """Receives whatever comes for some time."""
    deadline = time.monotonic() + seconds
    try:
        while True:
            connection.pump(deadline)
    except TimeoutError:
        return


@heartbeats.case("heartbeat.sent", "With heartbeat 1 the server sends heartbeats while nothing else happens", SPEC)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=1)
    listen(connection, 1.6)
    require(connection.heartbeats >= 1, "at least one heartbeat in 1.6 seconds", connection.heartbeats)


@heartbeats.case("heartbeat.silence", "With heartbeat 1 a silent client is disconnected after two or three seconds", SPEC)
def _(broker: Broker) -> None:
    broker.connect(heartbeat=1).must_drop(timeout=6)


@heartbeats.case(
    "heartbeat.silence.no-close",
    "A silent client is disconnected without connection.close",
    "RabbitMQ: heartbeats",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=1)
    connection.must_drop(timeout=6)
    require(not connection.inbox(0), "no AMQP method")


@heartbeats.case("heartbeat.patience", "A client is not disconnected before one whole interval has passed", SPEC)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=2)
    listen(connection, 1.9)
    connection.must_live()


@heartbeats.case("heartbeat.keeps-alive", "A client that only sends heartbeats stays connected", SPEC)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=1)
    for _ in range(8):
        connection.heartbeat()
        listen(connection, 0.5)
    connection.must_live()


@heartbeats.case("heartbeat.any-octets", "Any traffic counts as a sign of life", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected(heartbeat=1)
    for _ in range(8):
        channel.call("basic.qos", prefetch_count=1)
        listen(connection, 0.5)
    connection.must_live()


@heartbeats.case("heartbeat.any-octets.split", "Octets of an unfinished frame count as a sign of life", SPEC, SHOULD)
def _(broker: Broker) -> None:
    connection, channel = broker.connected(heartbeat=1)
    octets = channel.method_frame("basic.qos", prefetch_count=1).encode()
    for start in range(0, len(octets), 3):
        connection.link.send_octets(octets[start : start + 3])
        listen(connection, 0.5)
    channel.wait("basic.qos-ok")


@heartbeats.case("heartbeat.off", "With heartbeat 0 the server neither sends heartbeats nor expects any", SPEC)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=0)
    listen(connection, 3)
    require(connection.heartbeats == 0, "no heartbeats", connection.heartbeats)
    connection.must_live()


@heartbeats.case("heartbeat.unasked", "Heartbeats are accepted even with heartbeat 0", SPEC, SHOULD)
def _(broker: Broker) -> None:
    connection = broker.connect(heartbeat=0)
    connection.heartbeat()
    connection.must_live()


@heartbeats.case("heartbeat.on-channel", "A heartbeat on a channel other than 0 is refused", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    connection.heartbeat(channel.number)
    connection.must_end(501, 503, 504, 505)


@heartbeats.case("heartbeat.payload", "A heartbeat with a payload is refused or ignored, never a crash of others", SPEC, SHOULD)
def _(broker: Broker) -> None:
    bystander, connection = broker.connect(), broker.connect()
    connection.send_frames(Frame(frames.HEARTBEAT, 0, b"payload"))
    try:
        connection.must_live()
    except Mismatch as mismatch:
        require("close" in mismatch.observed, "an orderly refusal", mismatch.observed)
    bystander.must_live()


@heartbeats.case("heartbeat.requeue", "Messages of a client that fell silent go back to their queue", SPEC)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    observer.publish(b"m", routing_key=queue)
    connection, channel = broker.connected(heartbeat=1)
    channel.await_get(queue, no_ack=False)
    connection.must_drop(timeout=6)
    message = observer.await_get(queue)
    require(message.redelivered, "redelivered set")


@heartbeats.case("heartbeat.before-open", "Heartbeats are accepted between tune-ok and open", SPEC, SHOULD)
def _(broker: Broker) -> None:
    connection, tune = broker.tuning()
    connection.tune_ok(tune, heartbeat=10)
    connection.heartbeat()
    connection.open(broker.vhost)
    pause(0)
    connection.must_live()

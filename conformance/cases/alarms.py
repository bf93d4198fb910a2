"""Resource alarms: publishers are held up and told so, consumers go on."""

from conformance.broker import Broker, pause
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.client.connection import Connection
from conformance.mismatch import Mismatch, require

alarms = Area("alarms", "Resource alarms", ["alarm"])

SPEC = "RabbitMQ: Memory and Disk Alarms; Blocked Connection Notifications"
PATIENCE = 10.0


def alarmed(broker: Broker) -> None:
    """Raises the alarm until the case is over."""
    broker.on_cleanup(lambda: broker.run_command("clear"))
    broker.run_command("alarm")


def publisher(broker: Broker) -> tuple[Connection, Channel, str]:
    """A connection, a channel and a queue that another connection declared."""
    queue = broker.channel().queue(exclusive=False)
    return *broker.connected(), queue


@alarms.case(
    "alarm.blocked",
    "A connection that publishes during an alarm gets connection.blocked with a reason",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection, channel, queue = publisher(broker)
    alarmed(broker)
    channel.publish(b"m", routing_key=queue)
    reason = connection.wait("connection.blocked", timeout=PATIENCE).reason
    require(reason.startswith("low on "), "low on …", reason)


@alarms.case(
    "alarm.unblocked", "When the alarm is over connection.unblocked comes, and the messages go through", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    connection, channel, queue = publisher(broker)
    alarmed(broker)
    channel.publish(b"a", routing_key=queue)
    connection.wait("connection.blocked", timeout=PATIENCE)
    channel.publish(b"b", routing_key=queue)
    broker.run_command("clear")
    connection.wait("connection.unblocked", timeout=PATIENCE)
    channel.must_count(queue, 2)
    channel.must_hold(queue, "a", "b")


@alarms.case("alarm.consumers", "Connections that only consume are not blocked", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    consumer = broker.channel()
    queue = consumer.queue()
    consumer.publish_all(queue, "a", "b")
    consumer.must_count(queue, 2)
    connection, other = broker.connected()
    held = other.queue()
    alarmed(broker)
    other.call("queue.declare", queue=held, passive=True)
    other.consume(held)
    require(not connection.inbox(0), "no connection.blocked", connection.inbox(0))


@alarms.case("alarm.incapable", "A client without the capability connection.blocked is held up without notice", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    connection = broker.connect(capabilities={})
    channel = connection.channel()
    alarmed(broker)
    channel.publish(b"m", routing_key=queue)
    pause(0.3)  # what comes together with the first message may still be heard
    channel.publish(b"n", routing_key=queue)
    channel.send("channel.flow", active=True)
    try:
        channel.wait("channel.flow-ok", timeout=1)
    except Mismatch:
        require(not connection.inbox(0), "no connection.blocked", connection.inbox(0))
        return
    raise Mismatch("the channel held up", "channel.flow-ok")


@alarms.case("alarm.late-connection", "A connection opened during an alarm is blocked when it publishes", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    alarmed(broker)
    connection, channel = broker.connected()
    channel.publish(b"m", routing_key=queue)
    connection.wait("connection.blocked", timeout=PATIENCE)


@alarms.case("alarm.other-connections", "A blocked publisher does not hold up other connections", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel, queue = publisher(broker)
    alarmed(broker)
    channel.publish(b"m", routing_key=queue)
    connection.wait("connection.blocked", timeout=PATIENCE)
    bystander = broker.channel()
    bystander.call("queue.declare", queue=queue, passive=True)

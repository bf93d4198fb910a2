"""The node holds so many queues, exchanges, bindings, consumers and channels, and no more."""

from collections.abc import Callable

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from helpers.broker import BrokerProcess
from helpers.traffic import connect


def refusal(connection: Connection, name: str, **arguments: object) -> str:
    """What a command on a new channel is refused with."""
    channel = connection.channel()
    channel.send(name, **arguments)
    return str(channel.wait("channel.close").reply_text)


def fill(channel: Channel) -> None:
    """Declare as much as may be, some of it twice."""
    for _ in range(2):  # amq.rabbitmq.event is the other exchange.
        channel.call("queue.declare", queue="q")
        channel.call("exchange.declare", exchange="e", type="fanout")
        channel.bind("q", "e")
    channel.consume("q", consumer_tag="only")


def test_what_clients_declare_is_limited(start_broker: Callable[..., BrokerProcess]) -> None:
    """One more is refused until one goes; what is there already may be declared again."""
    limits = ("--cluster-queue-limit", "1", "--cluster-exchange-limit", "2", "--cluster-binding-limit", "1")
    broker = start_broker("--http-port", "none", *limits, "--consumer-max-per-node", "1")
    connection = connect(broker)
    channel = connection.channel()
    fill(channel)
    assert [
        "PRECONDITION_FAILED - cannot declare queue 'other': queue limit in cluster (1) is reached",
        "PRECONDITION_FAILED - cannot declare exchange 'other': exchange limit in cluster (2) is reached",
        "PRECONDITION_FAILED - cannot bind to exchange 'e': binding limit in cluster (1) is reached",
        "PRECONDITION_FAILED - cannot consume from queue 'q': consumer limit in cluster (1) is reached",
    ] == [
        refusal(connection, "queue.declare", queue="other"),
        refusal(connection, "exchange.declare", exchange="other", type="fanout"),
        refusal(connection, "queue.bind", queue="q", exchange="e", routing_key="other"),
        refusal(connection, "basic.consume", queue="q", consumer_tag="other"),
    ]
    channel.call("queue.delete", queue="q")
    channel.call("exchange.delete", exchange="e")
    fill(connection.channel())
    connection.close()


def test_channels_are_limited(start_broker: Callable[..., BrokerProcess]) -> None:
    """One channel more than the node may have costs the connection that opens it, until another one is closed."""
    broker = start_broker("--http-port", "none", "--channel-max-per-node", "2")
    first, second = connect(broker), connect(broker)
    first.channel()
    channel = first.channel()
    second.send("channel.open", channel=1)
    refused = second.wait("connection.close")
    assert refused.reply_code == 530
    assert refused.reply_text.endswith("has reached the maximum allowed limit of (2)")
    second.drop()
    channel.close()
    third = connect(broker)
    third.channel()
    third.close()
    first.close()

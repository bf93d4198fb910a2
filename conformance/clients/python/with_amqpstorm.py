"""The scenario with amqpstorm."""

import os
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import amqpstorm
from amqpstorm.exception import AMQPMessageError

PREFIX = os.environ["PREFIX"]
EXCHANGE = f"{PREFIX}.x"
QUEUES = QUEUE, WORK, DEAD, RPC, BULK = [f"{PREFIX}.{name}" for name in ("q", "work", "dead", "rpc", "bulk")]
PERSISTENT = {"delivery_mode": 2}


def connect() -> amqpstorm.Connection:
    """A connection; tries again while the broker is not there."""
    url = urlsplit(os.environ["AMQP_URL"])
    while True:
        try:
            return amqpstorm.Connection(url.hostname, url.username or "guest", url.password or "guest", port=url.port or 5672)
        except amqpstorm.AMQPConnectionError:
            time.sleep(0.2)


def get(channel: amqpstorm.Channel, queue: str, no_ack: bool = False) -> amqpstorm.Message:
    """Gets a message that may still be on its way."""
    while not (message := channel.basic.get(queue, no_ack=no_ack)):
        time.sleep(0.001)
    return message


def arriving(channel: amqpstorm.Channel) -> Iterator[amqpstorm.Message]:
    """Deliveries to the channel's consumers, for ever."""
    while True:
        yield from channel.build_inbound_messages(break_on_empty=True)
        time.sleep(0.001)


def prefetch(channel: amqpstorm.Channel) -> None:
    """Takes a hundred messages, five at a time."""
    channel.basic.qos(5)
    tag = channel.basic.consume(queue=QUEUE)
    held: list[amqpstorm.Message] = []
    while len(held) < 5:
        held += channel.build_inbound_messages(break_on_empty=True)
    time.sleep(0.3)
    held += channel.build_inbound_messages(break_on_empty=True)
    print("prefetch", len(held), flush=True)
    for message in held:
        message.ack()
    acked, deliveries = len(held), arriving(channel)
    while acked < 100:
        next(deliveries).ack()
        acked += 1
    channel.basic.cancel(tag)
    print("acked", acked, flush=True)


def dead_letters(channel: amqpstorm.Channel) -> None:
    """Refuses a message and finds it where dead letters go."""
    channel.queue.declare(DEAD, durable=True)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    channel.queue.declare(WORK, durable=True, arguments=arguments)
    channel.basic.publish("bad", WORK)
    get(channel, WORK).nack(requeue=True)
    again = get(channel, WORK)
    if again.redelivered:
        print("redelivered", flush=True)
    again.nack(requeue=False)
    deaths = get(channel, DEAD, no_ack=True).properties["headers"]["x-death"]
    print("dead", deaths[0]["reason"], flush=True)


def rpc(connection: amqpstorm.Connection) -> None:
    """Asks and answers by direct reply-to."""
    client, server = connection.channel(), connection.channel()
    client.queue.declare(RPC, durable=True)
    client.basic.consume(queue="amq.rabbitmq.reply-to", no_ack=True)
    client.basic.publish("question", RPC, properties={"reply_to": "amq.rabbitmq.reply-to"})
    request = get(server, RPC, no_ack=True)
    server.basic.publish(request.body.upper(), request.reply_to)
    print("reply", next(arriving(client)).body, flush=True)


def contents(channel: amqpstorm.Channel) -> None:
    """Sends headers of many types, then a body of many frames."""
    headers = {
        "true": True, "small": -1, "large": 2**40, "double": 1.5, "decimal": Decimal("3.14"), "text": "grüße", "none": None,
        "array": [1, "two", [-3]], "table": {"inner": {"deep": True}},
    }  # fmt: skip
    channel.basic.publish("", RPC, properties={"headers": headers})
    if get(channel, RPC, no_ack=True).properties["headers"] == headers:
        print("headers equal", flush=True)
    large = "0123456789abcdef" * 2**16
    channel.basic.publish(large, RPC)
    body = get(channel, RPC, no_ack=True).body
    if body == large:
        print("large", len(body), "equal", flush=True)


def missing(connection: amqpstorm.Connection) -> None:
    """Asks for a queue that is not there, which costs a channel."""
    try:
        connection.channel().queue.declare(f"{PREFIX}.missing", passive=True)
    except amqpstorm.AMQPChannelError as closed:
        print("missing", closed.error_code, flush=True)


def volume(connection: amqpstorm.Connection) -> None:
    """Sends ten thousand messages through a queue and checks them."""
    channel = connection.channel()
    channel.queue.declare(BULK, durable=True)
    for n in range(10_000):
        channel.basic.publish(str(n), BULK, properties=PERSISTENT)
    channel.basic.qos(500)
    channel.basic.consume(queue=BULK)
    for received, message in enumerate(arriving(channel)):
        if message.body != str(received):
            raise RuntimeError(f"message {received} was {message.body!r}")
        if received % 100 == 99:
            channel.basic.ack(message.delivery_tag, multiple=True)
        if received == 9_999:
            break
    print("messages 10000 in order", flush=True)


def main() -> None:
    """Walks the scenario."""
    connection = connect()
    channel = connection.channel()
    channel.confirm_deliveries()
    channel.exchange.declare(EXCHANGE, "topic", durable=True)
    channel.queue.declare(QUEUE, durable=True)
    channel.queue.bind(QUEUE, EXCHANGE, "a.#")
    print("topology", flush=True)
    confirmed = [channel.basic.publish(str(n), "a.b", EXCHANGE, PERSISTENT) for n in range(100)]
    print("confirmed", confirmed.count(True), flush=True)
    try:
        channel.basic.publish("lost", "nowhere", EXCHANGE, mandatory=True)
    except AMQPMessageError as error:
        reason = str(error).partition(": ")[2].partition(" (")[0]
        print("returned", error.error_code, reason, flush=True)
    prefetch(channel)
    dead_letters(channel)
    rpc(connection)
    contents(channel)
    missing(connection)
    volume(connection)
    channel.basic.publish("survivor", "a.b", EXCHANGE, PERSISTENT)
    print("restart", flush=True)
    sys.stdin.readline()
    connection = connect()
    channel = connection.channel()
    print("recovered", get(channel, QUEUE, no_ack=True).body, flush=True)
    channel.exchange.delete(EXCHANGE)
    for queue in QUEUES:
        channel.queue.delete(queue)
    connection.close()
    print("done", flush=True)


if __name__ == "__main__":
    main()

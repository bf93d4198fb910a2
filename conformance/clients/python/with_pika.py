"""The scenario with pika's blocking connection."""

import datetime as dt
import os
import sys
import time
from decimal import Decimal

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker, UnroutableError

URL, PREFIX = os.environ["AMQP_URL"], os.environ["PREFIX"]
EXCHANGE, QUEUE, WORK, DEAD, RPC, BULK = (f"{PREFIX}.{name}" for name in ("x", "q", "work", "dead", "rpc", "bulk"))
PERSISTENT = pika.BasicProperties(delivery_mode=2)


def connect() -> tuple[pika.BlockingConnection, BlockingChannel]:
    """A connection and a channel with confirms; tries again while the broker is not there."""
    while True:
        try:
            connection = pika.BlockingConnection(pika.URLParameters(URL))
        except AMQPConnectionError:
            time.sleep(0.2)
            continue
        channel = connection.channel()
        channel.confirm_delivery()
        return connection, channel


def topology(channel: BlockingChannel) -> None:
    """Declares what the scenario needs."""
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(QUEUE, durable=True)
    channel.queue_bind(QUEUE, EXCHANGE, "a.#")
    print("topology", flush=True)


def confirms(channel: BlockingChannel) -> None:
    """Publishes a hundred messages, each of which waits for its confirm."""
    for n in range(100):
        channel.basic_publish(EXCHANGE, "a.b", str(n).encode(), PERSISTENT)
    print("confirmed 100", flush=True)


def returns(channel: BlockingChannel) -> None:
    """Publishes a mandatory message that no queue wants."""
    try:
        channel.basic_publish(EXCHANGE, "nowhere", b"lost", mandatory=True)
    except UnroutableError as error:
        method = error.messages[0].method
        print(f"returned {method.reply_code} {method.reply_text}", flush=True)


def prefetch(connection: pika.BlockingConnection, channel: BlockingChannel) -> None:
    """Takes a hundred messages, five at a time."""
    received = []
    channel.basic_qos(prefetch_count=5)
    tag = channel.basic_consume(QUEUE, lambda _, method, __, ___: received.append(method.delivery_tag))
    while len(received) < 5:
        connection.process_data_events(time_limit=0.01)
    connection.process_data_events(time_limit=0.3)
    print(f"prefetch {len(received)}", flush=True)
    acked = 0
    while acked < 100:
        for delivery_tag in received[acked:]:
            channel.basic_ack(delivery_tag)
            acked += 1
        connection.process_data_events(time_limit=0.01)
    channel.basic_cancel(tag)
    print(f"acked {acked}", flush=True)


def dead_letters(channel: BlockingChannel) -> None:
    """Refuses a message and finds it where dead letters go."""
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    channel.queue_declare(DEAD, durable=True)
    channel.queue_declare(WORK, durable=True, arguments=arguments)
    channel.basic_publish("", WORK, b"bad")
    method, _, _ = channel.basic_get(WORK)
    channel.basic_nack(method.delivery_tag, requeue=True)
    method, _, _ = channel.basic_get(WORK)
    if method.redelivered:
        print("redelivered", flush=True)
    channel.basic_nack(method.delivery_tag, requeue=False)
    method = None
    while method is None:
        method, properties, _ = channel.basic_get(DEAD, auto_ack=True)
    print("dead", properties.headers["x-death"][0]["reason"], flush=True)


def rpc(connection: pika.BlockingConnection, channel: BlockingChannel) -> None:
    """Asks and answers by direct reply-to."""
    channel.queue_declare(RPC, durable=True)
    replies = []
    tag = channel.basic_consume("amq.rabbitmq.reply-to", lambda *delivery: replies.append(delivery[3]), auto_ack=True)
    channel.basic_publish("", RPC, b"question", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    server = connection.channel()
    _, request, body = server.basic_get(RPC, auto_ack=True)
    server.basic_publish("", request.reply_to, body.upper())
    while not replies:
        connection.process_data_events(time_limit=0.1)
    channel.basic_cancel(tag)
    print("reply", replies[0].decode(), flush=True)


def contents(channel: BlockingChannel) -> None:
    """Sends headers of every type, then a body of many frames."""
    headers = {
        "true": True, "small": -1, "large": 2**40, "decimal": Decimal("3.14"), "text": "grüße", "bytes": b"\x00\xff",
        "time": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "none": None, "array": [1, "two", [-3]],
        "table": {"inner": {"deep": True}},
    }  # fmt: skip
    channel.basic_publish("", RPC, b"", pika.BasicProperties(headers=headers))
    _, properties, _ = channel.basic_get(RPC, auto_ack=True)
    if properties.headers == headers:
        print("headers equal", flush=True)
    large = b"0123456789abcdef" * 2**16
    channel.basic_publish("", RPC, large)
    _, _, body = channel.basic_get(RPC, auto_ack=True)
    if body == large:
        print("large", len(body), "equal", flush=True)


def missing(connection: pika.BlockingConnection) -> None:
    """Asks for a queue that is not there, which costs a channel."""
    try:
        connection.channel().queue_declare(f"{PREFIX}.missing", passive=True)
    except ChannelClosedByBroker as closed:
        print("missing", closed.reply_code, flush=True)


def volume(connection: pika.BlockingConnection, channel: BlockingChannel) -> None:
    """Sends ten thousand messages through a queue and checks them."""
    channel.queue_declare(BULK, durable=True)
    publisher = connection.channel()  # without confirms, for each of which a blocking connection would wait
    for n in range(10_000):
        publisher.basic_publish("", BULK, str(n).encode(), PERSISTENT)
    channel.basic_qos(prefetch_count=500)
    received = 0
    for method, _, body in channel.consume(BULK):
        if int(body) != received:
            print(f"message {received} was {body!r}", flush=True)
            return
        received += 1
        if received % 100 == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if received == 10_000:
            break
    channel.cancel()
    print(f"messages {received} in order", flush=True)


def main() -> None:
    """Walks the scenario."""
    connection, channel = connect()
    topology(channel)
    confirms(channel)
    returns(channel)
    prefetch(connection, channel)
    dead_letters(channel)
    rpc(connection, channel)
    contents(channel)
    missing(connection)
    volume(connection, channel)
    channel.basic_publish(EXCHANGE, "a.b", b"survivor", PERSISTENT)
    print("restart", flush=True)
    sys.stdin.readline()
    connection, channel = connect()
    _, _, body = channel.basic_get(QUEUE, auto_ack=True)
    print("recovered", body.decode(), flush=True)
    channel.exchange_delete(EXCHANGE)
    for queue in (QUEUE, WORK, DEAD, RPC, BULK):
        channel.queue_delete(queue)
    connection.close()
    print("done", flush=True)


if __name__ == "__main__":
    main()

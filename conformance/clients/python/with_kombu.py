"""The scenario with kombu, the library that Celery speaks through."""

import os
import socket
import sys
import time
from decimal import Decimal
from typing import Any

from kombu import Connection, Consumer, Exchange, Producer, Queue

PREFIX = os.environ["PREFIX"]
EXCHANGE = Exchange(f"{PREFIX}.x", "topic", durable=True)
QUEUE = Queue(f"{PREFIX}.q", EXCHANGE, routing_key="a.#", durable=True)
DEAD, RPC, BULK = (Queue(f"{PREFIX}.{name}", durable=True) for name in ("dead", "rpc", "bulk"))
GRAVE = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD.name}
WORK = Queue(f"{PREFIX}.work", durable=True, queue_arguments=GRAVE)
CONFIRMS = {"confirm_publish": True}


def connect() -> Connection:
    """A connection that waits for confirms; tries again while the broker is not there."""
    connection = Connection(os.environ["AMQP_URL"], transport_options=CONFIRMS)
    connection.ensure_connection(interval_start=0.2, interval_step=0)
    return connection


def get(channel: Any, queue: Queue, no_ack: bool = False) -> Any:
    """Gets a message that may still be on its way."""
    bound = queue(channel)
    while (message := bound.get(no_ack=no_ack)) is None:
        time.sleep(0.001)
    return message


def drain(connection: Connection, seconds: float) -> None:
    """Lets deliveries in for some time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            connection.drain_events(timeout=left)
        except (TimeoutError, socket.timeout):  # noqa: UP041 - it is another exception before Python 3.10
            return


def prefetch(connection: Connection, channel: Any) -> None:
    """Takes a hundred messages, five at a time."""
    received: list[Any] = []
    with Consumer(channel, [QUEUE], on_message=received.append, prefetch_count=5):
        while len(received) < 5:
            drain(connection, 0.01)
        drain(connection, 0.3)
        print("prefetch", len(received), flush=True)
        acked = 0
        while acked < 100:
            while acked < len(received):
                received[acked].ack()
                acked += 1
            drain(connection, 0.02)
    print("acked", acked, flush=True)


def dead_letters(channel: Any, producer: Producer) -> None:
    """Refuses a message and finds it where dead letters go."""
    for queue in (DEAD, WORK):
        queue(channel).declare()
    producer.publish("bad", routing_key=WORK.name)
    get(channel, WORK).reject(requeue=True)
    again = get(channel, WORK)
    if again.delivery_info["redelivered"]:
        print("redelivered", flush=True)
    again.reject(requeue=False)
    print("dead", get(channel, DEAD, no_ack=True).headers["x-death"][0]["reason"], flush=True)


def rpc(connection: Connection) -> None:
    """Asks and answers by direct reply-to."""
    replies: list[Any] = []
    client, server = connection.channel(), connection.channel()
    RPC(client).declare()
    mailbox = Queue("amq.rabbitmq.reply-to", no_declare=True)
    with Consumer(client, [mailbox], on_message=replies.append, no_ack=True, auto_declare=False):
        Producer(client).publish("question", routing_key=RPC.name, reply_to=mailbox.name)
        request = get(server, RPC, no_ack=True)
        Producer(server).publish(request.payload.upper(), routing_key=request.properties["reply_to"])
        while not replies:
            drain(connection, 0.05)
    print("reply", replies[0].payload, flush=True)


def contents(channel: Any, producer: Producer) -> None:
    """Sends headers of many types, then a body of many frames."""
    headers = {
        "true": True, "small": -1, "large": 2**40, "double": 1.5, "decimal": Decimal("3.14"), "text": "grüße", "none": None,
        "array": [1, "two", [-3]], "table": {"inner": {"deep": True}},
    }  # fmt: skip
    producer.publish("", routing_key=RPC.name, headers=headers)
    if get(channel, RPC, no_ack=True).headers == headers:
        print("headers equal", flush=True)
    large = b"0123456789abcdef" * 2**16
    producer.publish(large, routing_key=RPC.name, content_type="application/data", content_encoding="binary")
    body = get(channel, RPC, no_ack=True).payload
    if body == large:
        print("large", len(body), "equal", flush=True)


def missing(connection: Connection) -> None:
    """Asks for a queue that is not there, which costs a channel."""
    try:
        Queue(f"{PREFIX}.missing", no_declare=True)(connection.channel()).queue_declare(passive=True)
    except connection.channel_errors as closed:
        print("missing", closed.code, flush=True)


def volume(connection: Connection) -> None:
    """Sends ten thousand messages through a queue and checks them."""
    channel = connection.channel()
    BULK(channel).declare()
    with Connection(os.environ["AMQP_URL"]) as publishing:  # without confirms, for each of which it would wait
        producer = publishing.Producer()
        for n in range(10_000):
            producer.publish(str(n), routing_key=BULK.name, delivery_mode=2)
    received = 0

    def check(message: Any) -> None:
        nonlocal received
        if message.payload != str(received):
            raise RuntimeError(f"message {received} was {message.payload!r}")
        received += 1
        if received % 100 == 0:
            message.ack(multiple=True)

    with Consumer(channel, [BULK], on_message=check, prefetch_count=500):
        while received < 10_000:
            connection.drain_events(timeout=30)
    print("messages", received, "in order", flush=True)


def returned(exception: Any, exchange: str, routing_key: str, message: Any) -> None:
    """Prints why a message came back."""
    del exchange, routing_key, message
    print("returned", exception.reply_code, exception.reply_text, flush=True)


def main() -> None:
    """Walks the scenario."""
    connection = connect()
    channel = connection.channel()
    QUEUE(channel).declare()
    producer = Producer(channel, on_return=returned)
    print("topology", flush=True)
    for n in range(100):
        producer.publish(str(n), exchange=EXCHANGE, routing_key="a.b", delivery_mode=2)
    print("confirmed 100", flush=True)
    producer.publish("lost", exchange=EXCHANGE, routing_key="nowhere", mandatory=True)
    prefetch(connection, channel)
    dead_letters(channel, producer)
    rpc(connection)
    contents(channel, producer)
    missing(connection)
    volume(connection)
    producer.publish("survivor", exchange=EXCHANGE, routing_key="a.b", delivery_mode=2)
    print("restart", flush=True)
    sys.stdin.readline()
    connection = connect()
    channel = connection.channel()
    print("recovered", get(channel, QUEUE, no_ack=True).payload, flush=True)
    EXCHANGE(channel).delete()
    for queue in (QUEUE, WORK, DEAD, RPC, BULK):
        queue(channel).delete()
    connection.release()
    print("done", flush=True)


if __name__ == "__main__":
    main()

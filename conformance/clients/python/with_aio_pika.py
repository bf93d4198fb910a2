"""The scenario with aio-pika, whose robust connection finds its way back after a restart by itself."""

import asyncio
import datetime as dt
import os
import sys
from decimal import Decimal

import aio_pika
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, DeliveryError

PREFIX = os.environ["PREFIX"]
QUEUES = QUEUE, WORK, DEAD, RPC, BULK = [f"{PREFIX}.{name}" for name in ("q", "work", "dead", "rpc", "bulk")]


def persistent(body: str) -> aio_pika.Message:
    """A persistent message."""
    return aio_pika.Message(body.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)


async def prefetch(channel: aio_pika.abc.AbstractChannel, queue: aio_pika.abc.AbstractQueue) -> None:
    """Takes a hundred messages, five at a time."""
    received: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
    await channel.set_qos(5)
    tag = await queue.consume(received.put)
    held = [await received.get() for _ in range(5)]
    await asyncio.sleep(0.3)
    print("prefetch", len(held) + received.qsize(), flush=True)
    for message in held:
        await message.ack()
    for _ in range(95):
        await (await received.get()).ack()
    await queue.cancel(tag)
    print("acked 100", flush=True)


async def dead_letters(channel: aio_pika.abc.AbstractChannel) -> None:
    """Refuses a message and finds it where dead letters go."""
    grave = await channel.declare_queue(DEAD, durable=True)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    work = await channel.declare_queue(WORK, durable=True, arguments=arguments)
    await channel.default_exchange.publish(persistent("bad"), WORK)
    await (await work.get()).reject(requeue=True)
    again = await work.get()
    if again.redelivered:
        print("redelivered", flush=True)
    await again.reject(requeue=False)
    while (message := await grave.get(fail=False, no_ack=True)) is None:
        continue
    print("dead", message.headers["x-death"][0]["reason"], flush=True)


async def rpc(connection: aio_pika.abc.AbstractConnection, channel: aio_pika.abc.AbstractChannel) -> None:
    """Asks and answers by direct reply-to."""
    requests = await channel.declare_queue(RPC, durable=True)
    client = await connection.channel(publisher_confirms=False)
    replies: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
    mailbox = await client.get_queue("amq.rabbitmq.reply-to", ensure=False)
    tag = await mailbox.consume(replies.put, no_ack=True)
    question = aio_pika.Message(b"question", reply_to="amq.rabbitmq.reply-to")
    await client.default_exchange.publish(question, RPC)
    while (request := await requests.get(fail=False, no_ack=True)) is None:
        continue
    answer = aio_pika.Message(request.body.upper())
    await channel.default_exchange.publish(answer, str(request.reply_to), mandatory=False)
    print("reply", (await replies.get()).body.decode(), flush=True)
    await mailbox.cancel(tag)
    await client.close()


async def contents(channel: aio_pika.abc.AbstractChannel) -> None:
    """Sends headers of many types, then a body of many frames."""
    headers: aio_pika.abc.HeadersType = {
        "true": True, "small": -1, "large": 2**40, "double": 1.5, "decimal": Decimal("3.14"), "text": "grüße",
        "none": None, "time": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "array": [1, "two", [-3]],
        "table": {"inner": {"deep": True}},
    }  # fmt: skip
    queue = await channel.get_queue(RPC)
    await channel.default_exchange.publish(aio_pika.Message(b"", headers=headers), RPC)
    if (await queue.get(no_ack=True)).headers == headers:
        print("headers equal", flush=True)
    large = b"0123456789abcdef" * 2**16
    await channel.default_exchange.publish(aio_pika.Message(large), RPC)
    body = (await queue.get(no_ack=True)).body
    if body == large:
        print("large", len(body), "equal", flush=True)


async def missing(connection: aio_pika.abc.AbstractConnection) -> None:
    """Asks for a queue that is not there, which costs a channel."""
    channel = await connection.channel()
    try:
        await channel.declare_queue(f"{PREFIX}.missing", passive=True)
    except ChannelNotFoundEntity:
        print("missing 404", flush=True)


async def volume(channel: aio_pika.abc.AbstractChannel) -> None:
    """Sends ten thousand messages through a queue and checks them."""
    bulk = await channel.declare_queue(BULK, durable=True)
    for start in range(0, 10_000, 500):
        numbers = range(start, start + 500)
        await asyncio.gather(*(channel.default_exchange.publish(persistent(str(n)), BULK) for n in numbers))
    await channel.set_qos(500)
    received = 0
    async with bulk.iterator() as messages:
        async for message in messages:
            if int(message.body) != received:
                raise RuntimeError(f"message {received} was {message.body!r}")
            received += 1
            if received % 100 == 0:
                await message.ack(multiple=True)
            if received == 10_000:
                break
    print(f"messages {received} in order", flush=True)


async def get_again(
    connection: aio_pika.abc.AbstractRobustConnection, queue: aio_pika.abc.AbstractQueue
) -> aio_pika.abc.AbstractIncomingMessage:
    """Gets a message once the library has found its way back, which raises until then."""
    while True:
        await connection.ready()
        try:
            return await queue.get(no_ack=True)
        except (AMQPError, RuntimeError):
            await asyncio.sleep(0.1)


async def main() -> None:
    """Walks the scenario."""
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"], reconnect_interval=0.3)
    channel = await connection.channel(on_return_raises=True)
    exchange = await channel.declare_exchange(f"{PREFIX}.x", "topic", durable=True)
    queue = await channel.declare_queue(QUEUE, durable=True)
    await queue.bind(exchange, "a.#")
    print("topology", flush=True)
    await asyncio.gather(*(exchange.publish(persistent(str(n)), "a.b") for n in range(100)))
    print("confirmed 100", flush=True)
    try:
        await exchange.publish(persistent("lost"), "nowhere")
    except DeliveryError as error:
        print("returned", error.message.delivery.reply_code, error.message.delivery.reply_text, flush=True)
    await prefetch(channel, queue)
    await dead_letters(channel)
    await rpc(connection, channel)
    await contents(channel)
    await missing(connection)
    await volume(channel)
    await exchange.publish(persistent("survivor"), "a.b")
    print("restart", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print("recovered", (await get_again(connection, queue)).body.decode(), flush=True)
    await exchange.delete()
    for name in QUEUES:
        await channel.queue_delete(name)
    await connection.close()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())

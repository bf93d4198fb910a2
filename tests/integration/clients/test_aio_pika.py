"""aio-pika: asyncio, with a connection that comes back by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue, AbstractRobustConnection
from aio_pika.exceptions import ChannelNotFoundEntity, PublishError

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL, Tally, numbered_bodies

PREFETCH = 10
AT_ONCE = 100

HEADERS = {
    "true": True,
    "false": False,
    "small": -1,
    "large": 2**40,
    "double": 1.5,
    "decimal": Decimal("3.14"),
    "text": "grüße",
    "bytes": bytearray(b"\x00\xff"),
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "none": None,
    "array": [1, "two", [3.0]],
    "table": {"inner": {"deep": True}},
}


@asynccontextmanager
async def open_queue(
    broker: Broker, name: str, *, confirms: bool = True
) -> AsyncIterator[tuple[AbstractChannel, AbstractQueue]]:
    """A channel, and an exclusive queue that a topic exchange of the same name feeds with the keys `order.#`."""
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
        exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(name, exclusive=True)
        await queue.bind(exchange, "order.#")
        yield channel, queue


async def ready(channel: AbstractChannel, name: str) -> int | None:
    """How many messages wait in the queue, as a passive declare tells."""
    queue = await channel.declare_queue(name, passive=True)
    return queue.declaration_result.message_count


def test_a_thousand_confirmed_messages_are_each_settled_once(broker: Broker, unique_name: str) -> None:
    """Publishes in flight together are all confirmed; each message is settled as its consumer chooses."""

    async def scenario() -> None:
        async with open_queue(broker, unique_name) as (channel, queue):
            exchange = await channel.get_exchange(unique_name)
            messages = [aio_pika.Message(body) for body in numbered_bodies()]
            for start in range(0, TOTAL, AT_ONCE):
                batch = messages[start : start + AT_ONCE]
                await asyncio.gather(*(exchange.publish(message, "order.new") for message in batch))
            assert TOTAL == await ready(channel, unique_name)
            await channel.set_qos(prefetch_count=PREFETCH)
            tally = Tally()
            async with queue.iterator() as deliveries:
                async for message in deliveries:
                    choice = tally.choose(message.body, redelivered=bool(message.redelivered))
                    if choice == "acked":
                        await message.ack()
                    elif choice == "requeued":
                        await message.nack(requeue=True)
                    else:
                        await message.reject(requeue=False)
                    if tally.is_complete:
                        break
            assert SETTLED == tally.counts
            assert 0 == await ready(channel, unique_name)

    asyncio.run(scenario())


def test_prefetch_bounds_the_unacknowledged_messages(broker: Broker, unique_name: str) -> None:
    """With a prefetch of ten, ten of twenty messages leave the queue, and one more with each ack."""

    async def scenario() -> None:
        async with open_queue(broker, unique_name) as (channel, queue):
            for _ in range(2 * PREFETCH):
                await channel.default_exchange.publish(aio_pika.Message(b""), unique_name)
            await channel.set_qos(prefetch_count=PREFETCH)
            arrived: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(arrived.put)
            messages = [await arrived.get() for _ in range(PREFETCH)]
            assert PREFETCH == await ready(channel, unique_name)
            await messages[0].ack()
            await arrived.get()
            assert PREFETCH - 1 == await ready(channel, unique_name)

    asyncio.run(scenario())


def test_an_unroutable_mandatory_message_comes_back(broker: Broker, unique_name: str) -> None:
    """The publish raises the return, with code 312 and the body."""

    async def scenario() -> None:
        async with open_queue(broker, unique_name) as (channel, _):
            exchange = await channel.get_exchange(unique_name)
            with pytest.raises(PublishError) as caught:
                await exchange.publish(aio_pika.Message(b"lost"), "nowhere", mandatory=True)
            returned = caught.value.message
            assert (312, "NO_ROUTE") == (returned.delivery.reply_code, returned.delivery.reply_text)
            assert b"lost" == returned.body

    asyncio.run(scenario())


def test_headers_and_properties_arrive_as_sent(broker: Broker, unique_name: str) -> None:
    """The properties and each kind of header value survive the round trip."""
    sent = aio_pika.Message(
        b"",
        headers=HEADERS,
        content_type="text/plain",
        content_encoding="utf-8",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        priority=7,
        correlation_id="c-1",
        reply_to="replies",
        expiration=60,
        message_id="m-1",
        timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        type="greeting",
        user_id="guest",
        app_id="tests",
    )

    async def scenario() -> None:
        async with open_queue(broker, unique_name) as (channel, queue):
            await channel.default_exchange.publish(sent, unique_name)
            received = await queue.get(no_ack=True)
            properties = {name: value for name, value in sent.info().items() if value is not None}
            assert properties == {name: received.info()[name] for name in properties}

    asyncio.run(scenario())


def test_a_body_of_a_mebibyte_arrives_whole(broker: Broker, unique_name: str) -> None:
    """A body that spans many frames is put together again."""
    body = bytes(range(256)) * 4096

    async def scenario() -> None:
        async with open_queue(broker, unique_name) as (channel, queue):
            await channel.default_exchange.publish(aio_pika.Message(body), unique_name)
            assert body == (await queue.get(no_ack=True)).body

    asyncio.run(scenario())


def test_a_transaction_publishes_on_commit_alone(broker: Broker, unique_name: str) -> None:
    """Messages are not visible before the commit, and a rollback forgets them."""

    async def scenario() -> None:
        async with open_queue(broker, unique_name, confirms=False) as (channel, queue):
            transaction = channel.transaction()
            await transaction.select()
            await channel.default_exchange.publish(aio_pika.Message(b"rolled back"), unique_name)
            await transaction.rollback()
            await channel.default_exchange.publish(aio_pika.Message(b"committed"), unique_name)
            assert 0 == await ready(channel, unique_name)
            await transaction.commit()
            assert 1 == await ready(channel, unique_name)
            assert b"committed" == (await queue.get(no_ack=True)).body

    asyncio.run(scenario())


def test_a_missing_queue_closes_the_channel_alone(broker: Broker, unique_name: str) -> None:
    """A passive declare of a queue that is not there gives 404; the connection goes on."""

    async def scenario() -> None:
        async with await aio_pika.connect(broker.url) as connection:
            channel = await connection.channel()
            with pytest.raises(ChannelNotFoundEntity, match=f"NOT_FOUND - no queue '{unique_name}' in vhost '/'"):
                await channel.declare_queue(unique_name, passive=True)
            queue = await (await connection.channel()).declare_queue(exclusive=True)
            assert 0 == queue.declaration_result.message_count

    asyncio.run(scenario())


def test_a_robust_connection_goes_on_after_a_restart(own_broker: Broker, unique_name: str) -> None:
    """The client finds the broker again, declares its queue again and goes on consuming."""
    own_broker.require_restart()

    async def scenario() -> None:
        connection: AbstractRobustConnection
        async with await aio_pika.connect_robust(own_broker.url, reconnect_interval=0.1) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(unique_name, auto_delete=True)
            arrived: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(arrived.put, no_ack=True)
            is_back = asyncio.Event()
            connection.reconnect_callbacks.add(lambda *_: is_back.set())
            await asyncio.to_thread(own_broker.restart)
            await is_back.wait()
            await channel.default_exchange.publish(aio_pika.Message(b"after"), unique_name)
            assert b"after" == (await arrived.get()).body

    asyncio.run(scenario())

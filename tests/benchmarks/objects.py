"""Many of a kind: queues, bindings, consumers, idle connections."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from benchmarks.client import (
    BIND_OK_SIZE,
    DELETE_OK_SIZE,
    EMPTY_TABLE,
    Client,
    consume,
    consume_ok_size,
    declare_ok_size,
    declare_queue,
    delete_queue,
    delivery_size,
    method,
    publish,
    short,
)
from benchmarks.contestants import MB, Amqpd, Contestant
from benchmarks.pairs import Stream, carry
from benchmarks.results import Figures
from benchmarks.workload import Measured, scaled

QUEUES: Final = (1_000, 10_000, 50_000)
BINDINGS: Final = (1_000, 10_000, 100_000, 200_000)
CONSUMERS: Final = (1, 10, 100, 1_000, 10_000, 100_000)
CONNECTIONS: Final = (1_000, 5_000)
OTHERS_LIMIT: Final = {QUEUES: 10_000, BINDINGS: 10_000, CONSUMERS: 10_000, CONNECTIONS: 5_000}
"""Where a broker that is not ours stops: RabbitMQ needs minutes beyond, and minutes more to delete it all."""

MESSAGES: Final = 200_000
BODY: Final = b"x" * 100
AT_ONCE: Final = 500
"""Messages to a write."""

CHANNELS: Final = 100
EXCHANGE: Final = "bench-topic"
KEY_COUNT: Final = 1_000
"""Routing keys in turn where a cache may know them."""


def points(counts: tuple[int, ...], contestant: Contestant, scale: float) -> list[int]:
    """The counts that a broker is measured at."""
    limit = max(counts) if isinstance(contestant, Amqpd) else OTHERS_LIMIT[counts]
    return sorted({scaled(count, scale) for count in counts if count <= limit})


def in_writes(messages: Iterator[bytes]) -> list[bytes]:
    """Messages put together in writes of AT_ONCE."""
    writes = []
    while some := list(islice(messages, AT_ONCE)):
        writes.append(b"".join(some))
    return writes


def queues(contestant: Contestant, scale: float) -> Measured:
    """Durable queues: how fast they are declared, what one takes, publishing to all of them in turn and to one.

    Each message has an identifier of its own, so that none repeats another, whether they go to one queue or to all.
    """
    contestant.renew()
    client = Client(contestant)
    there, before = 0, contestant.memory_mb()
    for point in points(QUEUES, contestant, scale):
        names = [queue_name(number) for number in range(there, point)]
        seconds = client.pipeline([declare_queue(name, durable=True) for name in names], declare_ok_size(names[0]))
        there = point
        kb_each = (contestant.memory_mb() - before) * MB / 1000 / point
        yield "queues", str(point), {"rate": len(names) / seconds, "kb_each": kb_each}
    for point in points(QUEUES, contestant, scale):
        yield "queues", str(point), publish_over(contestant, client, point, scaled(MESSAGES, scale * contestant.pace))
    if isinstance(contestant, Amqpd):
        client.close()
        yield "queues-restart", str(there), {"restart_s": contestant.stop_and_start()}
        client = Client(contestant)
    seconds = client.pipeline([delete_queue(queue_name(number)) for number in range(there)], DELETE_OK_SIZE)
    yield "queues-delete", str(there), {"rate": there / seconds}
    client.close()


def publish_over(contestant: Contestant, client: Client, queues: int, messages: int) -> Figures:
    """The rates of publishing about so many messages to one queue and to all, transient, then persistent with confirms."""
    rounds = max(1, messages // AT_ONCE)
    figures: Figures = {}
    for prefix, persistent in (("", False), ("kept_", True)):
        seconds = []
        for targets in (1, queues):
            writes = in_writes(numbered(number, targets, persistent=persistent) for number in range(rounds * AT_ONCE))
            publisher = Client(contestant)
            seconds.append(publisher.flood_confirmed(writes, AT_ONCE) if persistent else publisher.flood(writes))
            publisher.close()
            client.pipeline([purge(queue_name(number)) for number in range(targets)], DELETE_OK_SIZE)
        one, all_of_them = seconds
        figures[f"{prefix}one_rate"] = rounds * AT_ONCE / one
        figures[f"{prefix}all_rate"] = rounds * AT_ONCE / all_of_them
        figures[f"{prefix}all_to_one"] = one / all_of_them
    return figures


def numbered(number: int, queues: int, *, persistent: bool) -> bytes:
    """A message that differs from all others, to one of the queues in turn, neighbours far apart."""
    return publish("", queue_name(number * 7919 % queues), BODY, f"{number:010}", persistent=persistent)


def queue_name(number: int) -> str:
    """Names of one length."""
    return f"bench-queue-{number:06}"


def purge(queue: str) -> bytes:
    """A queue.purge, whose answer is as long as that to queue.delete."""
    return method(1, 50, 30, bytes(2), short(queue), b"\0")


def bindings(contestant: Contestant, scale: float) -> Measured:
    """Wildcard bindings of a topic exchange; every message matches one of them. Keys known before, then all new."""
    contestant.renew()
    client = Client(contestant)
    queue = "bench-bound"
    client.call(declare_queue(queue), (50, 11))
    client.call(method(1, 40, 10, bytes(2), short(EXCHANGE), short("topic"), b"\0", EMPTY_TABLE), (40, 11))
    count = scaled(MESSAGES, scale, least=AT_ONCE)
    there = 0
    for point in points(BINDINGS, contestant, scale):
        seconds = client.pipeline([bind(queue, pattern(number)) for number in range(there, point)], BIND_OK_SIZE)
        figures = {"rate": (point - there) / seconds}
        there = point
        cold = in_writes(publish(EXCHANGE, key(number * 7919 % point, f"n{number}"), BODY) for number in range(count))
        figures["cold_rate"] = count / client.flood(cold)
        known = [publish(EXCHANGE, key(number * 7919 % point, "same"), BODY) for number in range(KEY_COUNT)]
        client.flood(known)
        client.pipeline([purge(queue)], DELETE_OK_SIZE)
        figures["cached_rate"] = count / client.flood(in_writes(known[number % KEY_COUNT] for number in range(count)))
        client.pipeline([purge(queue)], DELETE_OK_SIZE)
        yield "bindings", str(point), figures
    client.call(delete_queue(queue), (50, 41))
    client.call(method(1, 40, 20, bytes(2), short(EXCHANGE), b"\0"), (40, 21))
    client.close()


def pattern(number: int) -> str:
    """A binding key with wildcards: a third has them behind its own word, a third on both sides, a third in front."""
    return (f"k{number}.*.end", f"*.k{number}.#", f"#.k{number}")[number % 3]


def key(number: int, word: str) -> str:
    """A routing key that pattern(number) matches and no other does."""
    return (f"k{number}.{word}.end", f"a.k{number}.{word}", f"a.{word}.k{number}")[number % 3]


def bind(queue: str, binding_key: str) -> bytes:
    """A queue.bind to the topic exchange."""
    return method(1, 50, 20, bytes(2), short(queue), short(EXCHANGE), short(binding_key), b"\0", EMPTY_TABLE)


def consumers(contestant: Contestant, scale: float) -> Measured:
    """Consumers of one queue, on a hundred channels, that messages go round."""
    contestant.renew()
    publisher, consumer = Client(contestant), Client(contestant, CHANNELS)
    queue = "bench-shared"
    publisher.call(declare_queue(queue), (50, 11))
    there, before = 0, contestant.memory_mb()
    count = scaled(MESSAGES, scale, least=AT_ONCE)
    message = publish("", queue, BODY)
    for point in points(CONSUMERS, contestant, scale):
        tags = [consumer_tag(number) for number in range(there, point)]
        requests = [consume(number % CHANNELS + 1, queue, consumer_tag(number)) for number in range(there, point)]
        seconds = consumer.pipeline(requests, consume_ok_size(tags[0]))
        figures = {"consume_rate": len(tags) / seconds, "kb_each": (contestant.memory_mb() - before) * MB / 1000 / point}
        there = point
        outgoing = Stream(publisher, len(message) * count, message * AT_ONCE)
        incoming = Stream(consumer, delivery_size(tags[0], "", queue, BODY) * count)
        figures["rate"] = count / carry([outgoing], [incoming])
        yield "consumers", str(point), figures
    publisher.call(delete_queue(queue), (50, 41))
    for client in (publisher, consumer):
        client.socket.close()


def consumer_tag(number: int) -> str:
    """Tags of one length."""
    return f"consumer-{number:06}"


def idle(contestant: Contestant, scale: float) -> Measured:
    """Connections with one channel that do nothing."""
    contestant.renew()
    before = contestant.memory_mb()
    clients: list[Client] = []
    for point in points(CONNECTIONS, contestant, scale):
        clients += [Client(contestant) for _ in range(point - len(clients))]
        yield "idle", str(point), {"kb_each": (contestant.memory_mb() - before) * MB / 1000 / point}
    for client in clients:
        client.close()

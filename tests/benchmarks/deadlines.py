"""Messages that wait for a time: those that expire, those that a delayed exchange holds back."""

import struct
import time
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from benchmarks import loadgen
from benchmarks.client import Client, arguments, declare_queue, delete_queue, frame, method, short
from benchmarks.contestants import Amqpd, Contestant, Failed
from benchmarks.results import Figures
from benchmarks.workload import Measured, scaled

GROUP: Final = "time"
MESSAGES: Final = 1_000_000
BODY: Final = b"x" * 100
AT_ONCE: Final = 500
"""Messages to a write."""

QUEUE: Final = "bench-deadlines"
LETTERS: Final = "bench-letters"
EXCHANGE: Final = "bench-delayed"

LIFE_SECONDS: Final = 40
"""Longer than a million messages take to be published; longer with a larger scale, and for those that are held back."""
DELAY_SECONDS: Final = 75
SPREAD_MS: Final = 1000
"""Deadlines that differ lie in so many milliseconds."""
IDLE_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.02
LATEST_SECONDS: Final = 300.0

FLOW: Final = "pair --size 100 --rate 1000"
"""What goes through another queue meanwhile, to see whether it is held up."""


class Kind(NamedTuple):
    """What expires."""

    persistent: bool
    mixed: bool
    """Each message has a time to live of its own, and all are due within `SPREAD_MS`; else the queue has one."""
    lettered: bool
    """They go on to another queue."""


KINDS: Final = {
    "transient, TTL of the queue": Kind(persistent=False, mixed=False, lettered=False),
    "persistent, TTL of the queue": Kind(persistent=True, mixed=False, lettered=False),
    "transient, mixed": Kind(persistent=False, mixed=True, lettered=False),
    "persistent, mixed": Kind(persistent=True, mixed=True, lettered=False),
    "transient, mixed, dead-lettered": Kind(persistent=False, mixed=True, lettered=True),
    "persistent, mixed, dead-lettered": Kind(persistent=True, mixed=True, lettered=True),
}
DELAYED: Final = "delayed"


def deadlines(contestant: Contestant, scale: float) -> Measured:
    """Everything in this file."""
    assert isinstance(contestant, Amqpd)
    count = scaled(MESSAGES, scale, least=AT_ONCE) // AT_ONCE * AT_ONCE
    for point, kind in KINDS.items():
        contestant.renew()
        yield GROUP, point, expiry(contestant, kind, count, round(LIFE_SECONDS * 1000 * max(0.5, scale)))
    contestant.renew()
    yield GROUP, DELAYED, delay(contestant, count, round(DELAY_SECONDS * 1000 * max(0.5, scale)))
    contestant.renew()


# --- expiry ------------------------------------------------------------------------------------------------------------


def expiry(contestant: Contestant, kind: Kind, count: int, life_ms: int) -> Figures:
    """The CPU time of waiting, then the rate of expiring, and how long other messages were held up by it."""
    client = Client(contestant)
    client.call(declare_queue(LETTERS, durable=True), (50, 11))
    client.call(declare_queue(QUEUE, durable=kind.persistent, table=_queue_arguments(kind, life_ms)), (50, 11))
    before = time.monotonic()
    filled = client.flood(_mortals(kind, count, before, life_ms))
    first_due = before + life_ms / 1000
    waiting = ready(client, QUEUE)
    if waiting != count or time.monotonic() > first_due - IDLE_SECONDS - 1:
        raise Failed(f"{waiting} of {count} messages wait after {filled:.0f} s, which is too late")
    figures = {"fill_rate": count / filled, "memory_mb": contestant.memory_mb()}
    time.sleep(max(0.0, first_due - IDLE_SECONDS - 1 - time.monotonic()))
    spent = contestant.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    figures["idle_cpu_percent"] = (contestant.cpu_seconds() - spent) / IDLE_SECONDS * 100
    seconds = SPREAD_MS / 1000 if kind.mixed else filled
    figures |= _watch(contestant, client, kind, count, first_due, seconds)
    client.call(delete_queue(QUEUE), (50, 41))
    client.call(delete_queue(LETTERS), (50, 41))
    client.close()
    return figures


def _queue_arguments(kind: Kind, life_ms: int) -> bytes:
    found: dict[str, str | int] = {}
    if not kind.mixed:
        found["x-message-ttl"] = life_ms
    if kind.lettered:
        found |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": LETTERS}
    return arguments(found)


def _mortals(kind: Kind, count: int, begin: float, life_ms: int) -> Iterator[bytes]:
    """Writes of messages that are due a time after begin, those of a write at one of a hundred moments."""
    for _ in range(count // AT_ONCE):
        if kind.mixed:
            left = life_ms - round((time.monotonic() - begin) * 1000)
            step = SPREAD_MS // 100
            part = [publish("", QUEUE, kind.persistent, str(left + step * number)) for number in range(100)]
            yield b"".join(part * (AT_ONCE // 100))
        else:
            yield publish("", QUEUE, kind.persistent) * AT_ONCE


def _watch(contestant: Contestant, client: Client, kind: Kind, count: int, first_due: float, spread: float) -> Figures:
    """The rate at which the queue empties, and how late the last message goes."""
    spent = contestant.cpu_seconds()
    flow = loadgen.begin(contestant, f"{FLOW} --count {round(1000 * (spread + 6))}")
    while ready(client, QUEUE):
        if time.monotonic() > first_due + LATEST_SECONDS:
            raise Failed("messages do not expire")
        time.sleep(POLL_SECONDS)
    ended = time.monotonic()
    spent = contestant.cpu_seconds() - spent
    if kind.lettered and ready(client, LETTERS) != count:
        raise Failed(f"{ready(client, LETTERS)} dead letters of {count}")
    meanwhile = loadgen.end(flow)["sub"]
    return {
        "rate": count / (ended - first_due),
        "late_s": ended - first_due - spread,
        "per_cpu_s": count / max(spent, 0.01),
        "max_ms": float(meanwhile["max_ms"]),
        "p99_ms": float(meanwhile["p99_ms"]),
    }


def ready(client: Client, queue: str) -> int:
    """How many messages of a queue are ready."""
    answer = client.call(method(1, 50, 10, bytes(2), short(queue), b"\1", bytes(4)), (50, 11))
    return int.from_bytes(answer[-8:-4], "big")


def publish(exchange: str, routing_key: str, persistent: bool, expiration: str = "", delay_ms: int = 0) -> bytes:
    """All frames of one message."""
    flags, properties = 0x1000, bytes([2 if persistent else 1])
    if expiration:
        flags |= 0x0100
        properties += short(expiration)
    if delay_ms:
        flags |= 0x2000
        properties = arguments({"x-delay": delay_ms}) + properties
    return (
        method(1, 60, 40, bytes(2), short(exchange), short(routing_key), b"\0")
        + frame(2, 1, struct.pack(">HHQH", 60, 0, len(BODY), flags) + properties)
        + frame(3, 1, BODY)
    )


# --- delays ------------------------------------------------------------------------------------------------------------


def delay(contestant: Amqpd, count: int, life_ms: int) -> Figures:
    """A durable delayed exchange is filled, the broker killed and started again, and all comes due within `SPREAD_MS`."""
    client = Client(contestant)
    table = arguments({"x-delayed-type": "direct"})
    client.call(declare_queue(QUEUE, durable=True), (50, 11))
    client.call(method(1, 40, 10, bytes(2), short(EXCHANGE), short("x-delayed-message"), b"\2", table), (40, 11))
    client.call(method(1, 50, 20, bytes(2), short(QUEUE), short(EXCHANGE), short(QUEUE), b"\0", bytes(4)), (50, 21))
    spent, memory = contestant.cpu_seconds(), contestant.memory_mb()
    before = time.monotonic()
    filled = client.flood_confirmed(_sleepers(count, before, life_ms), AT_ONCE)
    first_due = before + life_ms / 1000
    figures = {
        "fill_rate": count / filled,
        "fill_per_cpu_s": count / (contestant.cpu_seconds() - spent),
        "memory_mb": contestant.memory_mb() - memory,
    }
    client.socket.close()
    figures["restart_s"] = contestant.kill_and_start()
    client = Client(contestant)
    time.sleep(max(0.0, first_due - time.monotonic()))
    spent = contestant.cpu_seconds()
    flow = loadgen.begin(contestant, f"{FLOW} --count 8000")
    while ready(client, QUEUE) < count:
        if time.monotonic() > first_due + LATEST_SECONDS:
            raise Failed(f"{ready(client, QUEUE)} of {count} messages came")
        time.sleep(POLL_SECONDS)
    ended = time.monotonic()
    figures["rate"] = count / (ended - first_due)
    figures["per_cpu_s"] = count / (contestant.cpu_seconds() - spent)
    figures["max_ms"] = float(loadgen.end(flow)["sub"]["max_ms"])
    client.close()
    return figures


def _sleepers(count: int, begin: float, life_ms: int) -> Iterable[bytes]:
    """Writes of messages that are due a time after begin, in another order than they come in."""
    for _ in range(count // AT_ONCE):
        left = life_ms - round((time.monotonic() - begin) * 1000)
        step = SPREAD_MS // 100
        part = [publish(EXCHANGE, QUEUE, True, delay_ms=left + step * (number * 37 % 100)) for number in range(100)]
        yield b"".join(part * (AT_ONCE // 100))

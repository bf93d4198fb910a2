"""What amqpd is meant to reach, and how the figures tell."""

import operator
from collections.abc import Callable
from typing import Final, NamedTuple

from benchmarks.deadlines import DELAYED, KINDS
from benchmarks.results import AMQPD, RABBITMQ, Results
from benchmarks.watching import SCRAPES

Measure = Callable[[Results], float | None]


class Target(NamedTuple):
    """One promise: a measured value, None without a figure, at least or at most as large as a limit."""

    what: str
    measure: Measure
    relation: str
    limit: float
    unit: str

    def verdict(self, results: Results) -> str:
        """Whether it is kept: met, missed, or not measured."""
        if self.measure(results) is None:
            return "not measured"
        return "**missed**" if self.is_missed(results) else "met"

    def is_missed(self, results: Results) -> bool:
        """Whether it was measured and is not kept."""
        value = self.measure(results)
        return value is not None and not RELATIONS[self.relation](value, self.limit)


RELATIONS: Final = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


def figure(group: str, point: str, name: str) -> Measure:
    """A figure of amqpd's."""
    return lambda results: results.value(group, point, AMQPD, name)


def times(cell: str, name: str = "rate") -> Measure:
    """A figure of a cell as a multiple of RabbitMQ's."""

    def measure(results: Results) -> float | None:
        ours, theirs = (results.value("cells", cell, broker, name) for broker in (AMQPD, RABBITMQ))
        return ours / theirs if ours is not None and theirs else None

    return measure


def last(group: str, name: str) -> Measure:
    """A figure of amqpd's at the largest point of a group."""

    def measure(results: Results) -> float | None:
        series = results.series(group, AMQPD, name)
        return series[-1][1] if series else None

    return measure


def largest(group: str, name: str) -> Measure:
    """The largest of a figure of amqpd's over a group."""
    return lambda results: max((value for _, value in results.series(group, AMQPD, name)), default=None)


def last_to_first(group: str, name: str) -> Measure:
    """A figure of amqpd's at the largest point of a group, relative to the smallest."""

    def measure(results: Results) -> float | None:
        series = results.series(group, AMQPD, name)
        return series[-1][1] / series[0][1] if series else None

    return measure


TIMES: Final = "x RabbitMQ"
RATES: Final = {
    "t16": 6,
    "t1k": 4,
    "c1k": 5,
    "c1k1": 6.5,
    "d1k": 6.5,
    "d1k1": 9,
    "sync1": 1.5,
    "fan10": 8,
    "prio": 4,
    "back": 7,
}
FOR_CPU: Final = {"t16": 800_000, "t1k": 350_000, "c1k": 240_000, "c1k1": 240_000}

TARGETS: Final = (
    *(Target(f"`{cell}`", times(cell), "≥", limit, TIMES) for cell, limit in RATES.items()),
    *(
        Target(f"`{cell}`, {name[:3]}", times(cell, name), "≤", 0.5, TIMES)
        for cell in ("lat", "latd")
        for name in ("p50_ms", "p99_ms")
    ),
    Target("`latd8`, p99", times("latd8", "p99_ms"), "≤", 1, TIMES),
    *(
        Target(f"`{cell}`, messages for a CPU second of the broker", figure("cells", cell, "per_cpu_s"), "≥", limit, "")
        for cell, limit in FOR_CPU.items()
    ),
    Target(
        "longest latency in a minute of 2,000 persistent messages a second", figure("life", "pause", "max_ms"), "≤", 20, "ms"
    ),
    Target("1,000,000 messages queued: rate of the last tenth to the first", last_to_first("depth", "rate"), "≥", 0.9, "x"),
    Target("1,000,000 messages queued: memory", largest("depth", "memory_mb"), "<", 250, "MB"),
    Target("1,000,000 messages drained while publishing goes on", last("depth-drain", "rate"), "≥", 150_000, "/s"),
    Target(
        "10,000,000 messages queued: rate of the last million to the first", last_to_first("deepest", "rate"), "≥", 0.9, "x"
    ),
    Target("10,000,000 messages queued: memory", largest("deepest", "memory_mb"), "<", 250, "MB"),
    Target("10,000,000 messages drained while publishing goes on", last("deepest-drain", "rate"), "≥", 150_000, "/s"),
    Target("50,000 durable queues declared", last("queues", "rate"), "≥", 5_000, "/s"),
    Target("50,000 durable queues: memory of one", last("queues", "kb_each"), "<", 8, "KB"),
    Target("publishing over 50,000 queues, relative to one", last("queues", "all_to_one"), "≥", 0.8, "x"),
    Target(
        "publishing persistent messages over 50,000 queues, relative to one", last("queues", "kept_all_to_one"), "≥", 0.8, "x"
    ),
    Target("start with 50,000 queues", last("queues-restart", "restart_s"), "<", 5, "s"),
    Target("200,000 topic bindings, known routing keys", last("bindings", "cached_rate"), "≥", 200_000, "/s"),
    Target("5,000 idle connections with a channel: memory of one", last("idle", "kb_each"), "<", 30, "KB"),
    Target("1,000 connections at once, relative to one pair", last_to_first("connections", "rate"), "≥", 0.7, "x"),
    Target("100,000 consumers of one queue are served: messages", last("consumers", "rate"), "≥", 1, "/s"),
    *(
        Target(
            f"1,000,000 messages wait for their deadlines ({kind}): CPU", figure("time", kind, "idle_cpu_percent"), "<", 1, "%"
        )
        for kind in KINDS
    ),
    *(
        Target(f"1,000,000 messages expire ({kind})", figure("time", kind, "rate"), "≥", 50_000, "/s")
        for kind, each in KINDS.items()
        if each.mixed
    ),
    Target(
        "`t1k` while `/api/queues` with 10,000 queues is polled: what is left",
        figure("watching", "polls", "left"),
        "≥",
        0.85,
        "x",
    ),
    *(Target(f"{point} of 10,000 queues", figure("watching", point, "seconds"), "<", 1, "s") for point in SCRAPES),
    *(
        Target(
            f"{point} of 10,000 queues: longest latency of other messages", figure("watching", point, "max_ms"), "≤", 10, "ms"
        )
        for point in SCRAPES
    ),
    Target("definitions of 50,000 queues imported", figure("watching", "import", "seconds"), "<", 30, "s"),
    Target("1,000,000 messages scheduled: memory", figure("time", DELAYED, "memory_mb"), "<", 100, "MB"),
    Target(
        "1,000,000 messages scheduled, all of them there after a restart and given out",
        figure("time", DELAYED, "rate"),
        "≥",
        20_000,
        "/s",
    ),
    Target("a policy for 10,000 queues takes effect", figure("policies", "set", "effect_ms"), "<", 1_000, "ms"),
    Target("longest latency while it does", figure("policies", "set", "max_ms"), "≤", 20, "ms"),
    Target("start with an empty folder", figure("life", "start-empty", "seconds"), "<", 0.3, "s"),
    Target("start with 10,000 queues and 5,000,000 messages", figure("life", "start-full", "seconds"), "<", 3, "s"),
    Target("SIGTERM to exit under load", figure("life", "stop", "seconds"), "<", 2, "s"),
    Target(
        "data folder after 2,000,000 messages went past 100,000 that stay, to before",
        figure("life", "files", "times"),
        "<",
        2,
        "x",
    ),
    Target("the same with 10,000,000 that went past", figure("life", "files-deep", "times"), "<", 2, "x"),
)

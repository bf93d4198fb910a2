"""Single figures: one kind of traffic each, at full speed or, for latency, at a rate."""

from typing import Final, NamedTuple

from benchmarks import loadgen
from benchmarks.contestants import Contestant
from benchmarks.results import Figures
from benchmarks.workload import Measured, scaled

GROUP: Final = "cells"
BACKLOG: Final = "bench-backlog"


class Cell(NamedTuple):
    """One kind of traffic."""

    what: str
    messages: int
    arguments: str


LATENCIES: Final = ("p50_ms", "p99_ms", "max_ms")
CONFIRMS: Final = "--confirm 1000 --prefetch 100"
CELLS: Final = {
    "t16": Cell("transient 16 B, auto-ack", 400_000, "pair --size 16"),
    "t1k": Cell("transient 1 KB, auto-ack", 300_000, "pair --size 1024"),
    "c1k": Cell("transient 1 KB, confirms, acks x10", 200_000, f"pair --size 1024 {CONFIRMS} --ack-every 10"),
    "c1k1": Cell("transient 1 KB, confirms, single acks", 150_000, f"pair --size 1024 {CONFIRMS} --ack-every 1"),
    "d1k": Cell("persistent 1 KB, confirms, acks x10", 150_000, f"pair --size 1024 --persistent {CONFIRMS} --ack-every 10"),
    "d1k1": Cell("persistent 1 KB, confirms, single acks", 100_000, f"pair --size 1024 --persistent {CONFIRMS} --ack-every 1"),
    "sync1": Cell(
        "persistent 1 KB, one confirm at a time",
        3_000,
        "pair --size 1024 --persistent --confirm 1 --prefetch 100 --ack-every 1",
    ),
    "fan10": Cell("transient 100 B, fanout to 10 queues", 60_000, "pair --size 100 --fanout 10"),
    "big": Cell(
        "persistent 256 KB, confirms",
        3_000,
        "pair --size 262144 --persistent --confirm 50 --prefetch 20 --ack-every 1",
    ),
    "prio": Cell(
        "transient 100 B, priority queue",
        150_000,
        f"pair --size 100 {CONFIRMS} --ack-every 10 --arg x-max-priority=10",
    ),
    "lat": Cell("1 KB transient at 5,000/s: latency", 15_000, "pair --size 1024 --rate 5000"),
    "latd": Cell(
        "1 KB persistent, confirms, 2,000/s: latency",
        6_000,
        f"pair --size 1024 --persistent {CONFIRMS} --ack-every 1 --rate 2000",
    ),
    "latd8": Cell(
        "1 KB persistent, confirms, 8,000/s: latency",
        24_000,
        f"pair --size 1024 --persistent {CONFIRMS} --ack-every 1 --rate 8000",
    ),
    "back": Cell(
        "persistent 1 KB into a growing backlog",
        300_000,
        f"pub --size 1024 --persistent --confirm 1000 --queue {BACKLOG}",
    ),
}


class CellWorkload:
    """Measures one cell: its rate or, at a given rate, latency; messages for a CPU second of the broker's; its memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cell = CELLS[name]

    def __call__(self, contestant: Contestant, scale: float) -> Measured:
        count = scaled(self.cell.messages, scale * contestant.pace, least=100)
        before = contestant.cpu_seconds()
        roles = loadgen.run(contestant, f"{self.cell.arguments} --count {count}")
        spent = contestant.cpu_seconds() - before
        figures = read(roles, LATENCIES if "--rate" in self.cell.arguments else ("rate",))
        figures["memory_mb"] = contestant.memory_mb()
        if spent > 0:
            figures["per_cpu_s"] = count / spent
        yield GROUP, self.name, figures
        if BACKLOG in self.cell.arguments:
            loadgen.run(contestant, f"del --queue {BACKLOG}")


def read(roles: dict[str, loadgen.Role], names: tuple[str, ...]) -> Figures:
    """These figures of a report, the consumer's if there is one."""
    last = roles.get("sub") or roles["pub"]
    figures = {name: float(last[name]) for name in names}
    if "quarters" in last:
        first, *_, fourth = last["quarters"]
        figures["last_to_first"] = fourth / first
    return figures

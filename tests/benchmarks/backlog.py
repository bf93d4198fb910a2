"""Throughput against message size, and against the depth of a queue."""

from typing import Final

from benchmarks import loadgen
from benchmarks.contestants import Amqpd, Contestant
from benchmarks.workload import Measured, scaled

SIZES: Final = {16: 150_000, 256: 150_000, 1024: 150_000, 4096: 80_000, 16_384: 40_000, 65_536: 12_000, 262_144: 3_000}
"""Octets in a body → how many of them are published."""

DEPTH: Final = 1_000_000
DEEPEST: Final = 10_000_000
PARTS: Final = 10
"""The backlog is published in so many parts: each is a point."""
OTHERS_PARTS: Final = 3
"""Where a broker that is not ours stops: RabbitMQ needs minutes beyond."""

QUEUE: Final = "bench-depth"
PUBLISH: Final = f"pub --size 1024 --persistent --confirm 1000 --queue {QUEUE}"
MEANWHILE_RATE: Final = 2000
"""Messages a second that are published while the backlog is drained."""
ENDLESS: Final = 100_000_000


def sizes(contestant: Contestant, scale: float) -> Measured:
    """Transient messages of growing size through one queue."""
    for size, count in SIZES.items():
        roles = loadgen.run(contestant, f"pair --size {size} --count {scaled(count, scale * contestant.pace, least=100)}")
        yield "size", str(size), {"rate": float(roles["sub"]["rate"])}


def depth(contestant: Contestant, scale: float) -> Measured:
    """Persistent 1 KB messages into one queue, then out of it while some still come in."""
    yield from fill_and_drain(contestant, scaled(DEPTH, scale, least=1000), "depth")


def deepest(contestant: Contestant, scale: float) -> Measured:
    """The same with ten times as many messages: some 12 GB of disk."""
    yield from fill_and_drain(contestant, scaled(DEEPEST, scale, least=1000), "deepest")


def fill_and_drain(contestant: Contestant, total: int, group: str) -> Measured:
    """The rate and memory of each part in `group`, the drain in `group`-drain."""
    contestant.renew()
    part = total // PARTS
    parts = PARTS if isinstance(contestant, Amqpd) else OTHERS_PARTS
    there = part * parts
    for number in range(1, parts + 1):
        roles = loadgen.run(contestant, f"{PUBLISH} --count {part}")
        figures = {"rate": float(roles["pub"]["rate"]), "memory_mb": contestant.memory_mb()}
        yield group, str(part * number), figures
    if isinstance(contestant, Amqpd):
        yield f"{group}-drain", str(there), {"data_mb": contestant.data_mb(), "restart_s": contestant.stop_and_start()}
    publisher = loadgen.begin(contestant, f"{PUBLISH} --rate {MEANWHILE_RATE} --count {ENDLESS}")
    drained = loadgen.run(contestant, f"sub --queue {QUEUE} --prefetch 500 --ack-every 50 --count {there}")["sub"]
    publisher.kill()
    publisher.communicate()
    yield f"{group}-drain", str(there), {"rate": float(drained["rate"]), "memory_mb": contestant.memory_mb()}
    loadgen.run(contestant, f"del --queue {QUEUE}")

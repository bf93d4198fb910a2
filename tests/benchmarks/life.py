"""Start, stop, disk and pauses of amqpd."""

import time
from typing import Final

from benchmarks import loadgen
from benchmarks.client import Client, declare_ok_size, declare_queue
from benchmarks.contestants import Amqpd, Contestant, Failed
from benchmarks.objects import queue_name
from benchmarks.workload import Measured, scaled

QUEUES: Final = 10_000
BACKLOG: Final = 5_000_000
THROUGH: Final = 2_000_000
LIVE: Final = 100_000
PAUSE_MESSAGES: Final = 120_000
"""A minute's worth at the rate below."""

LOAD_SECONDS: Final = 2.0
PERSISTENT: Final = "--size 1024 --persistent --confirm 1000"
PAIR: Final = f"pair {PERSISTENT} --prefetch 100 --ack-every 10"
QUEUE: Final = "bench-life"


def life(contestant: Contestant, scale: float) -> Measured:
    """Everything in this file, for an amqpd of ours."""
    assert isinstance(contestant, Amqpd)
    yield "life", "start-empty", {"seconds": contestant.renew(), "memory_mb": contestant.memory_mb()}
    pause = loadgen.run(contestant, f"{PAIR} --rate 2000 --count {scaled(PAUSE_MESSAGES, scale, least=1000)}")["sub"]
    yield "life", "pause", {name: float(pause[name]) for name in ("p50_ms", "p99_ms", "max_ms")}
    yield "life", "stop", {"seconds": stop_under_load(contestant)}
    contestant.renew()
    yield from files(contestant, scaled(LIVE, scale, least=1000), scaled(THROUGH, scale, least=1000))
    contestant.renew()
    yield from start_full(contestant, scaled(QUEUES, scale), scaled(BACKLOG, scale, least=1000))
    contestant.renew()


def stop_under_load(contestant: Amqpd) -> float:
    """The seconds from SIGTERM to the end while a publisher and a consumer are at full speed."""
    load = loadgen.begin(contestant, f"{PAIR} --count 100000000")
    time.sleep(LOAD_SECONDS)
    if load.poll() is not None:
        raise Failed(load.communicate()[1])
    seconds = contestant.stop()
    load.communicate()
    return seconds


def files(contestant: Amqpd, live: int, through: int) -> Measured:
    """The data folder with messages that stay, before and after others went through another queue."""
    loadgen.run(contestant, f"pub {PERSISTENT} --queue {QUEUE} --count {live}")
    before = contestant.data_mb()
    loadgen.run(contestant, f"{PAIR} --count {through}")
    after = contestant.data_mb()
    yield "life", "files", {"live": live, "through": through, "before_mb": before, "data_mb": after, "times": after / before}


def start_full(contestant: Amqpd, queues: int, messages: int) -> Measured:
    """The start with many queues and messages."""
    client = Client(contestant)
    client.pipeline(
        [declare_queue(queue_name(number), durable=True) for number in range(queues)], declare_ok_size(queue_name(0))
    )
    client.close()
    loadgen.run(contestant, f"pub {PERSISTENT} --queue {QUEUE} --count {messages}")
    yield "life", "start-full", {"seconds": contestant.stop_and_start(), "queues": queues, "messages": messages}

"""Start, stop, disk and pauses of amqpd."""

import statistics
import time
from typing import Final

from benchmarks import loadgen
from benchmarks.client import Client, declare_ok_size, declare_queue
from benchmarks.contestants import Amqpd, Contestant, Failed
from benchmarks.objects import queue_name
from benchmarks.workload import Measured, scaled

GROUP: Final = "life"
STARTS: Final = 5
QUEUES: Final = 10_000
BACKLOG: Final = 5_000_000
THROUGH: Final = 2_000_000
DEEP_THROUGH: Final = 10_000_000
LIVE: Final = 100_000
THROUGH_RATE: Final = 50_000
"""Messages a second that pass: fewer than are consumed, for a backlog would make the files larger on purpose."""
PAUSE_MESSAGES: Final = 120_000
"""A minute's worth at the rate below."""

LOAD_SECONDS: Final = 2.0
PERSISTENT: Final = "--size 1024 --persistent --confirm 1000"
PAIR: Final = f"pair {PERSISTENT} --prefetch 100 --ack-every 10"
QUEUE: Final = "bench-life"


def start_empty(contestant: Contestant, _scale: float) -> Measured:
    """The start in an empty folder: the median of some."""
    assert isinstance(contestant, Amqpd)
    seconds = statistics.median(contestant.renew() for _ in range(STARTS))
    yield GROUP, "start-empty", {"seconds": seconds, "memory_mb": contestant.memory_mb()}


def pause(contestant: Contestant, scale: float) -> Measured:
    """The longest latency in a minute of steady traffic."""
    contestant.renew()
    found = loadgen.run(contestant, f"{PAIR} --rate 2000 --count {scaled(PAUSE_MESSAGES, scale, least=1000)}")["sub"]
    yield GROUP, "pause", {name: float(found[name]) for name in ("p50_ms", "p99_ms", "max_ms")}


def stop(contestant: Contestant, _scale: float) -> Measured:
    """The end under load."""
    assert isinstance(contestant, Amqpd)
    contestant.renew()
    yield GROUP, "stop", {"seconds": stop_under_load(contestant)}
    contestant.start()


def files(contestant: Contestant, scale: float) -> Measured:
    """The data folder with messages that stay, before and after others went through another queue."""
    yield from pass_through(contestant, scaled(LIVE, scale, least=1000), scaled(THROUGH, scale, least=1000), "files")


def files_deep(contestant: Contestant, scale: float) -> Measured:
    """The same with ten million that pass."""
    yield from pass_through(contestant, scaled(LIVE, scale, least=1000), scaled(DEEP_THROUGH, scale, least=1000), "files-deep")


def start_full(contestant: Contestant, scale: float) -> Measured:
    """The start with many queues and messages."""
    assert isinstance(contestant, Amqpd)
    contestant.renew()
    queues, messages = scaled(QUEUES, scale), scaled(BACKLOG, scale, least=1000)
    client = Client(contestant)
    client.pipeline(
        [declare_queue(queue_name(number), durable=True) for number in range(queues)], declare_ok_size(queue_name(0))
    )
    client.close()
    loadgen.run(contestant, f"pub {PERSISTENT} --queue {QUEUE} --count {messages}")
    yield GROUP, "start-full", {"seconds": contestant.stop_and_start(), "queues": queues, "messages": messages}
    contestant.renew()


def stop_under_load(contestant: Amqpd) -> float:
    """The seconds from SIGTERM to the end while a publisher and a consumer are at full speed."""
    load = loadgen.begin(contestant, f"{PAIR} --count 100000000")
    time.sleep(LOAD_SECONDS)
    if load.poll() is not None:
        raise Failed(load.communicate()[1])
    seconds = contestant.stop()
    load.kill()  # It may wait for answers that nobody gives any more.
    load.communicate()
    return seconds


def pass_through(contestant: Contestant, live: int, through: int, point: str) -> Measured:
    """Keep some messages and have others pass; what the folder took before and after."""
    assert isinstance(contestant, Amqpd)
    contestant.renew()
    loadgen.run(contestant, f"pub {PERSISTENT} --queue {QUEUE} --count {live}")
    before = contestant.data_mb()
    loadgen.run(contestant, f"{PAIR} --rate {THROUGH_RATE} --count {through}")
    after = contestant.data_mb()
    yield GROUP, point, {"live": live, "through": through, "before_mb": before, "data_mb": after, "times": after / before}
    contestant.renew()

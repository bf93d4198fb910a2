"""What it costs the messages that somebody watches many queues: polls of the list, scrapes of metrics, an import."""

import http.client
import json
import statistics
import threading
import time
from base64 import b64encode
from typing import Final, Self

from benchmarks import loadgen
from benchmarks.client import Client, declare_ok_size, declare_queue
from benchmarks.contestants import Amqpd, Contestant, Failed
from benchmarks.objects import queue_name
from benchmarks.results import Figures
from benchmarks.workload import Measured, scaled

GROUP: Final = "watching"
QUEUES: Final = 10_000
IMPORTED: Final = 50_000
EVERY_SECONDS: Final = 1.0
TURNS: Final = 3
"""How often each rate is measured, with and without polls in turn."""

REST_SECONDS: Final = 15.0
"""After this long without traffic a queue counts as idle, and its line in the list is not made anew."""
LATEST_SECONDS: Final = 120.0
AUTHORIZATION: Final = {"Authorization": "Basic " + b64encode(b"guest:guest").decode()}
FULL_SPEED: Final = "pair --size 1024"
MESSAGES: Final = 8_000_000
"""Enough for several seconds, so that the polls at both ends weigh little: one a second is what is measured."""
STEADY: Final = "pair --size 100 --rate 2000"
STEADY_MESSAGES: Final = 20_000
"""Ten seconds' worth."""
SCRAPES: Final = {
    "scrape, per object": "/metrics/per-object",
    "scrape, detailed": "/metrics/detailed?family=queue_coarse_metrics&family=queue_metrics&family=queue_consumer_count",
}


def watching(contestant: Contestant, scale: float) -> Measured:
    """Everything in this file."""
    assert isinstance(contestant, Amqpd)
    contestant.renew()
    client = Client(contestant)
    names = [queue_name(number) for number in range(scaled(QUEUES, scale))]
    client.pipeline([declare_queue(name, durable=True) for name in names], declare_ok_size(names[0]))
    client.close()
    time.sleep(REST_SECONDS)
    yield GROUP, "polls", polled(contestant, scale)
    yield GROUP, "steady", {"max_ms": steady(contestant, scale)}
    metrics = metrics_address(contestant)
    for point, path in SCRAPES.items():
        with Visits(metrics, path) as visits:
            longest = steady(contestant, scale)
        yield GROUP, point, {"seconds": visits.median(), "max_ms": longest}
    yield GROUP, "import", imported(contestant, scale)
    contestant.renew()


def polled(contestant: Contestant, scale: float) -> Figures:
    """Full speed without anybody watching and with a poll of all queues once a second: rates, and what is left of them."""
    count = scaled(MESSAGES, scale * contestant.pace, least=1000)
    alone: list[tuple[float, float]] = []
    watched: list[tuple[float, float]] = []
    seconds: list[float] = []
    for _ in range(TURNS):
        alone.append(full_speed(contestant, count))
        with Visits(contestant.management, "/api/queues") as visits:
            watched.append(full_speed(contestant, count))
        seconds.append(visits.median())
    rate, for_cpu = (statistics.median(values) for values in zip(*alone, strict=True))
    rate_left, for_cpu_left = (statistics.median(values) for values in zip(*watched, strict=True))
    return {
        "rate": rate,
        "watched_rate": rate_left,
        "left": rate_left / rate,
        "left_for_cpu": for_cpu_left / for_cpu,
        "seconds": statistics.median(seconds),
    }


def full_speed(contestant: Contestant, count: int) -> tuple[float, float]:
    """The rate of so many messages, and how many of them went through in a CPU second of the broker's."""
    before = contestant.cpu_seconds()
    rate = float(loadgen.run(contestant, f"{FULL_SPEED} --count {count}")["sub"]["rate"])
    return rate, count / max(contestant.cpu_seconds() - before, 0.01)


def steady(contestant: Contestant, scale: float) -> float:
    """The longest latency of steady traffic, in milliseconds."""
    count = scaled(STEADY_MESSAGES, scale, least=1000)
    return float(loadgen.run(contestant, f"{STEADY} --count {count}")["sub"]["max_ms"])


def imported(contestant: Contestant, scale: float) -> Figures:
    """The seconds that definitions of many queues take, and the longest latency of other messages meanwhile."""
    count = scaled(IMPORTED, scale)
    queues = [{"name": f"bench-imported-{number}", "vhost": "/", "durable": True} for number in range(count)]
    body = json.dumps({"queues": queues}).encode()
    load = loadgen.begin(contestant, f"{STEADY} --count {scaled(STEADY_MESSAGES, max(scale, 1.0))}")
    time.sleep(EVERY_SECONDS)
    before = time.monotonic()
    request(contestant.management, "POST", "/api/definitions", body)
    seconds = time.monotonic() - before
    return {"queues": count, "seconds": seconds, "max_ms": float(loadgen.end(load)["sub"]["max_ms"])}


def metrics_address(contestant: Contestant) -> tuple[str, int]:
    """Where the broker serves metrics."""
    overview = json.loads(request(contestant.management, "GET", "/api/overview"))
    for door in overview["listeners"]:
        if door["protocol"] == "http/prometheus":
            return contestant.host, int(door["port"])
    raise Failed("there are no metrics")


class Visits:
    """Asks for one thing once a second, as long as it is entered."""

    def __init__(self, address: tuple[str, int], path: str) -> None:
        self.seconds: list[float] = []
        """How long each answer took."""
        self._address = address
        self._path = path
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def median(self) -> float:
        """Half of the answers took no longer; Failed if one was none, or none came."""
        if self._failure is not None or not self.seconds:
            raise Failed(f"{self._path}: {self._failure or 'no answer in time'}")
        return statistics.median(self.seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            try:
                request(self._address, "GET", self._path)
            except (Failed, OSError, http.client.HTTPException) as error:
                self._failure = error
                return
            self.seconds.append(time.monotonic() - before)
            self._over.wait(max(0.0, EVERY_SECONDS - self.seconds[-1]))


def request(address: tuple[str, int], verb: str, path: str, body: bytes | None = None) -> bytes:
    """What an HTTP server answers; Failed if it refuses."""
    connection = http.client.HTTPConnection(*address, timeout=LATEST_SECONDS)
    connection.request(verb, path, body, AUTHORIZATION)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status >= 300:
        raise Failed(f"{verb} {path}: {answer.status} {data[:200]!r}")
    return data

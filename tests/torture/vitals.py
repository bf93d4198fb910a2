"""What a broker uses: samples of its process, its data folder and what it tells of itself, and the latency of a message."""

import os
import re
import statistics
import threading
import time
from pathlib import Path
from typing import Final

from torture.labours import Labour

from helpers.api import Api
from helpers.broker import BrokerProcess
from helpers.traffic import PERSISTENT

PROBE_SECONDS: Final = 0.1
TOLD: Final = {
    name: re.compile(rf"^rabbitmq_{name}(?:{{.*}})? (\S+)$", re.MULTILINE)
    for name in ("connections", "channels", "consumers", "queues", "store_file_bytes", "store_in_use_bytes")
}
"""What is read from /metrics."""
Sample = dict[str, float]


class Probe(Labour):
    """Sends a persistent message each tenth of a second, and takes the time until it is delivered and until it is confirmed."""

    def __init__(self, broker: BrokerProcess) -> None:
        super().__init__(broker, 0)
        self._publisher: Final = self.connect().channel()
        self._publisher.call("confirm.select")
        self._consumer: Final = self.connect().channel()
        self._queue: Final = self._publisher.queue("probe", exclusive=False, durable=True)
        self._consumer.consume(self._queue, no_ack=True)
        self._lock: Final = threading.Lock()
        self._times: list[tuple[float, float, float]] = []

    def work(self) -> None:
        """See `Labour.work`."""
        wanted = time.monotonic() + PROBE_SECONDS
        time.sleep(PROBE_SECONDS)
        begin = time.monotonic()
        self._publisher.publish(b"probe", routing_key=self._queue, delivery_mode=PERSISTENT)
        self._consumer.delivery()
        delivered = time.monotonic()
        self._publisher.wait("basic.ack")
        with self._lock:
            self._times.append((delivered - begin, time.monotonic() - begin, begin - wanted))

    def take(self) -> Sample:
        """Milliseconds since the last call of this: of deliveries, confirms, and how late the probe itself woke up."""
        with self._lock:
            times, self._times = self._times, []
        found: Sample = {}
        for name, values in zip(("delivery", "confirm", "lateness"), zip(*times, strict=True), strict=False):
            ordered = sorted(value * 1000 for value in values)
            found |= {f"{name}_ms": statistics.median(ordered), f"{name}_max_ms": ordered[-1]}
            found[f"{name}_p99_ms"] = ordered[int(len(ordered) * 0.99)]
        return found


class Vitals:
    """Takes samples of one life of a broker."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.probe: Final = Probe(broker)
        self.metrics: Final = metrics_url(broker)
        self._proc: Final = Path(f"/proc/{broker.pid}")
        self._folder: Final = broker.data_folder
        self._api: Final = Api(self.metrics)
        self._begin: Final = time.monotonic()
        self._cpu = self._cpu_seconds()

    def sample(self) -> Sample:
        """Everything by now: seconds since the start, bytes, counts, milliseconds, and CPU seconds since the last sample."""
        found: Sample = {"seconds": time.monotonic() - self._begin}
        status = (self._proc / "status").read_text()
        for name, field in (("rss_bytes", "VmRSS"), ("anonymous_bytes", "RssAnon")):
            found[name] = 1024 * self._field(field, status)
        found["threads"] = self._field("Threads", status)
        found["descriptors"] = len(list((self._proc / "fd").iterdir()))
        found["folder_bytes"] = folder_bytes(self._folder)
        cpu = self._cpu_seconds()
        found["cpu_seconds"], self._cpu = cpu - self._cpu, cpu
        told = self._api.call("GET", "/metrics").body.decode()
        for name, pattern in TOLD.items():
            found[name] = float(next(pattern.finditer(told))[1])
        return found | self.probe.take()

    def _field(self, name: str, status: str) -> int:
        found = re.search(rf"{name}:\s+(\d+)", status)
        assert found is not None
        return int(found[1])

    def _cpu_seconds(self) -> float:
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk, holes not counted."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:  # deleted while we looked
            continue
    return total


def metrics_url(broker: BrokerProcess) -> str:
    """Where a broker serves metrics."""
    listeners = Api(broker.http_url).get("/api/overview")["listeners"]
    port = next(door["port"] for door in listeners if door["protocol"] == "http/prometheus")
    return f"http://{broker.host}:{port}"

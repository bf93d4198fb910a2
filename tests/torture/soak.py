"""Loads one broker with a bit of everything for as long as is asked for, and fails if anything of it grows or is lost.

    make soak SOAK="--minutes 75 --images docs/images"

Samples go to a file, which `--judge` judges again.
"""
# ruff: noqa: T201  (it is a command: its output is what it is for)

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.chart import Chart
from torture.accounts import Account
from torture.errands import Founder, Guest, Visitor
from torture.labours import Chatter, Drainer, Labour, LatePublisher, Mover, Publisher, Reader, UrgentPublisher
from torture.steadiness import Limit, by_minute, growth, troughs, warm
from torture.vitals import Sample, Vitals

from amqpd.version import is_compiled
from conformance.client.channel import Channel
from helpers.broker import BrokerProcess
from helpers.traffic import connect

SAMPLE_SECONDS: Final = 5.0
PATIENCE: Final = 120.0
"""Seconds after which what is owed is lost."""
TTL: Final = 3000
MIB: Final = 2**20
BACKLOG: Final = 14_000
"""Messages that gather in three minutes before they are read: as many each time, so that the files need not grow again."""
QUEUES: Final[dict[str, dict[str, Any]]] = {
    "steady": {},
    "backlog": {},
    "mayfly": {"x-message-ttl": TTL, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "graveyard"},
    "graveyard": {},
    "later": {},
    "urgent": {"x-max-priority": 5},
    "left": {},
    "middle": {},
    "right": {},
    "from": {},
    "to": {},
}
UNREAD: Final = frozenset(("backlog", "mayfly", "from"))
"""Queues that no reader consumes all the time."""
PAGES: Final = {"queues": 5, "connections": 5, "channels": 5, "overview": 5, "exchanges": 5, "definitions": 30}
"""Pages of the management, and the seconds between two visits."""
LIMITS: Final = {
    "rss_bytes": Limit(0.03, 2 * MIB),
    "anonymous_bytes": Limit(0.03, 2 * MIB),
    "descriptors": Limit(0, 3),
    "threads": Limit(0, 0.5),
    "folder_bytes": Limit(0.05, 2 * MIB),
    "store_file_bytes": Limit(0.05, 2 * MIB),
    "store_in_use_bytes": Limit(0.1, 2 * MIB),
    "connections": Limit(0, 3),
    "channels": Limit(0, 5),
    "consumers": Limit(0, 3),
    "queues": Limit(0, 2),
    "cpu_seconds": Limit(0.15, 0.1),
    "delivery_ms": Limit(0.25, 0.3),
    "delivery_p99_ms": Limit(0.5, 5),
    "confirm_ms": Limit(0.25, 1),
    "confirm_p99_ms": Limit(0.5, 10),
}
"""What is judged, and what growth of it is noise."""
SAWTEETH: Final = frozenset(("store_in_use_bytes",))
"""What goes up and down with the backlog: judged by what is left when that was drained."""
CHARTS: Final = {
    "memory": ("Memory of the broker", "MiB", MIB, {"resident": "rss_bytes", "anonymous": "anonymous_bytes"}),
    "descriptors": ("Open file descriptors", "", 1, {"descriptors": "descriptors", "connections": "connections"}),
    "folder": ("Data folder", "MiB", MIB, {"files": "folder_bytes", "in use": "store_in_use_bytes"}),
    "latency": ("Latency", "ms", 1, {"delivery": "delivery_ms", "confirm": "confirm_ms", "confirm, p99": "confirm_p99_ms"}),
}


class Soak:
    """A broker under all the loads."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.broker: Final = broker
        self._accounts: Final = {name: Account(name, 1 + number) for number, name in enumerate(QUEUES)}
        for name in ("middle", "right"):
            self._accounts[name] = Account(name, 1 + list(QUEUES).index("left"))
        connection = connect(self.broker)
        self._declare(connection.channel())
        connection.close()
        self._vitals: Final = Vitals(self.broker)
        self._publishers: Final = self._make_publishers()
        self._drainer: Final = Drainer(self.broker, self._accounts["backlog"], BACKLOG)
        readers = [Reader(self.broker, self._accounts[name], (5, 20)) for name in QUEUES if name not in UNREAD]
        mover = Mover(self.broker, self._accounts["from"], self._accounts["to"], 0.05)
        self._others: Final = [*readers, Reader(self.broker, self._accounts["steady"], (2, 30)), mover, *self._make_errands()]
        self._others.append(self._vitals.probe)

    def _declare(self, channel: Channel) -> None:
        for name, arguments in QUEUES.items():
            channel.queue(name, exclusive=False, durable=True, arguments=arguments)
        channel.exchange("fanout", "all", durable=True)
        for name in ("left", "middle", "right"):
            channel.bind(name, "all")
        channel.exchange("x-delayed-message", "delay", durable=True, arguments={"x-delayed-type": "fanout"})
        channel.bind("later", "delay")

    def _make_publishers(self) -> list[Labour]:
        broker, accounts = self.broker, self._accounts
        fanned = [accounts[name] for name in ("left", "middle", "right")]
        return [
            Publisher(broker, [accounts["steady"]], 0.1, 10, 1000, {"routing_key": "steady"}),
            Publisher(broker, [accounts["backlog"]], 0.25, 20, 2000, {"routing_key": "backlog"}),
            Publisher(broker, [accounts["graveyard"]], 0.5, 5, 300, {"routing_key": "mayfly"}),
            LatePublisher(broker, [accounts["later"]], 0.5, 5, 300, {"exchange": "delay"}),
            UrgentPublisher(broker, [accounts["urgent"]], 0.5, 5, 300, {"routing_key": "urgent"}),
            Publisher(broker, fanned, 0.5, 3, 6000, {"exchange": "all"}),
            Publisher(broker, [accounts["from"]], 1, 5, 300, {"routing_key": "from"}),
        ]

    def _make_errands(self) -> list[Labour]:
        broker, metrics = self.broker, self._vitals.metrics
        found: list[Labour] = [Guest(broker, 0.2), Guest(broker, 0.2), Founder(broker, 1), Chatter(broker, 0.25, 20)]
        found += [Visitor(broker, f"{broker.http_url}/api/{page}", seconds) for page, seconds in PAGES.items()]
        return [*found, Visitor(broker, f"{metrics}/metrics/per-object", 15)]

    @property
    def _labours(self) -> list[Labour]:
        return [*self._publishers, self._drainer, *self._others]

    def run(self, seconds: float, file: Path) -> list[Sample]:
        """Load the broker for so long; the samples, which are also written to a file as they are taken."""
        for labour in self._labours:
            labour.start()
        samples: list[Sample] = []
        end = time.monotonic() + seconds
        with file.open("w", encoding="utf-8") as out:
            while time.monotonic() < end and not self.failures():
                time.sleep(SAMPLE_SECONDS)
                samples.append(self._vitals.sample())
                print(json.dumps(samples[-1]), file=out, flush=True)
        return samples

    def failures(self) -> list[str]:
        """What ended before its time, and why."""
        return [f"{type(labour).__name__}: {labour.failure!r}" for labour in self._labours if labour.failure]

    def settle(self) -> int:
        """Publish no more, read everything, stop; how many messages were accounted for. AssertionError if any is missing."""
        for labour in [*self._publishers, self._drainer]:
            labour.stop(PATIENCE)
        last = Reader(self.broker, self._accounts["backlog"], (PATIENCE, PATIENCE))
        last.start()
        deadline = time.monotonic() + PATIENCE
        while any(account.owed for account in self._accounts.values()) and time.monotonic() < deadline:
            time.sleep(SAMPLE_SECONDS / 10)
        for labour in [last, *self._others]:
            labour.stop(PATIENCE)
        missing = {account.queue: account.owed for account in self._accounts.values() if account.owed}
        assert not missing, f"lost: {missing}"
        self._read_rest()
        assert 0 == self.broker.stop(), "the broker did not end in good order"
        assert "Traceback" not in self.broker.stderr, self.broker.stderr
        return sum(account.settled for account in self._accounts.values())

    def _read_rest(self) -> None:
        """Only what was settled on a connection that was cut may be left."""
        connection = connect(self.broker)
        channel = connection.channel()
        for name in QUEUES:
            while message := channel.get(name):
                self._accounts[name].settle(message.body, redelivered=message.redelivered)
        connection.close()

    def rounds(self) -> str:
        """How often each kind of labour did its work."""
        found: dict[str, int] = {}
        for labour in self._labours:
            name = type(labour).__name__
            found[name] = found.get(name, 0) + labour.rounds
        return ", ".join(f"{name} {count}" for name, count in sorted(found.items()))


def judge(samples: list[Sample]) -> int:
    """Print a line on each thing that was sampled, bytes in MiB; how many of them grew."""
    grown = 0
    print(f"{'':24}{'first quarter':>14}{'last quarter':>14}{'by line':>12}{'allowed':>12}")
    for name, limit in LIMITS.items():
        series = troughs if name in SAWTEETH else by_minute
        found = growth(series(warm(samples), name), limit)
        grown += found.has_grown
        scale = MIB if name.endswith("_bytes") else 1
        first, last, by_line, allowed = (value / scale for value in found)
        print(f"{name:24}{first:14.2f}{last:14.2f}{by_line:+12.2f}{allowed:12.2f}{'  GREW' if found.has_grown else ''}")
    return grown


def draw(samples: list[Sample], folder: Path) -> None:
    """Write a chart of the medians of each minute for each of a few things."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, unit, scale, lines) in CHARTS.items():
        points = {label: [(minute, value / scale) for minute, value in by_minute(samples, key)] for label, key in lines.items()}
        chart = Chart(f"{title} in a soak", "minute", unit, points, is_x_logarithmic=False)
        (folder / f"soak-{name}.svg").write_text(chart.svg(), encoding="utf-8")


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--folder", type=Path, help="for data and samples (default: a new one, which is kept)")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="draw charts into this folder")
    parser.add_argument("--judge", type=Path, metavar="FILE", help="judge samples that were taken before")
    return parser.parse_args()


def soaked(folder: Path, seconds: float) -> tuple[list[Sample], list[str]]:
    """Run a soak in a folder: its samples, and what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    print(f"in {folder}, {'compiled' if is_compiled() else 'interpreted'}", flush=True)
    broker = BrokerProcess(folder)
    try:
        soak = Soak(broker)
        samples = soak.run(seconds, folder / "samples.jsonl")
        failures = soak.failures()
        try:
            print(f"{soak.settle()} messages accounted for; rounds: {soak.rounds()}")
        except AssertionError as error:
            failures.append(str(error))
    finally:
        broker.kill()
    return samples, failures


def main() -> int:
    """Soak and judge; 1 if anything grew, was lost or failed."""
    chosen = options()
    failures: list[str] = []
    if chosen.judge:
        samples = [json.loads(line) for line in chosen.judge.read_text(encoding="utf-8").splitlines()]
    else:
        samples, failures = soaked(chosen.folder or Path(tempfile.mkdtemp(prefix="soak-")), chosen.minutes * 60)
    if chosen.images:
        draw(samples, chosen.images)
    print("\n".join(failures))
    return min(judge(samples) + len(failures), 1)


if __name__ == "__main__":
    sys.exit(main())

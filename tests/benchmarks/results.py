"""The figures of a run: kept, asked for, written and read back."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

Figures = dict[str, float]
"""What one measurement gave: figure → value, its unit in the name (`p99_ms`), messages a second if there is none (`rate`)."""

AMQPD: Final = "amqpd"
INTERPRETED: Final = "amqpd interpreted"
RABBITMQ: Final = "RabbitMQ"
OURS: Final = (AMQPD, INTERPRETED)
NAMES: Final = (*OURS, RABBITMQ)
"""The brokers that are compared; plain `amqpd` is compiled, as its users install it."""
SHARED: Final = frozenset({"cells", "life"})
"""Groups in which every workload has a point of its name; each other group belongs to one workload."""


class Results:
    """Figures by group (`cells`, `size`), point in it (`t16`, `1024`) and broker, and what is known of the run."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.figures: dict[str, dict[str, dict[str, Figures]]] = {}
        self.failures: list[str] = []

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Those that `save` wrote; OSError without the file."""
        found = cls()
        found.facts, found.figures, found.failures = json.loads(path.read_text(encoding="utf-8"))
        return found

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([self.facts, self.figures, self.failures], indent=1), encoding="utf-8")

    def add(self, group: str, point: str, name: str, figures: Figures) -> None:
        """Keep what a broker gave at a point, in place of what it gave there before."""
        self.figures.setdefault(group, {}).setdefault(point, {})[name] = figures

    def forget(self, name: str, groups: Iterable[str]) -> None:
        """Drop what a workload gave before it is measured anew: its groups, or its point in one that it shares."""
        for group in groups:
            if group in SHARED:
                self.figures.get(group, {}).pop(name, None)
            else:
                self.figures.pop(group, None)
        self.failures = [failure for failure in self.failures if not failure.startswith(f"{name}:")]

    def value(self, group: str, point: str, name: str, figure: str) -> float | None:
        """One figure; None if it was not measured."""
        return self.figures.get(group, {}).get(point, {}).get(name, {}).get(figure)

    def series(self, group: str, name: str, figure: str) -> list[tuple[float, float]]:
        """A broker's figure over the points of a group whose points are numbers, in their order."""
        points = self.figures.get(group, {})
        found = [(float(point), brokers.get(name, {}).get(figure)) for point, brokers in points.items()]
        return sorted((point, value) for point, value in found if value is not None)

    def names(self, group: str) -> list[str]:
        """The brokers that have figures in a group."""
        there = {name for brokers in self.figures.get(group, {}).values() for name in brokers}
        return [name for name in NAMES if name in there]

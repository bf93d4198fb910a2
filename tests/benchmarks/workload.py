"""What a workload is: something that gives figures for a broker."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.contestants import Contestant
from benchmarks.results import NAMES, Figures

Measured = Iterator[tuple[str, str, Figures]]
"""Group, point in it, figures."""


class Workload(NamedTuple):
    """One thing to measure, broker by broker."""

    name: str
    """What --only calls it."""

    measure: Callable[[Contestant, float], Measured]
    """Measures a broker, with the counts times a scale."""

    groups: tuple[str, ...]
    """The groups that it gives figures for."""

    rounds: int = 100
    """How often it is worth measuring at most."""

    brokers: tuple[str, ...] = NAMES
    """Who is measured."""


def scaled(count: int, scale: float, least: int = 1) -> int:
    """A count times the scale."""
    return max(least, round(count * scale))

"""Metrics as text: prometheus-client writes the head of each, and a line for each object follows.

The library writes some fifty thousand lines a second, too few for a broker with ten thousand queues; here the labels of an
object are written once for all its metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

COUNTER: Final = "counter"
GAUGE: Final = "gauge"
UNTYPED: Final = "unknown"
PREFIX: Final = "rabbitmq_"

_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Number = int | float


class About(NamedTuple):
    """What a metric is; the name of a counter ends with `_total`, and no name begins with a prefix."""

    name: str
    kind: str
    help: str


class _Alone(Collector):
    """One metric without samples."""

    def __init__(self, metric: Metric) -> None:
        self.metric: Final = metric

    def collect(self) -> list[Metric]:
        """The metric."""
        return [self.metric]


@cache
def head(prefix: str, about: About) -> str:
    """The lines that introduce a metric."""
    name = prefix + about.name
    if about.kind == COUNTER:
        name = name.removesuffix("_total")
    registry = CollectorRegistry()
    registry.register(_Alone(Metric(name, about.help, about.kind)))
    return generate_latest(registry).decode()


def labels(**pairs: str) -> str:
    """Labels in braces."""
    return "{" + ",".join([f'{name}="{escaped(value)}"' for name, value in pairs.items()]) + "}"


def escaped(value: str) -> str:
    """The value of a label; bytes that are no UTF-8 become question marks."""
    return value.encode("utf-8", "replace").decode().translate(_ESCAPED)


def lines(name: str, labelled: Iterable[str], values: Iterable[Number | None]) -> str:
    """Samples of a metric by their labels; those that have no value are left out."""
    return "".join([f"{name}{tags} {value}\n" for tags, value in zip(labelled, values, strict=True) if value is not None])


def family(prefix: str, about: About, samples: dict[str, Number]) -> str:
    """A metric whole: its head, and its samples by labels."""
    name = prefix + about.name
    return head(prefix, about) + lines(name, samples.keys(), samples.values())

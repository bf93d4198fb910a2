"""Numbers as RabbitMQ shows them: each with its `_details`, that is its rate and, on demand, samples over time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from amqpd.management import counters
from amqpd.management.counters import Names, Row
from amqpd.management.history import Past
from amqpd.management.rates import STEP_SECONDS, Rates
from amqpd.management.refusal import bad_request

SAMPLES_MAX: Final = 2000

Shape = dict[str, object]


class Range:
    """Which samples of one family were asked for: every `incr` seconds of the last `age` seconds."""

    def __init__(self, age: int, incr: int) -> None:
        self.age: Final = age
        self.incr: Final = incr


class Ranges:
    """What a query asks for: `lengths_age`, `lengths_incr`, `msg_rates_age`, … Raises Refusal for half a pair."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.lengths: Final = _range(query, "lengths")
        self.messages: Final = _range(query, "msg_rates")
        self.octets: Final = _range(query, "data_rates")

    def is_empty(self) -> bool:
        """True if no samples are wanted."""
        return self.lengths is None and self.messages is None and self.octets is None


def _range(query: Mapping[str, str], family: str) -> Range | None:
    age, incr = query.get(f"{family}_age"), query.get(f"{family}_incr")
    if age is None or incr is None:
        return None
    if not (_is_count(age) and _is_count(incr)) or int(age) // int(incr) > SAMPLES_MAX:
        raise bad_request("invalid_range_parameters")
    return Range(int(age), max(int(incr), STEP_SECONDS))


def _is_count(text: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,7}", text, re.ASCII) is not None


class Measured:
    """One object's numbers now and then."""

    def __init__(self, rates: Rates, names: Names, row: Row, history: Past | None, ranges: Ranges) -> None:
        self._step: Final = rates.step
        self._row: Final = row
        self._names: Final = names
        self._history: Final = history
        self._ranges: Final = ranges
        self._now: Final = history.at(rates.step) if history is not None else None
        self._before: Final = history.at(rates.step - 1) if history is not None else None

    def lengths(self) -> Shape:
        """`messages`, `messages_ready` and `messages_unacknowledged` with their details."""
        return self._shape(counters.LENGTHS, self._ranges.lengths, is_length=True)

    def message_stats(self, names: Names) -> Shape:
        """These counters with their details."""
        return self._shape(names, self._ranges.messages, is_length=False)

    def octets(self) -> Shape:
        """`recv_oct` and `send_oct` with their details."""
        return self._shape(counters.OCTETS, self._ranges.octets, is_length=False)

    def churn(self) -> Shape:
        """What came and went, with its details."""
        return self._shape(counters.CHURN, self._ranges.messages, is_length=False)

    def _shape(self, names: Names, wanted: Range | None, is_length: bool) -> Shape:
        shape: Shape = {}
        for name in names:
            position = self._names.index(name)
            shape[name] = self._row[position]
            details: Shape = {"rate": self._rate(position)}
            if wanted is not None:
                details.update(self._samples(position, wanted, is_length))
            shape[f"{name}_details"] = details
        return shape

    def _rate(self, position: int) -> float:
        if self._now is None or self._before is None:
            return 0.0
        return (self._now[position] - self._before[position]) / STEP_SECONDS

    def _samples(self, position: int, wanted: Range, is_length: bool) -> Shape:
        steps = wanted.incr // STEP_SECONDS
        newest = self._step - self._step % steps
        samples: list[Shape] = []
        for step in range(newest, newest - wanted.age // STEP_SECONDS - 1, -steps):
            row = self._history.at(step) if self._history is not None else None
            samples.append({"sample": row[position] if row else 0, "timestamp": step * STEP_SECONDS * 1000})
        values = [sample["sample"] for sample in samples]
        first, last = values[-1], values[0]
        assert isinstance(first, int)
        assert isinstance(last, int)
        shape: Shape = {"samples": samples, "avg_rate": (last - first) / max(wanted.age, STEP_SECONDS)}
        if is_length:
            shape["avg"] = sum(value for value in values if isinstance(value, int)) / len(values)
        return shape

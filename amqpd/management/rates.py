"""Message rates and samples over time: the core's integers, read every few seconds outside of its hot path.

1. A step is `STEP_SECONDS` long; every object's numbers are read once in each, a slice of the objects at a time.
2. Sums of counters only grow: what an object counted until its last step stays in them after its end.
3. An object's history goes with the object.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from amqpd.broker.broker import Broker
from amqpd.broker.session import Session
from amqpd.broker.vhost import VHost
from amqpd.management import counters
from amqpd.management.counters import Names, Row
from amqpd.management.deliveries import Deliveries
from amqpd.management.history import History
from amqpd.management.slices import Slices

STEP_SECONDS: Final = 5
OBJECT_CHANGES: Final = 121
"""Ten minutes of an object that never rests."""
SUM_CHANGES: Final = 8 * 3600 // STEP_SECONDS
"""Eight hours of the sums."""
_LENGTHS: Final = len(counters.LENGTHS)


class Sums:
    """The numbers of a virtual host, or of all together."""

    def __init__(self, names: Names) -> None:
        self.names: Final = names
        self.history: Final = History(SUM_CHANGES)
        self._total: Final[dict[str, int]] = dict.fromkeys(names, 0)

    def add(self, names: Names, row: Row) -> None:
        """These were counted since the last step."""
        for name, number in zip(names, row, strict=True):
            if number:
                self._total[name] += number

    def set(self, names: Names, row: Row) -> None:
        """So it stands now."""
        self._total.update(zip(names, row, strict=True))

    def row(self) -> Row:
        """The numbers in the order of the names."""
        return tuple(self._total.values())


class Rates:
    """What was measured of whom."""

    def __init__(self, broker: Broker, clock: Callable[[], float] = time.time) -> None:
        self.broker: Final = broker
        self.overview: Sums = Sums(counters.OVERVIEW)
        self.vhosts: dict[str, Sums] = {}
        self.step: int = 0
        """The last step that is complete: seconds since the epoch, divided by the length of a step."""
        self._clock: Final = clock
        self._histories: dict[object, History] = {}
        self._deliveries: dict[Session, Deliveries] = {}
        """Of the channels that hold anything."""

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            await self.sample()
            await asyncio.sleep(STEP_SECONDS - self._clock() % STEP_SECONDS)

    async def sample(self) -> None:
        """Take one step."""
        taken = _Step(int(self._clock()) // STEP_SECONDS, self._histories)
        sums = {name: self.vhosts.get(name) or Sums(counters.VHOST) for name in self.broker.vhosts}
        slices = Slices()
        for name, vhost in list(self.broker.vhosts.items()):
            await self._sample_queues(taken, vhost, sums[name], slices)
            await self._sample_exchanges(taken, vhost, slices)
        await self._sample_connections(taken, sums, slices)
        self._complete(taken, sums)

    async def _sample_queues(self, taken: _Step, vhost: VHost, sums: Sums, slices: Slices) -> None:
        lengths = [0] * _LENGTHS
        for queue in list(vhost.queues.values()):
            row = counters.queue_row(queue)
            added = taken.note(queue, row)
            self._add(sums, counters.COUNTED_OF_QUEUE, added[_LENGTHS:])
            for position in range(_LENGTHS):
                lengths[position] += row[position]
            if slices.is_over():
                await slices.pause()
        sums.set(counters.LENGTHS, tuple(lengths))

    async def _sample_exchanges(self, taken: _Step, vhost: VHost, slices: Slices) -> None:
        for traffic in list(vhost.traffic.values()):
            if traffic.published:
                taken.note(traffic, counters.exchange_row(traffic))
            if slices.is_over():
                await slices.pause()

    async def _sample_connections(self, taken: _Step, sums: dict[str, Sums], slices: Slices) -> None:
        deliveries: dict[Session, Deliveries] = {}
        for connection in list(self.broker.connections.open):
            vhost_sums = sums.get(connection.vhost)
            if vhost_sums is None:
                continue
            self._add(vhost_sums, counters.OCTETS, taken.note(connection, counters.connection_row(connection)))
            for session in connection.sessions().values():
                added = taken.note(session, counters.channel_row(session))
                self._add(vhost_sums, counters.COUNTED_OF_CHANNEL, added[1:4])
                self._note_deliveries(taken.number, session, deliveries)
            if slices.is_over():
                await slices.pause()
        self._deliveries = deliveries

    def _note_deliveries(self, step: int, session: Session, deliveries: dict[Session, Deliveries]) -> None:
        ledger = session.ledger
        if ledger.unacked:
            marks = deliveries[session] = self._deliveries.get(session) or Deliveries()
            marks.note(step, ledger.next, next(iter(ledger.unacked)))

    def _add(self, vhost_sums: Sums, names: Names, added: Row) -> None:
        vhost_sums.add(names, added)
        self.overview.add(names, added)

    def _complete(self, taken: _Step, sums: dict[str, Sums]) -> None:
        rows = []
        for vhost_sums in sums.values():
            rows.append(vhost_sums.row())
            vhost_sums.history.note(taken.number, rows[-1])
        lengths = tuple(sum(row[position] for row in rows) for position in range(_LENGTHS))
        self.overview.set(counters.LENGTHS, lengths)
        self.overview.set(counters.CHURN, counters.churn_row(self.broker))
        self.overview.history.note(taken.number, self.overview.row())
        self._histories = taken.histories
        self.vhosts = sums
        self.step = taken.number

    def mark(self, watched: object) -> int:
        """A number that is another one whenever the object's rates or its idleness may be."""
        history = self._histories.get(watched)
        if history is None:
            return -1
        return self.step if history.changed_at >= self.step - 1 else history.changed_at

    def history(self, watched: object) -> History | None:
        """The history of a queue, connection or channel; None until its first step."""
        return self._histories.get(watched)

    def delivered_at(self, session: Session, tag: int) -> float | None:
        """When a channel was given what it holds under a tag, in seconds since the epoch, to within a step; None: just now."""
        marks = self._deliveries.get(session)
        step = marks.step_of(tag) if marks is not None else None
        return None if step is None else float(step * STEP_SECONDS)


class _Step:
    """The histories of the objects that were seen in this step."""

    def __init__(self, number: int, before: dict[object, History]) -> None:
        self.number: Final = number
        self.histories: Final[dict[object, History]] = {}
        self._before: Final = before

    def note(self, watched: object, row: Row) -> Row:
        """The object's row at this step; returns what was added since the last one."""
        history = self._before.get(watched)
        if history is None:
            history = History(OBJECT_CHANGES)
        self.histories[watched] = history
        last = history.last
        history.note(self.number, row)
        if last is row or last == row:
            return (0,) * len(row)
        return row if last is None else tuple(map(int.__sub__, row, last))

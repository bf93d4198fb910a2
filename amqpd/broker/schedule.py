"""The messages that one exchange holds back until they are due: on disk, but for those that are due first.

    head (a heap, in memory) → horizon → on disk, and in `fresh` for as long as it is not there yet

1. Messages are given to the receiver in the order of their due times; among equals, of their coming.
2. Every message whose place is before the horizon is in the head, every other one is on disk or in `fresh`.
3. A message leaves `fresh` only after its batch committed, and not while a page is being read that may lack it.
4. A message that was given out is not given out again, although a page may have it: it is in `given` until its removal
   committed, and while a page is being read.
5. What a due message becomes is in the same batch as its removal from the schedule.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from struct import Struct
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.agenda import Timed
from amqpd.broker.line import Setting
from amqpd.errors import BadSyntax
from amqpd.message import Envelope, Message, envelope_of
from amqpd.wire import tables
from persistence.calendar import BEGINNING, END, Calendar, CalendarOwner, Place, Row

SCHEDULE_LANE: Final = 0
"""Of the calendars of an exchange."""
HEAD_MESSAGES: Final = 4096
HEAD_BYTES: Final = 4 * 1024 * 1024
"""Beyond this many messages or bytes of bodies the head is cut to a half."""
REFILL_MESSAGES: Final = 2048
"""With fewer messages than this in the head, a page is fetched from disk: while one is fetched, another is given out."""
DUE_PER_TURN: Final = 1000
"""Messages that are given out before other work has its turn."""

_LENGTHS: Final = Struct(">HII")
"""Of address, header and further routing keys."""


class Scheduled:
    """One message that waits for its time."""

    __slots__ = ("batch", "message", "place", "routing_keys")

    def __init__(self, place: Place, message: Message, routing_keys: list[str], batch: int) -> None:
        self.place: Final = place
        """When it is due, in milliseconds since the epoch, and its number among all that the exchange held back."""
        self.message: Final = message
        self.routing_keys: Final = routing_keys
        self.batch: Final = batch
        """The batch that brings it to disk; 0: it came from there."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Receiver:
    """Whoever takes the messages that are due."""

    def message_due(self, message: Message, routing_keys: list[str]) -> None:
        """A message's time has come."""
        raise NotImplementedError


class ScheduleTimer(Timed):
    """Brings a schedule's appointments back to it."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule: Final = schedule

    def due(self, now: int) -> None:
        """See `Timed.due`."""
        self.schedule.due(now)


class Schedule(CalendarOwner):
    """The messages by the time when they are due."""

    def __init__(self, setting: Setting, exchange_id: int, kept: bool, receiver: Receiver) -> None:
        self.setting: Final = setting
        self.receiver: Final = receiver
        self.calendar: Final[Calendar] = setting.store.calendar(exchange_id, SCHEDULE_LANE, kept, self)
        self._timer: Final = ScheduleTimer(self)
        self._head: list[tuple[Place, Scheduled]] = []
        self._head_size: int = 0
        self._fresh: dict[Place, Scheduled] = {}
        self._given: dict[Place, int] = {}
        """Places of messages that were given out, each with the batch of its removal."""
        self._horizon: Place = BEGINNING if self.calendar.count else END
        self._read_from: Place | None = None
        """Where the page begins that is being read; None if none is."""
        self._durable_through: int = 0
        self._next_sequence: int = setting.store.first_sequence
        self._proceed()

    @property
    def count(self) -> int:
        """How many messages wait."""
        return self.calendar.count

    def add(self, due: int, message: Message, routing_keys: list[str]) -> None:
        """Hold back a message until a time in milliseconds since the epoch."""
        place = (due, self._next_sequence)
        self._next_sequence += 1
        scheduled = Scheduled(place, message, routing_keys, self.setting.store.open_number)
        self.calendar.put(place, _encode(scheduled))
        if place < self._horizon:
            self._join(scheduled)
            self._shorten()
            self._proceed()
        else:
            self._fresh[place] = scheduled

    def stop(self) -> None:
        """The exchange is gone, and what it held back with it."""
        self._head.clear()
        self._fresh.clear()
        self.setting.agenda.cancel(self._timer)

    def upcoming(self, place: Place) -> list[Scheduled]:
        """A page of what is on disk from a place on (`BEGINNING`: from the start), in the order of their times."""
        return [_decode(row, None) for row in self.setting.store.read_calendar(self.calendar, place)]

    def listed(self, place: Place, page: list[Scheduled]) -> list[Scheduled]:
        """What waits from a place on, as far as a page of `upcoming` from there reaches, in the order of their times."""
        end = (page[-1].place[0], page[-1].place[1] + 1) if page else END
        found = {scheduled.place: scheduled for scheduled in page if scheduled.place not in self._given}
        for scheduled in [*[scheduled for _, scheduled in self._head], *self._fresh.values()]:
            if place <= scheduled.place < end:
                found[scheduled.place] = scheduled
        return [found[where] for where in sorted(found)]

    def cancel(self, place: Place) -> bool:
        """Drop a message; False if there is none at the place."""
        if self.calendar.dropped or place in self._given or not self._leave(place):
            return False
        self.calendar.remove(place)
        self._given[place] = self.setting.store.open_number
        self._proceed()
        return True

    def _leave(self, place: Place) -> bool:
        """Take a message out of memory, if it is there; False if it is nowhere."""
        if place < self._horizon:
            for number, (where, scheduled) in enumerate(self._head):
                if where == place:
                    del self._head[number]
                    heapify(self._head)
                    self._head_size -= len(scheduled.message.body)
                    return True
            return False
        if self._fresh.pop(place, None) is not None:
            return True
        rows = self.setting.store.read_calendar(self.calendar, place)
        return bool(rows) and rows[0].place == place

    # --- the head --------------------------------------------------------------------------------------------------

    def _join(self, scheduled: Scheduled) -> None:
        heappush(self._head, (scheduled.place, scheduled))
        self._head_size += len(scheduled.message.body)

    def _shorten(self) -> None:
        """Leave what is due last to the disk if the head is too long."""
        if len(self._head) <= HEAD_MESSAGES and (self._head_size <= HEAD_BYTES or len(self._head) == 1):
            return
        ordered = sorted(self._head)
        kept: list[tuple[Place, Scheduled]] = []
        size = 0
        for item in ordered[: HEAD_MESSAGES // 2]:
            size += len(item[1].message.body)
            if kept and size > HEAD_BYTES // 2:
                size -= len(item[1].message.body)
                break
            kept.append(item)
        for place, scheduled in ordered[len(kept) :]:
            if scheduled.batch > self._durable_through:
                self._fresh[place] = scheduled
        self._horizon = ordered[len(kept)][0]
        self._head = kept
        self._head_size = size

    def _refill(self) -> None:
        if self._read_from is None and self._horizon != END and len(self._head) < REFILL_MESSAGES:
            self._read_from = self._horizon
            self.setting.reader.request_rows(self.calendar, self._horizon)

    def rows_read(self, rows: list[Row]) -> None:
        """See `CalendarOwner.rows_read`; a page is of no use if the head was cut while it was read."""
        is_of_use = self._read_from == self._horizon
        self._read_from = None
        if self.calendar.dropped:
            return
        if is_of_use:
            self._take_in(rows)
        self._forget_durable()
        self._shorten()
        self.due(self.setting.clock.now)

    def _take_in(self, rows: list[Row]) -> None:
        horizon = (rows[-1].place[0], rows[-1].place[1] + 1) if rows else END
        found: dict[Place, Scheduled] = {}
        last: Envelope | None = None
        for row in rows:
            if row.place not in self._given:
                scheduled = found[row.place] = _decode(row, last)
                last = scheduled.message.envelope
        found.update({place: fresh for place, fresh in self._fresh.items() if place < horizon})
        for place, scheduled in found.items():
            self._fresh.pop(place, None)
            self._join(scheduled)
        self._horizon = horizon

    def rows_committed(self, number: int) -> None:
        """See `CalendarOwner.rows_committed`."""
        self._durable_through = number
        if self._read_from is None:
            self._forget_durable()

    def _forget_durable(self) -> None:
        through = self._durable_through
        self._fresh = {place: scheduled for place, scheduled in self._fresh.items() if scheduled.batch > through}
        self._given = {place: batch for place, batch in self._given.items() if batch > through}

    # --- time ------------------------------------------------------------------------------------------------------

    def due(self, now: int) -> None:
        """Give out what is due."""
        left = 0 if self.calendar.dropped else DUE_PER_TURN
        while left and self._head and self._head[0][0][0] <= now:
            place, scheduled = heappop(self._head)
            self._head_size -= len(scheduled.message.body)
            self.calendar.remove(place)
            self._given[place] = self.setting.store.open_number
            self.receiver.message_due(scheduled.message, scheduled.routing_keys)
            left -= 1
        self._proceed()

    def _proceed(self) -> None:
        """Fetch what comes next, and make an appointment for it."""
        if self.calendar.dropped:
            return
        self._refill()
        if self._head:
            self.setting.agenda.at(self._head[0][0][0], self._timer)


def _encode(scheduled: Scheduled) -> bytes:
    """A row: address, content header, the routing keys but the first one, which the address has, and the body."""
    envelope, body = scheduled.message.envelope, scheduled.message.body
    more: dict[str, object] = {"": list(scheduled.routing_keys[1:])}
    keys = tables.encode(more) if len(scheduled.routing_keys) > 1 else b""
    lengths = _LENGTHS.pack(len(envelope.address), len(envelope.header), len(keys))
    return b"".join((lengths, envelope.address, envelope.header, keys, body))


def _decode(row: Row, last: Envelope | None) -> Scheduled:
    """What `_encode` encoded; an envelope that is equal to the last one is that one. Raises BadSyntax."""
    value = row.value
    address_length, header_length, keys_length = _LENGTHS.unpack_from(value, 0)
    header_at = _LENGTHS.size + address_length
    keys_at = header_at + header_length
    body_at = keys_at + keys_length
    if body_at > len(value):
        raise BadSyntax("scheduled message is cut short")
    address, header = value[_LENGTHS.size : header_at], value[header_at:keys_at]
    is_equal = last is not None and last.header == header and last.address == address
    envelope = last if last is not None and is_equal else envelope_of(address, header)
    keys = [envelope.routing_key]
    if keys_length:
        more = tables.decode(value[keys_at:body_at]).get("")
        keys += more if isinstance(more, list) else []
    return Scheduled(row.place, Message(envelope, value[body_at:]), keys, 0)

"""All calendars of one store: what of them is in the open batch, and how their rows are written and read.

The rows of a calendar stand under its owner's id, its lane, their time and sequence; with time and sequence 0 stands how many
there are.
"""

from __future__ import annotations

from typing import Final

from persistence import records
from persistence.calendar import BEGINNING, PAGE_BYTES, PAGE_ROWS, Calendar, CalendarOwner, Place, Row
from persistence.store import Corrupt
from persistence.tables import CALENDARS, WHOLE, Changes, Transaction

Counts = dict[tuple[int, int], int]
"""How many rows are stored, by owner's id and lane."""


class Calendars:
    """The open calendars, and the changed ones."""

    def __init__(self) -> None:
        self.counts: Counts = {}
        """Of the calendars that were recovered."""
        self._open: Final[dict[int, list[Calendar]]] = {}
        self._changed: Final[list[Calendar]] = []
        self._dropped: list[Calendar] = []

    def open(self, owner_id: int, lane: int, kept: bool, owner: CalendarOwner) -> Calendar:
        """See `Store.calendar`."""
        calendar = Calendar(self._changed, owner_id, lane, kept, self.counts.pop((owner_id, lane), -1), owner)
        self._open.setdefault(owner_id, []).append(calendar)
        return calendar

    def drop(self, owner_id: int) -> None:
        """Delete the open calendars of an owner with the open batch."""
        for calendar in self._open.pop(owner_id, []):
            calendar.dropped = True
            if calendar.written:
                self._dropped.append(calendar)

    def has_work(self) -> bool:
        """True if the open batch changes a calendar."""
        return bool(self._changed or self._dropped)

    def close(self, messages: Changes, spill: Changes) -> list[Calendar]:
        """Move what is open into the changes; return the calendars that they change."""
        changed = [calendar for calendar in self._changed if not calendar.dropped]
        self._changed.clear()
        for calendar in changed:
            _write(calendar, messages if calendar.kept else spill)
            calendar.close()
        for calendar in self._dropped:
            changes = messages if calendar.kept else spill
            changes.dropped_calendars.append(records.calendar_keys(calendar.owner_id, calendar.lane))
        self._dropped = []
        return changed


def _write(calendar: Calendar, changes: Changes) -> None:
    owner_id, lane = calendar.owner_id, calendar.lane
    for (time, sequence), value in calendar.puts.items():
        key = records.calendar_key(owner_id, lane, time, sequence)
        changes.rows.append((key, records.protect(key, value)))
    for time, sequence in calendar.removals:
        changes.removed_rows.append(records.calendar_key(owner_id, lane, time, sequence))
    key = records.calendar_key(owner_id, lane, 0, 0)
    changes.rows.append((key, records.protect(key, records.pack_id(calendar.count))))


def read_page(view: Transaction, calendar: Calendar, place: Place, damages: list[str]) -> list[Row]:
    """Up to a page of a calendar's stored rows from a place on, but for damaged ones, which are told of. Raises Corrupt.

    Damaged ones do not fill a page, so that no rows mean that none follow.
    """
    low = records.calendar_key(calendar.owner_id, calendar.lane, place[0], place[1])
    high = records.calendar_keys(calendar.owner_id, calendar.lane)[1]
    rows: list[Row] = []
    size = 0
    for key, value in view.range(CALENDARS, low, high, WHOLE):
        owner_id, lane, time, sequence = records.split_calendar_key(key)
        try:
            rows.append(Row((time, sequence), records.unprotect(key, value)))
            size += len(value)
        except Corrupt as error:
            damages.append(f"calendar {owner_id}/{lane}, time {time}, sequence {sequence}: {error}")
        if len(rows) == PAGE_ROWS or size >= PAGE_BYTES:
            break
    return rows


def recover(tables: Transaction, known: set[int], damages: list[str]) -> Counts:
    """At start: the number of rows of every calendar of a known owner; other calendars are deleted.

    Where the stored number is damaged, that is told and the rows are counted.
    """
    counts: Counts = {}
    low = records.calendar_keys(0, 0)[0]
    while True:
        found = _first_calendar(tables, low)
        if found is None:
            return counts
        first, low = records.calendar_keys(*found)
        if found[0] in known:
            try:
                counts[found] = stored_count(tables, *found)
            except Corrupt as error:
                damages.append(str(error))
                counts[found] = sum(1 for _ in tables.range(CALENDARS, records.calendar_key(*found, *BEGINNING), low, 0))
        else:
            tables.delete_range(CALENDARS, first, low)


def _first_calendar(tables: Transaction, low: bytes) -> tuple[int, int] | None:
    for key, _ in tables.range(CALENDARS, low, records.LAST_CALENDAR_KEY, 0):
        owner_id, lane, _, _ = records.split_calendar_key(key)
        return owner_id, lane
    return None


def stored_count(view: Transaction, owner_id: int, lane: int) -> int:
    """How many rows a calendar says it has. Raises Corrupt."""
    key = records.calendar_key(owner_id, lane, 0, 0)
    stored = view.get(CALENDARS, key)
    if stored is None:
        raise Corrupt(f"calendar {owner_id}/{lane} has no count")
    return records.unpack_id(records.unprotect(key, stored))

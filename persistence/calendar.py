"""Rows in the order of a time: messages that are due later, identifiers that are forgotten later.

Invariants, next to those of `store`:

1. Every row has a key of its own, (time, sequence), and is stored under it by itself: rows come in any order of time.
2. A row that is removed before its batch is closed is never written.
3. `count` is the number of rows put and not removed; it is stored with each batch that changes the rows.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

PAGE_ROWS: Final = 1024
PAGE_BYTES: Final = 1024 * 1024
"""A page read from a calendar ends with the row that reaches either."""

NEVER: Final = 2**63 - 1
"""The last time there is, in milliseconds since the epoch."""

Place = tuple[int, int]
"""Where a row stands: its time and its sequence."""
BEGINNING: Final[Place] = (1, 0)
"""Before this place there is no row."""
END: Final[Place] = (2**64 - 1, 2**64 - 1)
"""At this place and behind it there is no row."""


class Row:
    """One row as read back."""

    __slots__ = ("place", "value")

    def __init__(self, place: Place, value: bytes) -> None:
        self.place: Final = place
        self.value: Final = value


@mypyc_attr(allow_interpreted_subclasses=True)
class CalendarOwner:
    """Whose rows they are."""

    def rows_committed(self, number: int) -> None:
        """Called on the event loop after a batch of this number, with rows of the calendar, committed."""

    def rows_read(self, rows: list[Row]) -> None:
        """A page that was asked for was read; no rows: nothing stands there or later."""


class Calendar:
    """The rows of one kind (lane) of one owner. Made by `Store.calendar`, with the count -1 if nothing was ever stored."""

    def __init__(
        self, changed: list[Calendar], owner_id: int, lane: int, kept: bool, count: int, owner: CalendarOwner
    ) -> None:  # fmt: skip
        self.owner_id: Final = owner_id
        self.lane: Final = lane
        self.kept: Final = kept
        """True if the rows survive a restart."""
        self.owner: Final = owner
        self.count: int = max(count, 0)
        self.puts: dict[Place, bytes] = {}
        """What the open batch writes."""
        self.removals: list[Place] = []
        """What the open batch deletes."""
        self.written: bool = count >= 0
        """True if something of it may be stored."""
        self.dropped: bool = False
        """True once its owner is gone: whatever still comes is ignored."""
        self._changed: Final = changed
        self._enlisted: bool = False

    def put(self, place: Place, value: bytes) -> None:
        """Store a row with the open batch; its time is from 1 to NEVER, its sequence is new."""
        self.count += 1
        self.puts[place] = value
        self.touch()

    def remove(self, place: Place) -> None:
        """Delete a row with the open batch."""
        self.count -= 1
        if self.puts.pop(place, None) is None:
            self.removals.append(place)
        self.touch()

    def touch(self) -> None:
        """Be part of the open batch, so that whoever waits for it waits for all earlier ones too."""
        if not self._enlisted:
            self._enlisted = True
            self._changed.append(self)

    def close(self) -> None:
        """The open batch was closed."""
        self.written = True
        self._enlisted = False
        self.puts = {}
        self.removals = []

"""Deduplication: the identifiers of the messages that an exchange or a queue has seen, told by a header.

1. A message without the header is never a duplicate, and neither is one that nobody took before.
2. An identifier is forgotten after its time to live, or when newer ones exceed the size of the cache.
3. What a durable owner remembers is on disk with the batch of its message, so that it survives a restart as it was.
4. A duplicate does not prolong the time of what it repeats.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import Final

from amqpd.broker.clock import Clock
from amqpd.wire import tables
from persistence.calendar import BEGINNING, NEVER, Calendar, CalendarOwner, Place
from persistence.store import Store

DEDUPLICATION: Final = "x-message-deduplication"
CACHE_SIZE: Final = "x-cache-size"
CACHE_TTL: Final = "x-cache-ttl"
"""Argument of the owner, and header of a message with a time to live of its own; milliseconds."""
HEADER: Final = "x-deduplication-header"
"""Argument that names the header with the identifier, and the name without it."""

IDENTIFIERS_LANE: Final = 1
"""Next to that of an exchange's schedule."""
DEFAULT_SIZE: Final = 100_000
SLACK: Final = 1024
"""Leftovers that the heap of deadlines may always hold."""


class DuplicateFilter(CalendarOwner):
    """What one exchange or queue remembers."""

    def __init__(self, arguments: dict[str, object], clock: Clock) -> None:
        self.clock: Final = clock
        self.size: Final = _integer(arguments.get(CACHE_SIZE)) or DEFAULT_SIZE
        self.ttl: Final = _integer(arguments.get(CACHE_TTL))
        """Milliseconds; 0: for ever."""
        header = arguments.get(HEADER)
        self.header: Final = header if isinstance(header, str) else HEADER
        self.calendar: Calendar | None = None
        """Where a durable owner keeps it, a row for each identifier, under the time when it is forgotten."""
        self._places: Final[OrderedDict[bytes, Place]] = OrderedDict()
        """When each identifier is forgotten, in the order of their coming."""
        self._deadlines: list[tuple[int, int, bytes]] = []
        """A heap of those that are not remembered for ever; some are forgotten already."""
        self._next_sequence: int = 0

    def keep(self, store: Store, owner_id: int) -> None:
        """Survive restarts; remember what an earlier run of the program remembered."""
        self.calendar = store.calendar(owner_id, IDENTIFIERS_LANE, True, self)
        found: list[tuple[int, int, bytes]] = []
        place = BEGINNING
        # Not until there are as many as are counted: damaged ones are passed over.
        while rows := store.read_calendar(self.calendar, place):
            found.extend([(row.place[1], row.place[0], row.value) for row in rows])
            place = (rows[-1].place[0], rows[-1].place[1] + 1)
        for sequence, time, identifier in sorted(found):
            self._note(identifier, (time, sequence))
        self._next_sequence = store.first_sequence

    def is_duplicate(self, headers: dict[str, object]) -> bool:
        """Whether a message with these headers was seen already; it is remembered from now on."""
        if self.header not in headers:
            return False
        now = self.clock.now
        self._forget_expired(now)
        identifier = _identifier(headers[self.header])
        if identifier in self._places:
            if self.calendar is not None:
                self.calendar.touch()
            return True
        ttl = _integer(headers.get(CACHE_TTL)) or self.ttl
        self._remember(identifier, min(now + ttl, NEVER) if ttl else NEVER)
        return False

    def forget(self, headers: dict[str, object]) -> None:
        """The message with these headers, which was no duplicate, was refused: it may come again."""
        if self.header in headers:
            place = self._places.pop(_identifier(headers[self.header]), None)
            if place is not None:
                self._erase(place)

    def _remember(self, identifier: bytes, until: int) -> None:
        place = (until, self._next_sequence)
        self._next_sequence += 1
        self._note(identifier, place)
        if self.calendar is not None:
            self.calendar.put(place, identifier)
        if len(self._places) > self.size:
            self._erase(self._places.popitem(last=False)[1])

    def _note(self, identifier: bytes, place: Place) -> None:
        self._places[identifier] = place
        if place[0] != NEVER:
            heappush(self._deadlines, (place[0], place[1], identifier))
            if len(self._deadlines) > 2 * len(self._places) + SLACK:
                self._deadlines = [(at, sequence, kept) for kept, (at, sequence) in self._places.items() if at != NEVER]
                heapify(self._deadlines)

    def _forget_expired(self, now: int) -> None:
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now:
            time, sequence, identifier = heappop(deadlines)
            if self._places.get(identifier) == (time, sequence):
                del self._places[identifier]
                self._erase((time, sequence))

    def _erase(self, place: Place) -> None:
        if self.calendar is not None:
            self.calendar.remove(place)


def _identifier(value: object) -> bytes:
    """A value of any type; equal bytes mean the same."""
    return tables.encode({"": value})


def _integer(value: object) -> int:
    """A positive integer; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0

"""Entries of a lane that were given back by who had them, and others among them: in memory, at any place of the line.

1. Only whole chunks can be put away: all their live records at once, and no other record between them, whoever has it. The
   others (transient ones, and neighbours of what a consumer still holds) are stuck, until they are whole or consumed.
2. A chunk that waits for a batch, or whose marks do, is not put away: who reads it meanwhile would have marks of his own.
3. Sorting what came back takes time in proportion to it. It is done when there is twice as much as was stuck the last time,
   or when a quarter of it has become whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from amqpd.broker.entry import Entry
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, MAX_RETURNS, Chunk, Log

ENTRY_BYTES: Final = 1024
"""What an entry weighs beside its body."""
HEAVY: Final = 4 * 1024 * 1024
"""Bytes that may have come back before any of it is put away."""
CHUNKS_PER_LOOK: Final = 1024
"""Of more stuck chunks than this, not all are looked at with each commit."""


class Returned:
    """They are taken by age."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, Entry]] = []
        """By sequence; some are gone."""
        self.last: int = 0
        """No sequence is greater."""
        self._size: int = 0
        self._kept: int = 0
        """What those weigh that were stuck the last time."""
        self._chunks: dict[Chunk, int] = {}
        """The chunks that were not put away the last time, with how many of each wait here."""
        self._since: int = 0
        """The first sequence of what was sorted the last time; what was given back since, and is older, counts as held."""
        self._looks: int = 0

    def add(self, entry: Entry) -> None:
        """One comes back."""
        self._size += len(entry.message.body)
        self.last = max(self.last, entry.sequence) if self.heap else entry.sequence
        heappush(self.heap, (entry.sequence, entry))
        self._count(entry, 1)

    def take(self) -> Entry:
        """The oldest, which leaves."""
        entry = heappop(self.heap)[1]
        self._size -= len(entry.message.body)
        if not entry.gone:
            self._count(entry, -1)
        return entry

    def lose(self, entry: Entry) -> None:
        """One that may wait here is gone."""
        self._count(entry, -1)

    def _count(self, entry: Entry, change: int) -> None:
        chunk = entry.chunk
        if chunk is not None and chunk in self._chunks and entry.sequence >= self._since:
            self._chunks[chunk] += change

    def is_after(self, sequence: int) -> bool:
        """True if one of them comes later."""
        return bool(self.heap) and sequence < self.last

    def entries(self) -> list[Entry]:
        """All that are not gone, by age."""
        return [entry for _, entry in sorted(self.heap) if not entry.gone]

    def replace(self, entries: list[Entry]) -> None:
        """It is these, by age, from now on."""
        self.heap = [(entry.sequence, entry) for entry in entries]
        self.last = entries[-1].sequence if entries else 0
        self._size = sum([len(entry.message.body) for entry in entries])

    def clear(self) -> None:
        """There are none."""
        self.replace([])
        self._chunks = {}

    def keep(self, rest: Sorting) -> None:
        """What of it cannot be put away stays."""
        self.replace(sorted([*rest.waiting, *rest.stuck], key=_sequence))
        self._kept = sum([len(entry.message.body) + ENTRY_BYTES for entry in rest.stuck])
        self._chunks = rest.chunks
        self._since = self.heap[0][0] if self.heap else 0

    def is_heavy(self) -> bool:
        """True if it is time to put them away (3)."""
        weight = self._size + ENTRY_BYTES * len(self.heap)
        self._kept = min(self._kept, weight)
        if weight <= HEAVY:
            return False
        return weight > 2 * self._kept + HEAVY or self._are_whole(max(HEAVY, weight // 4), weight)

    def _are_whole(self, part: int, weight: int) -> bool:
        """True if chunks have become whole that make up such a part of the weight."""
        self._looks += CHUNKS_PER_LOOK
        if self._looks < len(self._chunks):
            return False
        self._looks = 0
        whole = sum([here for chunk, here in self._chunks.items() if here == chunk.live and not chunk.dirty])
        return whole * weight > part * len(self.heap)


class Sorting:
    """A part of the line, by age, divided into what can be put away (1), what has to wait (2), and what is stuck."""

    def __init__(self, log: Log, line: Iterable[Entry]) -> None:
        self.runs: Final[list[list[Entry]]] = []
        """What can be put away, by windows."""
        self.waiting: Final[list[Entry]] = []
        self.stuck: Final[list[Entry]] = []
        self.chunks: Final[dict[Chunk, int]] = {}
        """Of the chunks that wait or are stuck, how many are here."""
        self._last_size: int = 0
        chunks: dict[Chunk, list[Entry]] = {}
        for entry in line:
            chunk = entry.chunk
            if chunk is None or chunk.log is not log or entry.returns > MAX_RETURNS:
                (self.waiting if entry.stored and chunk is None else self.stuck).append(entry)
            elif chunk in chunks:
                chunks[chunk].append(entry)
            else:
                chunks[chunk] = [entry]
        for chunk, members in chunks.items():
            self._divide(chunk, members)

    def _divide(self, chunk: Chunk, members: list[Entry]) -> None:
        first, last = members[0], members[-1]
        if last.sequence - first.sequence != last.slot - first.slot:
            self.stuck.extend(members)
        elif len(members) == chunk.live and chunk.durable and not chunk.dirty:
            self._add(members)
        else:
            self.chunks[chunk] = len(members)
            (self.waiting if len(members) == chunk.live else self.stuck).extend(members)

    def _add(self, members: list[Entry]) -> None:
        """A chunk joins the window before it if nothing can be between them and both fit."""
        size = sum([len(entry.message.body) for entry in members])
        last = self.runs[-1] if self.runs else members
        if (
            last[-1].sequence + 1 == members[0].sequence
            and len(last) + len(members) <= CHUNK_RECORDS
            and self._last_size + size <= CHUNK_BYTES
        ):
            last.extend(members)
            self._last_size += size
        else:
            self.runs.append(members)
            self._last_size = size


def _sequence(entry: Entry) -> int:
    return entry.sequence

"""Entries of a lane that were given back by who had them: in memory, at any place of the line.

1. Only what is whole can be put away: all live records of a chunk at once, in a window with no other record between them,
   whoever has it. The others (transient ones, and neighbours of what a consumer still holds) stay until they are consumed.
2. A chunk that waits for a batch, or whose marks do, is not put away: who reads it meanwhile would have marks of his own.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from amqpd.broker.entry import Entry
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, Chunk, Log

ENTRY_BYTES: Final = 1024
"""What an entry weighs beside its body."""
HEAVY: Final = 4 * 1024 * 1024
"""Bytes that may have come back before any of it is put away."""


class Returned:
    """They are taken by age."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, Entry]] = []
        """By sequence; some are gone."""
        self._size: int = 0
        self._kept: int = 0
        """What those weigh that were stuck the last time."""

    def add(self, entry: Entry) -> None:
        """One comes back."""
        self._size += len(entry.message.body)
        heappush(self.heap, (entry.sequence, entry))

    def take(self) -> Entry:
        """The oldest, which leaves."""
        entry = heappop(self.heap)[1]
        self._size -= len(entry.message.body)
        return entry

    def entries(self) -> list[Entry]:
        """All that are not gone, by age."""
        return [entry for _, entry in sorted(self.heap) if not entry.gone]

    def replace(self, entries: list[Entry]) -> None:
        """It is these, by age, from now on."""
        self.heap = [(entry.sequence, entry) for entry in entries]
        self._size = sum([len(entry.message.body) for entry in entries])

    def is_heavy(self) -> bool:
        """True if they should be put away: the next time when they weigh twice what was stuck this time."""
        weight = self._weight()
        self._kept = min(self._kept, weight)
        return weight > 2 * self._kept + HEAVY

    def keep(self, rest: Sorting) -> None:
        """What of it cannot be put away stays."""
        self.replace(sorted([*rest.waiting, *rest.stuck], key=_sequence))
        self._kept = sum([len(entry.message.body) + ENTRY_BYTES for entry in rest.stuck])

    def _weight(self) -> int:
        return self._size + ENTRY_BYTES * len(self.heap)


class Sorting:
    """A part of the line, by age, divided into what can be put away (1), what has to wait (2), and what is stuck."""

    def __init__(self, log: Log, line: Iterable[Entry]) -> None:
        self.runs: Final[list[list[Entry]]] = []
        """What can be put away, by windows."""
        self.waiting: Final[list[Entry]] = []
        self.stuck: Final[list[Entry]] = []
        self._last_size: int = 0
        chunks: dict[Chunk, list[Entry]] = {}
        for entry in line:
            chunk = entry.chunk
            if chunk is None or chunk.log is not log:
                (self.waiting if entry.stored and chunk is None else self.stuck).append(entry)
            elif chunk in chunks:
                chunks[chunk].append(entry)
            else:
                chunks[chunk] = [entry]
        for chunk, members in chunks.items():
            self._divide(chunk, members)

    def _divide(self, chunk: Chunk, members: list[Entry]) -> None:
        is_whole = len(members) == chunk.live
        if is_whole and chunk.log.has_spilled:
            # Spilled chunks and others interleave: only a run without a gap has nothing between.
            is_whole = members[-1].sequence - members[0].sequence < len(members)
        if not is_whole:
            self.stuck.extend(members)
        elif chunk.dirty or not chunk.durable:
            self.waiting.extend(members)
        else:
            self._add(members)

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

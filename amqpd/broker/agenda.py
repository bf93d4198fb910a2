"""What is due when: one list of appointments for the whole core. It has no clock: the server says what time it is.

1. An appointment is kept at the first `run` whose time is not before it, earliest first.
2. Whoever makes an earlier appointment than his last one has two, and looks for himself whether there is anything to do.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final


class Timed:
    """Somebody with appointments."""

    def due(self, now: int) -> None:
        """An appointment is due; now is in milliseconds since the epoch."""
        raise NotImplementedError


class Agenda:
    """Appointments by time."""

    def __init__(self) -> None:
        self._heap: Final[list[tuple[int, int, Timed]]] = []
        self._count: int = 0

    def at(self, time: int, who: Timed) -> None:
        """Call `who.due` once it is this time, in milliseconds since the epoch."""
        self._count += 1
        heappush(self._heap, (time, self._count, who))

    def next(self) -> int:
        """The time of the first appointment; 0 if there is none."""
        return self._heap[0][0] if self._heap else 0

    def run(self, now: int) -> None:
        """Keep every appointment that is due now; those made meanwhile wait for the next run."""
        ready: list[Timed] = []
        while self._heap and self._heap[0][0] <= now:
            ready.append(heappop(self._heap)[2])
        for who in ready:
            who.due(now)

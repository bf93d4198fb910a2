"""What is due when: one list of appointments for the whole core. It has no clock: the server says what time it is.

1. An appointment is kept at the first `run` whose time is not before it, earliest first.
2. Nobody has more than one: whoever asks for another has the earlier of both.
3. Of appointments that were cancelled or moved, the list holds no more than of others, and `SLACK`.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from mypy_extensions import mypyc_attr

NONE: Final = -1
"""The time of no appointment."""
SLACK: Final = 64


@mypyc_attr(allow_interpreted_subclasses=True)
class Timed:
    """Somebody with appointments."""

    def __init__(self) -> None:
        self.appointment: int = NONE
        """The time of the next one, in milliseconds since the epoch; the agenda's business."""

    def due(self, now: int) -> None:
        """An appointment is due; now is in milliseconds since the epoch."""
        raise NotImplementedError


class Agenda:
    """Appointments by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timed]] = []
        self._count: int = 0
        self._moved: int = 0
        """How many in the heap were cancelled or moved to an earlier time."""
        self.rests: bool = False
        """Nothing is ever due: all stays as it was found."""

    def at(self, time: int, who: Timed) -> None:
        """Call `who.due` once it is this time, in milliseconds since the epoch, or an earlier one that he asked for."""
        if who.appointment != NONE:
            if who.appointment <= time:
                return
            self._moved += 1
        who.appointment = time
        self._count += 1
        heappush(self._heap, (time, self._count, who))
        self._tidy()

    def cancel(self, who: Timed) -> None:
        """He has no appointment any more, and is not held by the agenda for long."""
        if who.appointment != NONE:
            who.appointment = NONE
            self._moved += 1
            self._tidy()

    def next(self) -> int:
        """The time of the first appointment; 0 if there is none."""
        if self.rests:
            return 0
        heap = self._heap
        while heap and heap[0][2].appointment != heap[0][0]:
            heappop(heap)
            self._moved -= 1
        return heap[0][0] if heap else 0

    def run(self, now: int) -> None:
        """Keep every appointment that is due now; those made meanwhile wait for the next run."""
        ready: list[Timed] = []
        while self._heap and self._heap[0][0] <= now:
            time, _, who = heappop(self._heap)
            if who.appointment == time:
                who.appointment = NONE
                ready.append(who)
            else:
                self._moved -= 1
        for who in ready:
            who.due(now)

    def _tidy(self) -> None:
        if 2 * self._moved <= len(self._heap) + SLACK:
            return
        kept = {item[2]: item for item in self._heap if item[2].appointment == item[0]}
        self._heap = list(kept.values())
        heapify(self._heap)
        self._moved = 0

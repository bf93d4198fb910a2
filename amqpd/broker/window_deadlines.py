"""When messages expire in windows, which nobody reads before that."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from persistence.store import Window

SLACK: Final = 64
"""Windows that were read back since, and that may always be kept."""


class WindowDeadlines:
    """The windows of a lane that have deadlines."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Window]] = []
        """By deadline and number; some were read back since."""
        self._number: int = 0
        self._kept: int = 0
        """How many there were after those that were read back had been left out."""

    def add(self, window: Window, deadline: int) -> None:
        """Something expires in the window then, in milliseconds since the epoch; 0: never."""
        if not deadline:
            return
        self._number += 1  # No two items are equal, for windows have no order.
        heappush(self.heap, (deadline, self._number, window))
        if len(self.heap) > 2 * self._kept + SLACK:
            self.heap = [item for item in self.heap if item[2].put_away]
            heapify(self.heap)
            self._kept = len(self.heap)

    def first(self) -> int:
        """The first deadline; 0: there is none."""
        heap = self.heap
        while heap and not heap[0][2].put_away:
            heappop(heap)
        return heap[0][0] if heap else 0

    def take(self) -> Window:
        """The window with the first deadline, which is forgotten."""
        return heappop(self.heap)[2]

"""Publisher confirms of one channel (RabbitMQ extension confirm.select).

1. Publishes are numbered from 1, from the moment that confirms were selected.
2. Tag t is confirmed only after every batch that holds a publish ≤ t of this channel committed.
3. Tags are confirmed in order, so one frame with multiple=true can confirm many; a refused one is answered in its place.
"""

from __future__ import annotations

from collections import deque


class Confirms:
    """Counts publishes and decides how far they may be confirmed."""

    def __init__(self) -> None:
        self.published: int = 0
        """The tag of the last publish."""
        self.confirmed: int = 0
        """The last tag that was confirmed."""
        self.refused: deque[int] = deque()
        """Tags that are answered with a nack, in order."""
        self._batches: deque[tuple[int, int]] = deque()
        """Batches that are awaited, each with the first tag that went into it."""

    def publish(self) -> None:
        """A message that needs no disk was published."""
        self.published += 1

    def publish_refused(self) -> None:
        """A message that a full queue refused was published."""
        self.published += 1
        self.refused.append(self.published)

    def publish_stored(self, batch: int) -> bool:
        """A message that went into this batch was published; True if it is the first one of this channel in it."""
        self.published += 1
        if self._batches and self._batches[-1][0] == batch:
            return False
        self._batches.append((batch, self.published))
        return True

    def batch_durable(self, number: int) -> None:
        """Every batch up to number committed."""
        batches = self._batches
        while batches and batches[0][0] <= number:
            batches.popleft()

    def due(self) -> int:
        """The tag up to which confirms may go out now; 0 if there is nothing new to confirm."""
        through = self._batches[0][1] - 1 if self._batches else self.published
        if through <= self.confirmed:
            return 0
        return through

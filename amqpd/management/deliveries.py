"""Since when a channel holds what it holds, to within a step: how far its delivery tags had come at some steps.

1. Marks rise in tag and in step; what was delivered before a mark's tag was delivered at its step or before.
2. Marks that only tell of settled deliveries are dropped, and of too many every second one is.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

MARKS_MAX: Final = 240


class Deliveries:
    """The marks of one channel."""

    __slots__ = ("_steps", "_tags")

    def __init__(self) -> None:
        self._tags: list[int] = []
        self._steps: list[int] = []

    def note(self, step: int, next_tag: int, oldest_tag: int) -> None:
        """At this step, later than all before, these are the tag to come and the lowest one that is held."""
        settled = bisect_right(self._tags, oldest_tag)
        del self._tags[:settled], self._steps[:settled]
        if next_tag > oldest_tag and next_tag not in self._tags[-1:]:
            self._tags.append(next_tag)
            self._steps.append(step)
        if len(self._tags) > MARKS_MAX:
            del self._tags[1::2], self._steps[1::2]

    def step_of(self, tag: int) -> int | None:
        """The step before which a held tag was delivered; None if that was after the last one."""
        found = bisect_right(self._tags, tag)
        return self._steps[found] if found < len(self._steps) else None

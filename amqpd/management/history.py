"""Numbers over time, sampled at even steps.

1. A step is noted only if it differs from the one before: an idle object keeps one sample however long it lives.
2. Between two noted steps the numbers are those of the earlier one.
3. Rows of the past are packed, eight octets a number: as tuples of integers they would take five times as much.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from struct import Struct
from typing import Final

Row = tuple[int, ...]

_PACKINGS: Final[dict[int, Struct]] = {}
"""By the number of octets, which is eight for each number."""


def _packing(octets: int) -> Struct:
    found = _PACKINGS.get(octets)
    if found is None:
        found = _PACKINGS[octets] = Struct(f"{octets // 8}q")
    return found


class Past:
    """How something stood at each step."""

    __slots__ = ()

    def at(self, step: int) -> Row | None:
        """Its row at a step; None before the first sample."""
        raise NotImplementedError


class JointPast(Past):
    """The sums of several pasts."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Past]) -> None:
        self._parts: Final = parts

    def at(self, step: int) -> Row | None:
        """See `Past.at`."""
        rows = [row for part in self._parts if (row := part.at(step)) is not None]
        return tuple(map(sum, zip(*rows, strict=True))) if rows else None


class History(Past):
    """The rows of one object by step."""

    __slots__ = ("_rows", "_steps", "last")

    def __init__(self, length: int) -> None:
        """Length is how many changes are kept."""
        self.last: Row | None = None
        """The newest row."""
        self._steps: Final[deque[int]] = deque(maxlen=length)
        self._rows: Final[deque[bytes]] = deque(maxlen=length)

    @property
    def changed_at(self) -> int:
        """The step of the newest row, since which nothing changed."""
        return self._steps[-1] if self._steps else 0

    def note(self, step: int, row: Row) -> None:
        """Its row is this at this step, which is later than all before."""
        if self.last != row:
            self.last = row
            self._steps.append(step)
            self._rows.append(_packing(8 * len(row)).pack(*row))

    def at(self, step: int) -> Row | None:
        """See `Past.at`."""
        found = bisect_right(self._steps, step)
        if not found:
            return None
        packed = self._rows[found - 1]
        return _packing(len(packed)).unpack(packed)

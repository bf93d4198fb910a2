"""Long work in slices: between two of them the event loop serves whoever waits.

1. A slice begins with a turn of the loop: what was done in that turn before, by somebody else or by earlier work, is not in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

T = TypeVar("T")
U = TypeVar("U")

SLICE_SECONDS: Final = 0.001
RUN: Final = 1000
"""Items that are sorted before anybody asks whose turn it is."""


class Slices:
    """The slices of one piece of work; others have their turn before the first one."""

    def __init__(self) -> None:
        self._end = 0.0

    def is_over(self) -> bool:
        """True if it is somebody else's turn."""
        return time.perf_counter() >= self._end

    async def pause(self) -> None:
        """Let others have their turn; the next slice begins after it."""
        await asyncio.sleep(0)  # (1)
        self._end = time.perf_counter() + SLICE_SECONDS


async def mapped(items: Iterable[T], make: Callable[[T], U]) -> list[U]:
    """What is made of each item, in slices."""
    made: list[U] = []
    slices = Slices()
    for item in items:
        made.append(make(item))
        if slices.is_over():
            await slices.pause()
    return made


async def ordered(items: list[T], key: Callable[[T], Any], reverse: bool = False) -> list[T]:
    """The items in the order of their keys, in slices but for a last pass."""
    keys = await mapped(items, key)
    order: list[int] = []
    slices = Slices()
    for start in range(0, len(items), RUN):
        run = range(start, min(start + RUN, len(items)))
        order += sorted(run, key=keys.__getitem__, reverse=reverse)
        if slices.is_over():
            await slices.pause()
    order.sort(key=keys.__getitem__, reverse=reverse)  # Python's sort recognises the runs and merges them.
    return [items[position] for position in order]

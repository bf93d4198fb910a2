"""Long work in slices: between two of them the event loop serves whoever waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")
U = TypeVar("U")

SLICE_SECONDS: Final = 0.002


class Slices:
    """The slices of one piece of work, the first of which begins at once."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + SLICE_SECONDS

    def is_over(self) -> bool:
        """True if it is somebody else's turn."""
        return time.perf_counter() >= self._end

    async def pause(self) -> None:
        """Let others have their turn; the next slice begins after it."""
        await asyncio.sleep(0)
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

"""Who waits for which batch to reach the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final


class Awaiter:
    """Somebody who has something to say once a batch is durable."""

    def durable(self, number: int) -> None:
        """Every batch up to this number is on disk."""
        raise NotImplementedError

    def settle_confirms(self) -> None:
        """The turn ends: confirm what waits for no batch."""
        raise NotImplementedError


class Notice(Awaiter):
    """Calls somebody outside of the core once a batch is durable."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Final = call

    def durable(self, number: int) -> None:
        """See `Awaiter.durable`."""
        self.call()

    def settle_confirms(self) -> None:
        """Nothing to confirm."""


class Durability:
    """Calls its awaiters in the order of the batches that they wait for."""

    def __init__(self) -> None:
        self.through: int = 0
        """Every batch up to this number is on disk."""
        self._waiting: dict[int, list[Awaiter]] = {}

    def wait(self, number: int, awaiter: Awaiter) -> None:
        """Tell the awaiter once batch number is durable; numbers are never smaller than in earlier calls."""
        waiting = self._waiting.get(number)
        if waiting is None:
            self._waiting[number] = [awaiter]
        else:
            waiting.append(awaiter)

    def is_awaited(self) -> bool:
        """True if anybody waits."""
        return bool(self._waiting)

    def batch_durable(self, number: int) -> None:
        """Every batch up to number committed."""
        self.through = number
        waiting = self._waiting
        while waiting:
            oldest = next(iter(waiting))
            if oldest > number:
                break
            for awaiter in waiting.pop(oldest):
                awaiter.durable(number)

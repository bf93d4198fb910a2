"""How much a receiver can still take: an integer in a box, so that an ack gives it back without knowing the receiver."""

from __future__ import annotations

from typing import Final


class Waiter:
    """Somebody who could not go on and wants to know when he can."""

    def __init__(self) -> None:
        self.served: int = 0
        """When he went on the last time, counted in whatever all who wait together count in."""

    def resume(self) -> None:
        """What was missing may be there again."""
        raise NotImplementedError


class Credit:
    """Counts unacknowledged deliveries against a prefetch limit (specification 1.8.3.1, basic.qos)."""

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        """The most deliveries that may be unacknowledged at once; 0: no limit."""
        self.used: int = 0
        self.waiting: list[Waiter] = []

    def exhausted(self) -> bool:
        """True if not one more delivery is allowed."""
        return self.limit != 0 and self.used >= self.limit

    def release(self) -> None:
        """One delivery was settled or went back."""
        self.used -= 1
        if self.waiting:
            wake(self.waiting)

    def change(self, limit: int) -> None:
        """Another limit from now on."""
        self.limit = limit
        if self.waiting:
            wake(self.waiting)


class Flow:
    """Whether a connection's socket takes more; shared by all its channels."""

    def __init__(self) -> None:
        self.writable: bool = True
        self.waiting: list[Waiter] = []

    def open(self) -> None:
        """The socket takes more again."""
        self.writable = True
        if self.waiting:
            wake(self.waiting)


def wake(waiting: list[Waiter]) -> None:
    """Resume every waiter once, who was served longest ago first; those that still cannot go on enlist anew."""
    resumed: Final = waiting[:] if len(waiting) == 1 else sorted(waiting, key=_served)
    waiting.clear()
    for waiter in resumed:
        waiter.resume()


def _served(waiter: Waiter) -> int:
    return waiter.served

"""The time as the core knows it: a number that the server sets once per turn of its loop."""

from __future__ import annotations


class Clock:
    """Milliseconds since the epoch, good to one turn of the loop."""

    def __init__(self) -> None:
        self.now: int = 0

"""How many bytes of waiting messages the process holds in memory, against the limit it was given, and whether memory is low."""

from __future__ import annotations

from typing import Final


class Memory:
    """One count for all queues; messages that are delivered at once are never counted."""

    def __init__(self, limit: int) -> None:
        self.limit: Final = limit
        """Bytes of bodies; above it transient messages are spilled to disk."""
        self.resident: int = 0
        self.is_low: bool = False
        """True while the process as a whole holds more than it may (the memory alarm)."""

    def is_pressing(self) -> bool:
        """True while waiting transient messages should make room."""
        return self.resident > self.limit

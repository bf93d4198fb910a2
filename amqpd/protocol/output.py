"""What one connection has to send: pieces of bytes, joined and written once per turn of the loop."""

from __future__ import annotations

from typing import Final

ANSWERS_MAX: Final = 512 * 1024
"""Octets that wait for the end of the turn before a client that asks on is not answered in this turn any more."""


class Output:
    """Collects bytes; enlists itself in `dirty` with the first piece after each `take`."""

    def __init__(self, dirty: list[Output]) -> None:
        self.dirty: list[Output] = dirty
        self.pieces: list[bytes] = []
        self.size: int = 0
        """Octets of large pieces since the last `take`: an estimate that bounds memory, not a count."""

    def add(self, piece: bytes) -> None:
        """Send these bytes after all earlier ones."""
        if not self.pieces:
            self.dirty.append(self)
        self.pieces.append(piece)
        self.size += len(piece)

    def extend(self, pieces: list[bytes]) -> None:
        """Send these bytes after all earlier ones."""
        for piece in pieces:
            self.add(piece)

    def take(self) -> bytes:
        """All collected bytes; the output is empty after."""
        data = b"".join(self.pieces)
        self.pieces = []
        self.size = 0
        return data

    def flush(self) -> None:
        """Write what was collected; called once per turn of the loop for each dirty output."""
        raise NotImplementedError

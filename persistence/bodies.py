"""Who refers to the shared bodies: counted in memory, so that a body is deleted with its last reference.

Invariants:

1. A body is written with the batch in which it was shared, or never: if no reference is left when that batch is closed.
2. A body whose count is 0 when a batch is closed is deleted with that batch; until then it can be retained again.
"""

from __future__ import annotations

from persistence.store import StoreError


class Bodies:
    """Reference counts of the shared bodies, and what the open batch does to them."""

    def __init__(self, first_id: int) -> None:
        self._next_id: int = first_id
        self._counts: dict[int, int] = {}
        self._fresh: dict[int, bytes] = {}
        """Bodies that the open batch writes."""
        self._idle: list[int] = []
        """Bodies whose count was 0 at some time since the last batch was closed."""

    def share(self, body: bytes) -> int:
        """Take in a body without references; return its id."""
        body_id = self._next_id
        self._next_id += 1
        self._counts[body_id] = 0
        self._fresh[body_id] = body
        self._idle.append(body_id)
        return body_id

    def retain(self, body_id: int) -> None:
        """Count one more reference. Raises StoreError if the body is gone."""
        count = self._counts.get(body_id)
        if count is None:
            raise StoreError(f"shared body {body_id} is gone")
        self._counts[body_id] = count + 1

    def release(self, body_id: int) -> None:
        """Count one reference less."""
        count = self._counts[body_id] - 1
        self._counts[body_id] = count
        if count == 0:
            self._idle.append(body_id)

    def has_work(self) -> bool:
        """True if the open batch may have to write or delete a body."""
        return bool(self._idle)

    def close(self, unreferenced: list[int]) -> dict[int, bytes]:
        """Close the batch: return the bodies it writes by id, append to unreferenced the ids of those it deletes."""
        fresh = self._fresh
        for body_id in self._idle:
            if self._counts.get(body_id, -1) == 0:
                del self._counts[body_id]
                if body_id in fresh:
                    del fresh[body_id]
                else:
                    unreferenced.append(body_id)
        self._idle = []
        self._fresh = {}
        return fresh

    def recover(self, counts: dict[int, int]) -> None:
        """Start from the references that were found in the store."""
        self._counts = counts

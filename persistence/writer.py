"""Writes batches: in a thread, since the event loop must not wait for the disk, or in place while it would not have to.

A disk that protects its cache takes a small synced write in less time than it takes two threads to hand it over. So the writer
watches how long writes take.

Invariants:

1. One batch at a time is being written, here or in the thread.
2. A batch is written in place only if it takes one short write, and each of the last `TRUSTED_AFTER` writes was quick. The
   first one that is slow ends that: the loop waits for no second one.
3. Each batch that is written is reported once, whatever became of it. What failed is never tried again without being reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

from persistence.store import Batch, Store

QUICK_SECONDS: Final = 0.0005
TRUSTED_AFTER: Final = 8
"""So many quick writes in a row, and the next one is expected to be quick."""


class Writer:
    """Applies one batch after the other, and reports each on the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: Store,
        written: Callable[[Exception | None], None],
        clock: Callable[[], float],
    ) -> None:
        """Apply batches to the store, then call `written` on the loop with what that raised."""
        self._loop: Final = loop
        self._clock: Final = clock
        self._store: Final = store
        self._written: Final = written
        self._quick_writes: int = 0
        """In a row, up to now."""
        self._batches: Final[SimpleQueue[Batch | None]] = SimpleQueue()
        self._worker: Final = Thread(target=self._run, name="amqpd-writer", daemon=True)
        self._worker.start()

    def write(self, batch: Batch) -> None:
        """Write this batch, the one before having been reported; this one is reported later, or before this returns."""
        if self._quick_writes < TRUSTED_AFTER or not self._is_written_here(batch):
            self._batches.put(batch)

    def close(self) -> None:
        """End the thread once everything is written; what it reports then is lost if the loop has ended."""
        self._batches.put(None)
        self._worker.join()

    def _is_written_here(self, batch: Batch) -> bool:
        """Write the batch in place and report it; False, and nothing done, if it takes more than a short write."""
        failure: Exception | None = None
        before = self._clock()
        try:
            if not self._store.apply_briefly(batch):
                return False
        except Exception as error:  # noqa: BLE001 - what failed is not tried again without being reported (3)
            failure = error
        self._took(self._clock() - before)
        self._written(failure)
        return True

    def _took(self, seconds: float) -> None:
        self._quick_writes = self._quick_writes + 1 if seconds < QUICK_SECONDS else 0

    def _run(self) -> None:
        while True:
            batch = self._batches.get()
            if batch is None:
                return
            failure: Exception | None = None
            before = self._clock()
            try:
                self._store.apply(batch)
            except Exception as error:  # noqa: BLE001 - the loop decides what becomes of it
                failure = error
            self._took(self._clock() - before)
            self._loop.call_soon_threadsafe(self._written, failure)

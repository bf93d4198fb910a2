"""The thread that writes batches: a commit waits for the disk, and the event loop must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

from persistence.store import Batch


class Writer:
    """Applies one batch after the other and reports each on the event loop, in one callback."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, apply: Callable[[Batch], None], written: Callable[[Exception | None], None]
    ) -> None:
        """Call `apply` in the thread, then `written` on the loop with what `apply` raised."""
        self._loop: Final = loop
        self._apply: Final = apply
        self._written: Final = written
        self._batches: Final[SimpleQueue[Batch | None]] = SimpleQueue()
        self._worker: Final = Thread(target=self._run, name="amqpd-writer", daemon=True)
        self._worker.start()

    def submit(self, batch: Batch) -> None:
        """Write this batch after all earlier ones."""
        self._batches.put(batch)

    def close(self) -> None:
        """End the thread once everything is written; what it reports then is lost if the loop has ended."""
        self._batches.put(None)
        self._worker.join()

    def _run(self) -> None:
        while True:
            batch = self._batches.get()
            if batch is None:
                return
            failure: Exception | None = None
            try:
                self._apply(batch)
            except Exception as error:  # noqa: BLE001 - the loop decides what becomes of it
                failure = error
            self._loop.call_soon_threadsafe(self._written, failure)

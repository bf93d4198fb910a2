"""Group commit: everything queued in one turn of the event loop becomes durable together, in one worker thread.

Invariants:

1. One batch at a time is on its way to the disk; what comes in meanwhile makes up the next one.
2. A batch's definitions are durable before its messages, so that stored messages always have a known queue.
3. `CommitListener.batch_committed` is called for every batch number in order, after all that the batch held is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from persistence.calendar import Calendar, Place, Row
from persistence.definitions import Definitions
from persistence.store import Batch, Log, NoSpace, Store, StoredRecord, Window

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Pause between two attempts to write to a full disk."""


class CommitListener:
    """Told on the event loop what becomes of the batches."""

    def batch_committed(self, number: int) -> None:
        """Everything that was queued while the store's `open_number` was this is durable."""
        raise NotImplementedError

    def no_space(self, full: bool) -> None:
        """The disk is full: nothing commits until this is called again with False."""
        raise NotImplementedError

    def fatal(self, error: Exception) -> None:
        """A batch cannot be written: it and all later ones will never commit, the program has to stop."""
        raise NotImplementedError


class Committer:
    """Writes the open batches of a store and of definitions; belongs to the running event loop."""

    def __init__(
        self, store: Store, definitions: Definitions, listener: CommitListener, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._store: Final = store
        self._definitions: Final = definitions
        self._listener: Final = listener
        self._retry_seconds: Final = retry_seconds
        self._loop: Final = asyncio.get_running_loop()
        self._writer: Final = ThreadPoolExecutor(1, "amqpd-writer")
        self._reader: Final = ThreadPoolExecutor(1, "amqpd-reader")
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._closing = False

    def kick(self) -> None:
        """Commit the open batch after this turn of the event loop, or as soon as the one before it committed."""
        if self._task is None and self._failure is None:
            self._task = self._loop.create_task(self._run())

    def is_busy(self) -> bool:
        """True while a batch is on its way to the disk, or about to be."""
        return self._task is not None

    async def drain(self) -> None:
        """Return when all that was queued is durable. Raises the error that made it impossible."""
        self.kick()
        if self._task is not None:
            await asyncio.shield(self._task)
        if self._failure is not None:
            raise self._failure

    async def read(self, log: Log, window: Window) -> list[StoredRecord]:
        """Do `Store.read` in a thread of its own."""
        return await self._loop.run_in_executor(self._reader, self._store.read, log, window)

    async def read_calendar(self, calendar: Calendar, place: Place) -> list[Row]:
        """Do `Store.read_calendar` in the thread that reads."""
        return await self._loop.run_in_executor(self._reader, self._store.read_calendar, calendar, place)

    async def close(self) -> None:
        """Make all that was queued durable and end the threads. Raises NoSpace instead of waiting for space."""
        self._closing = True
        try:
            if self._failure is None:
                await self.drain()
        finally:
            self._writer.shutdown()
            self._reader.shutdown()

    async def _run(self) -> None:
        try:
            while self._store.has_work() or self._definitions.has_work():
                await self._commit()
        except Exception as error:  # noqa: BLE001  (whatever it is, nothing may be confirmed any more)
            logger.critical("cannot commit: %s", error)
            self._failure = error
            self._listener.fatal(error)
        finally:
            self._task = None

    async def _commit(self) -> None:
        number = self._store.open_number
        operations = self._definitions.close_batch()
        batch = self._store.close_batch()
        if operations:
            await self._until_there_is_space(lambda: self._definitions.apply(operations))
        if batch is not None:
            await self._until_there_is_space(lambda: self._apply(batch))
            self._store.committed(batch)
        self._listener.batch_committed(number)

    def _apply(self, batch: Batch) -> Awaitable[None]:
        return self._loop.run_in_executor(self._writer, self._store.apply, batch)

    async def _until_there_is_space(self, write: Callable[[], Awaitable[None]]) -> None:
        full = False
        while True:
            try:
                await write()
                break
            except NoSpace as error:
                if self._closing:
                    raise
                if not full:
                    full = True
                    logger.error("cannot commit for now: %s", error)  # noqa: TRY400  (a full disk needs no traceback)
                    self._listener.no_space(True)
                await asyncio.sleep(self._retry_seconds)
        if full:
            logger.info("there is space on the disk again")
            self._listener.no_space(False)

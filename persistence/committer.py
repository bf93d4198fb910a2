"""Group commit: everything queued in one turn of the event loop becomes durable together, in one worker thread.

Invariants:

1. One batch at a time is on its way to the disk; what comes in meanwhile makes up the next one, for which the committer
   is kicked again once it told of the one before.
2. A batch's definitions are durable before its messages, so that stored messages always have a known queue.
3. `CommitListener.batch_committed` is called for every batch number in order, after all that the batch held is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from persistence.calendar import Calendar, Place, Row
from persistence.definitions import Definitions, Operation
from persistence.store import Batch, Log, NoSpace, Store, StoredRecord, Window
from persistence.writer import Writer

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
        self._writer: Final = Writer(self._loop, store, self._written, self._loop.time)
        self._reader: Final = ThreadPoolExecutor(1, "amqpd-reader")
        self._reader.submit(int)  # Starts the thread, for which there may be no memory when a page is due.
        self._at_rest: Final = asyncio.Event()
        self._at_rest.set()
        self._durable: int = 0
        """Every batch up to this number is on disk."""
        self._number: int = 0
        self._batch: Batch | None = None
        """What is on its way: its number, and what of it goes into the store."""
        self._defining: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._is_full = False
        self._waits_for_space = True

    def kick(self) -> None:
        """Commit the open batch, unless another one is on its way; perhaps it is told of before this returns."""
        if self._at_rest.is_set() and self._failure is None:
            self._at_rest.clear()
            self._number = self._store.open_number
            operations = self._definitions.close_batch()
            self._batch = self._store.close_batch()
            if operations:
                self._start_defining(operations)
            else:
                self._write()

    def is_busy(self) -> bool:
        """True while a batch is on its way to the disk."""
        return not self._at_rest.is_set()

    async def drain(self) -> None:
        """Return when all that is queued now is durable, whatever comes meanwhile. Raises the error that made it impossible."""
        is_open = self._store.has_work() or self._definitions.has_work()
        last = self._store.open_number if is_open else self._store.open_number - 1
        while self._failure is None and self._durable < last:
            self.kick()
            await self._at_rest.wait()
        if self._failure is not None:
            raise self._failure

    async def read(self, log: Log, window: Window) -> list[StoredRecord]:
        """Do `Store.read` in a thread of its own."""
        return await self._loop.run_in_executor(self._reader, self._store.read, log, window)

    async def read_calendar(self, calendar: Calendar, place: Place) -> list[Row]:
        """Do `Store.read_calendar` in the thread that reads."""
        return await self._loop.run_in_executor(self._reader, self._store.read_calendar, calendar, place)

    def wait_no_more(self) -> None:
        """From now on a full disk is a failure like any other."""
        self._waits_for_space = False

    async def close(self) -> None:
        """Make all that was queued durable and end the threads. Raises NoSpace instead of waiting for space."""
        self.wait_no_more()
        try:
            if self._failure is None:
                await self.drain()
        finally:
            self._writer.close()
            self._reader.shutdown()

    async def _define(self, operations: list[Operation]) -> None:
        """Make the definitions durable, then the messages."""
        try:
            await self._definitions.apply(operations)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be confirmed any more
            self._failed(error, self._start_defining, operations)
        else:
            self._write()

    def _start_defining(self, operations: list[Operation]) -> None:
        self._defining = self._loop.create_task(self._define(operations))

    def _write(self) -> None:
        if self._batch is None:
            self._loop.call_soon(self._written, None)
        else:
            self._writer.write(self._batch)

    def _written(self, error: Exception | None) -> None:
        """The writer is done with the batch."""
        if error is not None:
            self._failed(error, self._write)
            return
        try:
            self._commit()
        except Exception as broken:  # noqa: BLE001 - the same
            self._give_up(broken)

    def _commit(self) -> None:
        if self._is_full:
            self._is_full = False
            logger.info("there is space on the disk again")
            self._listener.no_space(False)
        if self._batch is not None:
            self._store.committed(self._batch)
            self._batch = None
        self._durable = self._number
        self._at_rest.set()
        self._listener.batch_committed(self._number)

    def _failed(self, error: Exception, retry: Callable[..., None], *arguments: object) -> None:
        """Wait for space on the disk, if that is what is missing."""
        if not (self._waits_for_space and isinstance(error, NoSpace)):
            self._give_up(error)
            return
        if not self._is_full:
            self._is_full = True
            logger.error("cannot commit for now: %s", error)
            self._listener.no_space(True)
        self._loop.call_later(self._retry_seconds, retry, *arguments)

    def _give_up(self, error: Exception) -> None:
        logger.critical("cannot commit: %s", error)
        self._failure = error
        self._at_rest.set()
        self._listener.fatal(error)

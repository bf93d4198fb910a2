"""Between the core and its disk: what commits, what reads pages, and what happens when the disk is full or broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

from amqpd.broker.entry import EntryOwner
from amqpd.broker.journal import Journal
from amqpd.broker.lane import PageReader
from amqpd.logs import ERROR, log
from amqpd.server.alarms import DISK, STORE, Alarms
from amqpd.server.flush import Committing, FlushSet
from persistence.calendar import Calendar, Place
from persistence.committer import CommitListener, Committer
from persistence.definitions import Definitions
from persistence.rows import Row
from persistence.store import Log, Store, StoredRecord, StoreError, Window

logger = logging.getLogger(__name__)


class DefinitionsJournal(Journal):
    """The core's definitions go into the SQLite file."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions: Final = definitions

    def save(self, row: Row) -> None:
        """See `Journal.save`."""
        self.definitions.save(row)

    def remove(self, row: Row) -> None:
        """See `Journal.remove`."""
        self.definitions.remove(row)

    def next_queue_id(self) -> int:
        """See `Journal.next_queue_id`."""
        return self.definitions.next_queue_id()


class Pages(PageReader):
    """Reads pages in the committer's reading thread."""

    def __init__(self) -> None:
        self.committer: Committer | None = None
        """None before the start and from the end on: nothing is read then."""
        self.flush_set: FlushSet | None = None
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    def request(self, log: Log, window: Window) -> None:
        """Read the window and hand it to the queue."""
        self._start(self._read(log, window))

    def request_rows(self, calendar: Calendar, place: Place) -> None:
        """Read the page and hand it to the schedule."""
        self._start(self._read_rows(calendar, place))

    def _start(self, reading: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(reading)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_rows(self, calendar: Calendar, place: Place) -> None:
        if self.committer is None:
            return
        assert self.flush_set is not None
        store = self.flush_set.broker.store
        try:
            rows = await self.committer.read_calendar(calendar, place)
        except StoreError as error:
            store.damages_told += 1
            log(logger, ERROR, "scheduled messages cannot be read", exchange_id=calendar.owner_id, error=str(error))
            rows = []
        tell_damages(store)
        self.flush_set.begin()
        calendar.owner.rows_read(rows)

    async def _read(self, from_log: Log, window: Window) -> None:
        if self.committer is None:
            return
        assert self.flush_set is not None
        try:
            found = await self.committer.read(from_log, window)
        except StoreError as error:
            found = _unreadable(from_log, window, error)
        tell_damages(from_log.store)
        self.flush_set.begin()
        owner = from_log.owner
        assert isinstance(owner, EntryOwner)
        owner.page_read(from_log, window, found)

    def read_now(self, log: Log, window: Window) -> list[StoredRecord]:
        """See `PageReader.read_now`."""
        try:
            found = log.store.read(log, window)
        except StoreError as error:
            found = _unreadable(log, window, error)
        tell_damages(log.store)
        return found


def tell_damages(store: Store) -> None:
    """Log and count what was met that is damaged."""
    while store.damages:
        store.damages_told += 1
        log(logger, ERROR, "stored data is damaged", what=store.damages.pop(0))


def _unreadable(from_log: Log, window: Window, error: StoreError) -> list[StoredRecord]:
    from_log.store.damages_told += 1
    log(logger, ERROR, "messages cannot be read", queue_id=from_log.queue_id, count=window.count, error=str(error))
    return []


class Commits(Committing):
    """Commits the open batch of the store and of the definitions."""

    def __init__(self, store: Store, definitions: Definitions, committer: Committer) -> None:
        self.store: Final = store
        self.definitions: Final = definitions
        self.committer: Final = committer

    def kick(self) -> None:
        """See `Committing.kick`."""
        self.committer.kick()

    def has_work(self) -> bool:
        """See `Committing.has_work`."""
        return self.store.has_work() or self.definitions.has_work()

    def is_pressing(self) -> bool:
        """See `Committing.is_pressing`."""
        return self.store.holds_messages() or self.definitions.has_work()

    def is_busy(self) -> bool:
        """See `Committing.is_busy`."""
        return self.committer.is_busy()


class CommitNews(CommitListener):
    """Tells the rest of the program what became of the batches."""

    def __init__(self, flush_set: FlushSet, alarms: Alarms, failed: asyncio.Future[str]) -> None:
        self.flush_set: Final = flush_set
        self.alarms: Final = alarms
        self.failed: Final = failed

    def batch_committed(self, number: int) -> None:
        """See `CommitListener.batch_committed`."""
        self.flush_set.batch_committed(number)

    def no_space(self, full: bool) -> None:
        """See `CommitListener.no_space`."""
        self.flush_set.begin()
        if full:
            self.alarms.set(DISK, STORE)
        else:
            self.alarms.clear(DISK, STORE)

    def fatal(self, error: Exception) -> None:
        """See `CommitListener.fatal`."""
        if not self.failed.done():
            self.failed.set_result(f"the store failed: {str(error) or repr(error)}")

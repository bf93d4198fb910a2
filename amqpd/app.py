"""The composition root: builds the broker from its parts, starts it, stops it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from amqpd import logs, systemd
from amqpd.broker.broker import Broker
from amqpd.broker.recovery import Recovered, recover
from amqpd.commits import CommitNews, Commits, DefinitionsJournal, Pages
from amqpd.config import Config
from amqpd.errors import StartError
from amqpd.logs import ERROR, INFO, WARNING, log
from amqpd.server.alarms import Alarms
from amqpd.server.flush import FlushSet
from amqpd.server.listener import Listener
from amqpd.version import describe
from persistence import rows
from persistence.committer import Committer
from persistence.data_folder import DEFINITIONS
from persistence.definitions import Definitions
from persistence.lmdb_store import LmdbStore
from persistence.store import StoreError

logger = logging.getLogger(__name__)

DISK_CHECK_SECONDS: Final = 5.0
SWITCH_INTERVAL: Final = 0.0005
"""Seconds after which the loop lets the committing thread run; the default of 5 ms would delay every step of a commit."""
GC_THRESHOLD: Final = 100_000
"""New containers between two collections of garbage: what the hot path makes is freed by counting references."""


def serve(config: Config) -> int:
    """Run the broker until a signal stops it; the exit code is 0 after a clean stop. Raises StartError."""
    logs.configure(config.log_level, config.log_format, sys.stderr)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # It would log password hashes.
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    try:
        return asyncio.run(App(config).run())
    except StoreError as error:
        raise StartError(str(error)) from error


async def _nothing() -> None:
    """Stop what was never started."""


class App:
    """One running broker."""

    def __init__(self, config: Config) -> None:
        self.config: Final = config

    async def run(self) -> int:
        """Start, serve, stop. Raises StartError, StoreError."""
        stopping = self._stop_signals()
        store = LmdbStore(self.config.data_dir)
        try:
            definitions = await Definitions.open(self.config.data_dir / DEFINITIONS)
            try:
                return await self._serve(store, definitions, stopping)
            finally:
                await definitions.close()
        finally:
            store.close()

    def _stop_signals(self) -> asyncio.Future[str]:
        """A future that the first signal completes; the second one ends the process at once."""
        loop = asyncio.get_running_loop()
        stopping: asyncio.Future[str] = loop.create_future()

        def stop(number: int) -> None:
            if stopping.done():
                os._exit(128 + number)
            stopping.set_result("")

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        return stopping

    async def _serve(self, store: LmdbStore, definitions: Definitions, stopping: asyncio.Future[str]) -> int:
        pages = Pages()
        broker = Broker(store, DefinitionsJournal(definitions), pages, self.config.memory_limit)
        alarms = Alarms()
        flush_set = FlushSet(asyncio.get_running_loop(), broker)
        committer = Committer(store, definitions, CommitNews(flush_set, alarms, stopping))
        flush_set.committing = Commits(store, definitions, committer)
        pages.committer, pages.flush_set = committer, flush_set
        await self._recover(broker, definitions)
        await committer.drain()
        listener = Listener(broker, self.config, flush_set, alarms)
        host, port = await listener.open()
        shown = f"[{host}]" if ":" in host else host
        print(f"{describe()} listens on amqp://{shown}:{port}", flush=True)  # noqa: T201 - the first line of output
        stop_management = await self._start_management(broker, flush_set, alarms, (host, port))
        systemd.notify(systemd.READY, os.environ)
        watch = asyncio.create_task(self._watch_disk(alarms))
        reason = await stopping
        systemd.notify(systemd.STOPPING, os.environ)
        watch.cancel()
        if reason:
            log(logger, ERROR, "stopping", reason=reason)
            os._exit(1)
        log(logger, INFO, "stopping")
        await stop_management()
        await self._stop(listener, committer)
        return 0

    async def _start_management(
        self, broker: Broker, flush_set: FlushSet, alarms: Alarms, amqp: tuple[str, int]
    ) -> Callable[[], Awaitable[None]]:
        """Start what is not needed for the first message; return what stops it. Raises StartError."""
        if self.config.http_port == "none":
            return _nothing
        from amqpd.management.site import Door, Wiring  # noqa: PLC0415 - HTTP takes longer to import than AMQP to start
        from amqpd.management.start import Management  # noqa: PLC0415 - the same

        committing = flush_set.committing
        assert committing is not None
        management = Management(broker, self.config, Wiring(flush_set.begin, committing.has_work, alarms.reasons))
        url = await management.start(Door("amqp", *amqp))
        print(f"{describe()} management on {url}", flush=True)  # noqa: T201 - the other line of output
        return management.stop

    async def _stop(self, listener: Listener, committer: Committer) -> None:
        """Confirm what is confirmed, say goodbye, and store what the goodbyes gave back to the queues."""
        await committer.drain()
        await listener.close("broker forced connection closure with reason 'shutdown'")
        await committer.close()

    async def _recover(self, broker: Broker, definitions: Definitions) -> None:
        found = Recovered()
        found.vhosts = await definitions.load(rows.VHost)
        found.users = await definitions.load(rows.User)
        found.permissions = await definitions.load(rows.Permission)
        found.topic_permissions = await definitions.load(rows.TopicPermission)
        found.exchanges = await definitions.load(rows.Exchange)
        found.queues = await definitions.load(rows.Queue)
        found.bindings = await definitions.load(rows.Binding)
        recover(broker, found)
        if not found.vhosts and not found.users:
            self._first_start(broker)

    def _first_start(self, broker: Broker) -> None:
        """An empty data folder gets a virtual host and an administrator with all rights in it."""
        config = self.config
        broker.add_vhost(config.default_vhost)
        user = broker.add_user(config.default_user, config.default_password, ("administrator",))
        broker.set_permission(user, config.default_vhost, ".*", ".*", ".*")

    async def _watch_disk(self, alarms: Alarms) -> None:
        low = False
        while True:
            free = shutil.disk_usage(self.config.data_dir).free
            if (free < self.config.disk_free_limit) != low:
                low = not low
                log(logger, WARNING, "disk alarm" if low else "disk alarm cleared", free_bytes=free)
                if low:
                    alarms.set("disk")
                else:
                    alarms.clear("disk")
            await asyncio.sleep(DISK_CHECK_SECONDS)

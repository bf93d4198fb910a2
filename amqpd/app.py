"""The composition root: builds the broker from its parts, starts it, stops it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import platform
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from amqpd import logs, sockets, stopwatch, systemd
from amqpd.broker.authority import Authority, Internal
from amqpd.broker.broker import Broker
from amqpd.broker.capacity import Capacity
from amqpd.broker.definitions import Import
from amqpd.broker.recovery import Recovered, recover
from amqpd.broker.remote import Remote
from amqpd.commits import CommitNews, Commits, DefinitionsJournal, Pages, tell_damages
from amqpd.config import Config
from amqpd.errors import AmqpError, StartError
from amqpd.logs import ERROR, INFO, log
from amqpd.server.admission import Admission, Asker
from amqpd.server.alarms import Alarms
from amqpd.server.flush import FlushSet
from amqpd.server.headroom import Headroom, raise_files_limit
from amqpd.server.listener import Listener
from amqpd.server.watchdog import Watchdog
from amqpd.server.watermarks import Watermarks
from amqpd.service import Service
from amqpd.shortage import end_if_out_of_memory
from amqpd.version import describe
from persistence import rows
from persistence.chunk_store import ChunkStore
from persistence.committer import Committer
from persistence.data_folder import DEFINITIONS
from persistence.definitions import Definitions
from persistence.frozen import FrozenStore
from persistence.lmdb_store import LmdbStore
from persistence.store import StoreError

logger = logging.getLogger(__name__)

SWITCH_INTERVAL: Final = 0.0005
"""Seconds after which the loop lets the committing thread run; the default of 5 ms would delay every step of a commit."""
GC_THRESHOLDS: Final = (30_000, 0, 100)
"""New containers between two collections of garbage: what the hot path makes is freed by counting references.

Everybody stands still meanwhile, so a collection must not have much to look at. Every other one looks once more at what
survived the last, not at the survivors of ten or twenty as Python would do. Connections and queues leave none (`test_garbage`).
"""


def serve(config: Config) -> int:
    """Run the broker until a signal stops it; the exit code is 0 after a clean stop. Raises StartError."""
    logs.configure(config.log_level, config.log_format, sys.stderr)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # It would log password hashes.
    raise_files_limit()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()  # Modules and classes stay: no collection has to look at them.
    sockets.mend()
    stopwatch.install()
    try:
        return asyncio.run(App(config).run())
    except StoreError as error:
        raise StartError(str(error)) from error


def _unexpected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Nobody caught an exception."""
    end_if_out_of_memory(context.get("exception"))
    loop.default_exception_handler(context)


async def _nothing() -> None:
    """Stop what was never started."""


class App:
    """One running broker."""

    def __init__(self, config: Config) -> None:
        self.config: Final = config
        self._reloads: Final[list[Callable[[], None]]] = []
        """What reads certificates again."""

    async def run(self) -> int:
        """Start, serve, stop. Raises StartError, StoreError."""
        asyncio.get_running_loop().set_exception_handler(_unexpected)
        stopping = self._stop_signals()
        store, path = self._open_store()
        try:
            definitions = await Definitions.open(path)
            try:
                return await self._serve(store, definitions, stopping)
            finally:
                await definitions.close()
        finally:
            store.close()

    def _open_store(self) -> tuple[ChunkStore, Path]:
        """The messages, and where the definitions are. Raises StoreError."""
        if self.config.read_only:
            store = FrozenStore(self.config.data_dir)
            return store, store.definitions
        opened, path = LmdbStore(self.config.data_dir), self.config.data_dir / DEFINITIONS
        if not path.exists() and not opened.is_empty():  # Messages of unknown queues would be deleted.
            opened.close()
            raise StoreError(f"{path} is missing, but there are messages: restore a backup, or run amqpd check --repair")
        return opened, path

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

    async def _serve(self, store: ChunkStore, definitions: Definitions, stopping: asyncio.Future[str]) -> int:
        pages = Pages()
        broker = Broker(store, DefinitionsJournal(definitions), pages, self.config.memory_limit)
        self._limit(broker.setting.capacity)
        broker.events.home = self.config.default_vhost
        broker.events.node = f"amqpd@{platform.node()}"
        alarms = Alarms(broker.events)
        flush_set = FlushSet(asyncio.get_running_loop(), broker)
        committer = Committer(store, definitions, CommitNews(flush_set, alarms, stopping))
        flush_set.committing = Commits(store, definitions, committer)
        pages.committer, pages.flush_set = committer, flush_set
        flush_set.begin()
        await self._recover(broker, definitions)
        tell_damages(store)
        flush_set.begin()  # What was recovered has appointments: somebody has to look at them.
        await committer.drain()
        watermarks = Watermarks(self.config, alarms, flush_set.begin, broker.ration)
        watches = [asyncio.create_task(watcher.watch()) for watcher in (watermarks, Headroom(self.config, broker, watermarks))]
        admission = self._admission(broker)
        listener = Listener(broker, self.config, flush_set, alarms, admission)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        self._reloads.append(listener.reload)
        tls = await listener.open_tls()
        if tls is not None:
            print(f"{describe()} listens on {_url('amqps', *tls)}", flush=True)  # noqa: T201 - a line of output
        host, port = await listener.open()
        print(f"{describe()} listens on {_url('amqp', host, port)}", flush=True)  # noqa: T201 - the first line of output
        stop_management = await self._start_management(
            broker, flush_set, watermarks, admission, Service(listener, committer), (host, port), tls
        )
        systemd.notify(systemd.READY, os.environ)
        watchdog = Watchdog(asyncio.get_running_loop())
        if self.config.watchdog == "on":
            watchdog.start()
        reason = await stopping
        systemd.notify(systemd.STOPPING, os.environ)
        for watch in watches:
            watch.cancel()
        watchdog.stop()
        if reason:
            log(logger, ERROR, "stopping", reason=reason)
            os._exit(1)
        log(logger, INFO, "stopping")
        await stop_management()
        await self._stop(listener, committer, pages)
        await admission.asker.close()
        return 0

    def _limit(self, capacity: Capacity) -> None:
        capacity.queues.limit = self.config.cluster_queue_limit
        capacity.exchanges.limit = self.config.cluster_exchange_limit
        capacity.bindings.limit = self.config.cluster_binding_limit
        capacity.consumers.limit = self.config.consumer_max_per_node
        capacity.channels_max = self.config.channel_max_per_node

    def _reload(self) -> None:
        for reload in self._reloads:
            reload()

    def _admission(self, broker: Broker) -> Admission:
        """Who decides about logins. Raises StartError."""
        config = self.config
        broker.users.loopback_only = frozenset(config.loopback_users) - {"none"}
        known: dict[str, Authority] = {"internal": Internal(broker.users), "http": Remote()}
        asker = Asker()
        if "http" in config.auth_backends:
            from amqpd.http_backend import HttpBackend  # noqa: PLC0415 - few need it, and it takes long to import

            asker = HttpBackend(config, broker)
        authorities = [known[name] for name in config.auth_backends]
        return Admission(config, broker.users, authorities, asker, time.monotonic)

    async def _start_management(
        self,
        broker: Broker,
        flush_set: FlushSet,
        watermarks: Watermarks,
        admission: Admission,
        service: Service,
        amqp: tuple[str, int],
        tls: tuple[str, int] | None,
    ) -> Callable[[], Awaitable[None]]:
        """Start what is not needed for the first message; return what stops it. Raises StartError."""
        if self.config.http_port == "none":
            return _nothing
        await asyncio.to_thread(import_module, "amqpd.management.start")
        from amqpd.management.logins import Backends  # noqa: PLC0415 - HTTP takes longer to import than AMQP to start
        from amqpd.management.site import Door, Wiring  # noqa: PLC0415 - the same
        from amqpd.management.start import Management  # noqa: PLC0415 - the same

        backends = Backends(admission.authorities, admission.asker.ask)
        wiring = Wiring(flush_set.begin, flush_set.undurable, watermarks.alarms.low, watermarks, service, backends)
        management = Management(broker, self.config, wiring)
        doors = [Door("amqp", *amqp)]
        if tls is not None:
            doors.append(Door("amqp/ssl", *tls, tls=True))
        url = await management.start(doors)
        self._reloads.append(management.reload)
        print(f"{describe()} management on {url}", flush=True)  # noqa: T201 - the other line of output
        return management.stop

    async def _stop(self, listener: Listener, committer: Committer, pages: Pages) -> None:
        """Confirm what is confirmed, say goodbye, and store what the goodbyes gave back to the queues. Raises StoreError."""
        committer.wait_no_more()
        await committer.drain()
        await listener.close("broker forced connection closure with reason 'shutdown'")
        pages.committer = None
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
        found.policies = await definitions.load(rows.Policy)
        found.parameters = await definitions.load(rows.Parameter)
        recover(broker, found)
        if self.config.read_only:
            broker.read_only = broker.agenda.rests = True
            return
        document = self._definitions()
        if not found.vhosts and not found.users and "users" not in document:
            self._first_start(broker)
        try:
            Import(broker, document, None).carry_out()
        except AmqpError as error:
            raise StartError(f"cannot import {self.config.load_definitions}: {error.explanation}") from error

    def _definitions(self) -> dict[str, Any]:
        """The document to import at every start, which may be empty. Raises StartError."""
        path = self.config.load_definitions
        if not path:
            return {}
        try:
            document = json.loads(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise StartError(f"cannot read the definitions in {path}: {error}") from error
        if not isinstance(document, dict):
            raise StartError(f"cannot read the definitions in {path}: not a JSON object")
        return document

    def _first_start(self, broker: Broker) -> None:
        """An empty data folder gets a virtual host and an administrator with all rights in it."""
        config = self.config
        broker.add_vhost(config.default_vhost)
        user = broker.add_user(config.default_user, config.default_password, ("administrator",))
        broker.set_permission(user, config.default_vhost, ".*", ".*", ".*")


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

"""Group commit: order, numbers, full disks and fatal errors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from helpers.stores import Note, Owner, bodies, everything
from persistence import rows
from persistence.committer import CommitListener, Committer
from persistence.definitions import Definitions
from persistence.memory import MemoryStore, MemoryTables
from persistence.store import Batch, Log, NoSpace, StoreError


class Listener(CommitListener):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def batch_committed(self, number: int) -> None:
        """See `CommitListener.batch_committed`."""
        self.told.append(number)

    def no_space(self, full: bool) -> None:
        """See `CommitListener.no_space`."""
        self.told.append("full" if full else "free")

    def fatal(self, error: Exception) -> None:
        """See `CommitListener.fatal`."""
        self.told.append(error)


class FailingStore(MemoryStore):
    """A store whose next writes fail with the given errors."""

    def __init__(self, errors: list[StoreError]) -> None:
        super().__init__(MemoryTables())
        self.errors = errors
        self.applied: list[int] = []

    def apply(self, batch: Batch) -> None:
        """See `Store.apply`."""
        if self.errors:
            raise self.errors.pop(0)
        self.applied.append(batch.number)
        super().apply(batch)


class Stage:
    """A committer with all that it works on."""

    def __init__(self, store: FailingStore, definitions: Definitions) -> None:
        self.store = store
        self.definitions = definitions
        self.listener = Listener()
        self.committer = Committer(store, definitions, self.listener, retry_seconds=0)
        self.log: Log = store.log(1, 0, Owner())
        self.sequence = store.first_sequence

    def put(self, body: bytes) -> Note:
        """Put one record."""
        self.sequence += 1
        record = Note(self.sequence, body)
        self.log.put(record)
        return record


def play(path: Path, scene: Callable[[Stage], Awaitable[None]], errors: list[StoreError] | None = None) -> None:
    """Run a scene on a new stage."""

    async def main() -> None:
        definitions = await Definitions.open(path / "definitions.sqlite")
        stage = Stage(FailingStore(errors or []), definitions)
        try:
            await scene(stage)
        finally:
            try:
                await stage.committer.close()
            finally:
                await definitions.close()

    asyncio.run(main())


def test_what_one_turn_queued_commits_together(tmp_path: Path) -> None:
    """Messages and definitions that are there when it is kicked make one batch."""

    async def scene(stage: Stage) -> None:
        for body in (b"a", b"b"):
            stage.put(body)
        stage.definitions.save(rows.User("u", "", "", ""))
        stage.committer.kick()
        assert ([], []) == (stage.listener.told, stage.store.applied)
        await stage.committer.drain()
        assert ([1], [1]) == (stage.listener.told, stage.store.applied)
        assert [b"a", b"b"] == bodies(stage.store, stage.log)
        assert 1 == len(await stage.definitions.load(rows.User))

    play(tmp_path, scene)


def test_what_comes_in_meanwhile_is_the_next_batch(tmp_path: Path) -> None:
    """Numbers are told in order, and the committer goes on until nothing is left."""

    async def scene(stage: Stage) -> None:
        stage.put(b"a")
        stage.committer.kick()
        await asyncio.sleep(0)
        stage.put(b"b")
        await stage.committer.drain()
        assert ([1, 2], [1, 2]) == (stage.listener.told, stage.store.applied)

    play(tmp_path, scene)


def test_a_batch_without_writes_commits_without_the_store(tmp_path: Path) -> None:
    """A number whose records are all gone is told although nothing is written."""

    async def scene(stage: Stage) -> None:
        stage.log.settle(stage.put(b"gone"))
        await stage.committer.drain()
        assert ([1], []) == (stage.listener.told, stage.store.applied)

    play(tmp_path, scene)


def test_draining_ends_although_more_comes(tmp_path: Path) -> None:
    """Whoever never stops publishing does not keep the program from ending."""

    class Insatiable(Listener):
        """Has more to commit after each batch."""

        stage: Stage

        def batch_committed(self, number: int) -> None:
            """See `CommitListener.batch_committed`."""
            super().batch_committed(number)
            if number < 1000:
                self.stage.put(b"more")
                self.stage.committer.kick()

    async def scene(stage: Stage) -> None:
        listener = Insatiable()
        listener.stage = stage
        committer = stage.committer = Committer(stage.store, stage.definitions, listener)
        stage.put(b"a")
        await committer.drain()
        assert 1 <= len(listener.told) < 1000
        await committer.close()

    play(tmp_path, scene)


def test_nothing_to_do_is_done_at_once(tmp_path: Path) -> None:
    """Draining without work tells nothing."""

    async def scene(stage: Stage) -> None:
        await stage.committer.drain()
        assert [] == stage.listener.told

    play(tmp_path, scene)


def test_definitions_are_durable_before_messages(tmp_path: Path) -> None:
    """A batch whose messages cannot be written has its definitions already."""

    async def scene(stage: Stage) -> None:
        stage.definitions.save(rows.User("u", "", "", ""))
        stage.put(b"a")
        with pytest.raises(StoreError):
            await stage.committer.drain()
        assert 1 == len(await stage.definitions.load(rows.User))

    play(tmp_path, scene, [StoreError("broken")])


def test_a_full_disk_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is confirmed while the disk is full; then the same batch commits; the listener hears of both once."""

    async def scene(stage: Stage) -> None:
        stage.put(b"a")
        await stage.committer.drain()
        assert ["full", "free", 1] == stage.listener.told
        assert [b"a"] == bodies(stage.store, stage.log)

    with caplog.at_level(logging.INFO):
        play(tmp_path, scene, [NoSpace("no space"), NoSpace("no space")])
    assert ["cannot commit for now: no space", "there is space on the disk again"] == caplog.messages


def test_a_fatal_error_ends_all_commits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a batch that cannot be written, no number is told any more, kicked or not."""
    error = StoreError("broken")

    async def scene(stage: Stage) -> None:
        stage.put(b"a")
        with pytest.raises(StoreError, match="broken"):
            await stage.committer.drain()
        stage.put(b"b")
        stage.committer.kick()
        with pytest.raises(StoreError, match="broken"):
            await stage.committer.drain()
        assert [error] == stage.listener.told
        assert [] == stage.store.applied

    play(tmp_path, scene, [error])
    assert [("CRITICAL", "cannot commit: broken")] == [(one.levelname, one.message) for one in caplog.records]


def test_closing_does_not_wait_for_space(tmp_path: Path) -> None:
    """A program that is told to end while the disk is full ends, with the error."""

    async def scene(stage: Stage) -> None:
        stage.put(b"a")
        stage.committer.kick()

    with pytest.raises(NoSpace):
        play(tmp_path, scene, [NoSpace("no space")] * 9)


def test_windows_are_read_beside_the_loop(tmp_path: Path) -> None:
    """`Committer.read` gives what `Store.read` does."""

    async def scene(stage: Stage) -> None:
        stage.put(b"a")
        await stage.committer.drain()
        found = await stage.committer.read(stage.log, everything(stage.store))
        assert [b"a"] == [one.body for one in found]

    play(tmp_path, scene)

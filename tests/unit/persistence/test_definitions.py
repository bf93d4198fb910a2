"""Definitions survive, whatever their names, and only whole batches of them do."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from persistence import rows
from persistence.definitions import VERSION, Definitions
from persistence.store import Corrupt, NoSpace, StoreError

ODD = ["", "a\0b", "\u20ac", b"\xff\xfe".decode("utf-8", "surrogateescape"), "'; DROP TABLE queues; --"]


def run(path: Path, *steps: Callable[[Definitions], Awaitable[None]]) -> None:
    """Run each step on definitions that are opened for it."""

    async def main() -> None:
        for step in steps:
            definitions = await Definitions.open(path)
            try:
                await step(definitions)
            finally:
                await definitions.close()

    asyncio.run(main())


async def commit(definitions: Definitions) -> None:
    """Write the open batch."""
    await definitions.apply(definitions.close_batch())


def queue(name: str, queue_id: int) -> rows.Queue:
    """A queue with a name."""
    return rows.Queue("/", name, queue_id, True, False, False, b"\xff\0", "classic")


EXAMPLES: list[rows.Row] = [
    rows.VHost("v", "description", "tag,tag", "quorum", '{"a":1}'),
    rows.User("u", "hash", "sha256", "administrator"),
    rows.Permission("u", "v", ".*", "", "^a"),
    rows.TopicPermission("u", "v", "amq.topic", ".*", "x"),
    rows.Exchange("v", "e", "topic", True, False, True, b"\0arguments", 8),
    rows.Queue("v", "q", 9, True, False, True, b"", "classic"),
    rows.Binding("v", "e", "q", "queue", "a.#", b"\xff"),
    rows.Policy("v", "p", "^a", "queues", -7, "{}", True),
    rows.Policy("v", "p", "^a", "queues", 0.1, "{}", True),
    rows.Parameter("federation", "", "n", "[1]"),
]


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: type(row).__name__)
def test_a_row_comes_back_as_it_was_saved(tmp_path: Path, row: rows.Row) -> None:
    """Every class of rows keeps its values and their types, and can be removed."""

    async def save(definitions: Definitions) -> None:
        definitions.save(row)
        await commit(definitions)

    async def remove(definitions: Definitions) -> None:
        found = await definitions.load(type(row))
        assert [repr(row)] == [repr(one) for one in found]
        definitions.remove(row)
        await commit(definitions)

    async def look(definitions: Definitions) -> None:
        assert [] == await definitions.load(type(row))

    run(tmp_path / "d", save, remove, look)


def test_there_is_an_example_of_every_row() -> None:
    """The test above leaves no class out."""
    assert set(rows.ROWS) == {type(row) for row in EXAMPLES}


def test_rows_of_every_class_are_sound_to_sqlite(tmp_path: Path) -> None:
    """A file with something of everything passes SQLite's own check, also where that has its errors."""

    async def save(definitions: Definitions) -> None:
        for row in EXAMPLES:
            definitions.save(row)
        await commit(definitions)

    run(tmp_path / "definitions", save)
    assert [("ok",)] == sqlite3.connect(tmp_path / "definitions").execute("PRAGMA integrity_check").fetchall()


def test_any_name_is_kept_apart_from_every_other(tmp_path: Path) -> None:
    """Names with NUL, outside ASCII or outside UTF-8 are stored as they are."""

    async def save(definitions: Definitions) -> None:
        for name in ODD:
            definitions.save(queue(name, definitions.next_queue_id()))
        await commit(definitions)

    async def look(definitions: Definitions) -> None:
        assert sorted(ODD) == sorted(row.name for row in await definitions.load(rows.Queue))
        definitions.remove(queue(ODD[3], 0))
        await commit(definitions)
        assert len(ODD) - 1 == len(await definitions.load(rows.Queue))

    run(tmp_path / "d", save, look)


def test_saving_again_replaces(tmp_path: Path) -> None:
    """There is one row a key, the one that was saved last, also within a batch."""

    async def save(definitions: Definitions) -> None:
        definitions.save(rows.User("u", "1", "sha256", ""))
        definitions.save(rows.User("u", "2", "sha256", ""))
        definitions.save(rows.User("gone", "", "", ""))
        definitions.remove(rows.User("gone", "", "", ""))
        definitions.save(rows.User("back", "1", "", ""))
        definitions.remove(rows.User("back", "", "", ""))
        definitions.save(rows.User("back", "2", "", ""))
        await commit(definitions)
        assert [("back", "2"), ("u", "2")] == [(one.name, one.password_hash) for one in await definitions.load(rows.User)]

    run(tmp_path / "d", save)


def test_what_was_not_applied_is_lost(tmp_path: Path) -> None:
    """Saving alone writes nothing; a closed batch leaves no work behind."""

    async def save(definitions: Definitions) -> None:
        assert not definitions.has_work()
        definitions.save(queue("q", 1))
        assert definitions.has_work()
        definitions.close_batch()
        assert not definitions.has_work()

    async def look(definitions: Definitions) -> None:
        assert [] == await definitions.load(rows.Queue)

    run(tmp_path / "d", save, look)


def test_a_batch_that_fails_writes_nothing(tmp_path: Path) -> None:
    """One bad operation takes the whole batch with it; the next batch is not affected."""

    async def fail(definitions: Definitions) -> None:
        definitions.save(queue("q", 1))
        operations = definitions.close_batch()
        with pytest.raises(StoreError):
            await definitions.apply([*operations, ("INSERT INTO nothing VALUES (1)", ())])
        assert [] == await definitions.load(rows.Queue)
        await definitions.apply(operations)
        assert 1 == len(await definitions.load(rows.Queue))

    run(tmp_path / "d", fail)


def test_queue_ids_are_never_given_twice(tmp_path: Path) -> None:
    """Even after the queue with the greatest id was removed, its id is not used again."""

    async def first(definitions: Definitions) -> None:
        assert [1, 2] == [definitions.next_queue_id() for _ in range(2)]
        definitions.save(queue("a", 1))
        definitions.save(queue("b", 2))
        await commit(definitions)
        definitions.remove(queue("b", 2))
        await commit(definitions)

    async def second(definitions: Definitions) -> None:
        assert 3 == definitions.next_queue_id()

    run(tmp_path / "d", first, second)


def test_a_full_disk_is_told_apart(tmp_path: Path) -> None:
    """SQLITE_FULL is NoSpace, nothing is written, and the same batch can be applied later."""

    async def fill(definitions: Definitions) -> None:
        definitions.save(rows.Parameter("c", "", "n", "x" * 1_000_000))
        operations = definitions.close_batch()
        await definitions._connection.execute("PRAGMA max_page_count = 100")
        with pytest.raises(NoSpace, match="no space left"):
            await definitions.apply(operations)
        assert [] == await definitions.load(rows.Parameter)
        await definitions._connection.execute("PRAGMA max_page_count = 100000")
        await definitions.apply(operations)
        assert 1 == len(await definitions.load(rows.Parameter))

    run(tmp_path / "d", fill)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """The error names both versions."""

    async def nothing(definitions: Definitions) -> None:
        pass

    run(tmp_path / "d", nothing)
    connection = sqlite3.connect(tmp_path / "d")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=rf"newer amqpd \(version {VERSION + 1}, this one knows {VERSION}\)"):
        run(tmp_path / "d", nothing)


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    """Garbage is refused with the file's name."""

    async def nothing(definitions: Definitions) -> None:
        pass

    (tmp_path / "d").write_bytes(b"garbage" * 1000)
    with pytest.raises(Corrupt, match="d is not a usable definitions file: file is not a database"):
        run(tmp_path / "d", nothing)


def test_every_commit_is_synced(tmp_path: Path) -> None:
    """The file is in WAL mode and syncs at each commit."""

    async def look(definitions: Definitions) -> None:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2)):
            found = list(await definitions._connection.execute_fetchall(f"PRAGMA {pragma}"))
            assert expected == found[0][0]

    run(tmp_path / "d", look)

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from helpers.stores import ADDRESS, HEADER, Note, Owner, bodies, commit, define, durable_queue, examined, fill, filled_folder
from persistence import rows
from persistence.aside import Aside
from persistence.check import check
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryStore, memory_store
from persistence.records import calendar_key, encode_chunk, key, pack_id, protect
from persistence.repair import mend_messages, repair
from persistence.store import StoreError
from persistence.tables import BODIES, CALENDARS, CHUNKS, MARKS, META, REFERENCES, Transaction

DAMAGED = "damaged/1"


def changed(store: MemoryStore, table: int, where: bytes, value: bytes | None) -> None:
    """Change a row behind the store's back."""

    def action(tables: Transaction) -> list[int]:
        if value is None:
            tables.delete(table, where)
        else:
            tables.put(table, where, value)
        return []

    store._messages.change(action, 0)


def chunk(sequence: int) -> bytes:
    """A chunk with one record."""
    pieces: list[bytes] = []
    Note(sequence, b"far").pieces(pieces)
    return encode_chunk(key(1, 0, sequence), pieces, 1, sequence, 0)


FIRST = 1 << 40
"""The first sequence of the first run."""
FAR = 9 << 40
CHUNK = key(1, 0, FIRST)
SHARED = key(1, 0, FIRST + 3)
ALL = [b"body 0", b"body 2", b"shared", b"last"]
LONE = [b"last"]
UNSHARED = [b"body 0", b"body 2", b"last"]
MENDED = [
    # table, key, new value; the messages that are left; the names of what is moved aside
    (CHUNKS, CHUNK, None, LONE, []),
    (CHUNKS, CHUNK, b"nonsense", LONE, [f"chunks-{CHUNK.hex()}"]),
    (CHUNKS, b"key", b"value", ALL, ["chunks-6b6579"]),
    (CHUNKS, key(1, 0, FIRST + 2), chunk(FIRST + 2), ALL, [f"chunks-{key(1, 0, FIRST + 2).hex()}"]),
    (CHUNKS, key(1, 0, FAR), chunk(FAR), [*ALL, b"far"], []),
    (REFERENCES, SHARED, None, ALL, []),
    (REFERENCES, SHARED, b"no id", ALL, []),
    (REFERENCES, key(1, 0, 7), pack_id(7), ALL, []),
    (BODIES, pack_id(FIRST), None, UNSHARED, [f"record-{CHUNK.hex()}-{FIRST + 3}"]),
    (
        BODIES,
        pack_id(FIRST),
        b"\0\0\0\0shared",
        UNSHARED,
        [f"bodies-{pack_id(FIRST).hex()}", f"record-{CHUNK.hex()}-{FIRST + 3}"],
    ),
    (BODIES, b"key", b"value", ALL, ["bodies-6b6579"]),
    (MARKS, CHUNK, b"\0\0\0\0\0\0\0\0", [b"body 0", b"body 1", *ALL[1:]], [f"marks-{CHUNK.hex()}"]),
    (MARKS, CHUNK, protect(CHUNK, b"\0"), [b"body 0", b"body 1", *ALL[1:]], [f"marks-{CHUNK.hex()}"]),
    (MARKS, CHUNK, protect(CHUNK, b"\xff" * 4), LONE, []),
    (MARKS, key(1, 0, 9), b"", ALL, []),
    (CALENDARS, calendar_key(9, 0, 1, FIRST), protect(calendar_key(9, 0, 1, FIRST), b"row"), ALL, []),
    (CALENDARS, calendar_key(9, 0, 1, FIRST), b"row", ALL, [f"calendars-{calendar_key(9, 0, 1, FIRST).hex()}"]),
    (CALENDARS, calendar_key(9, 0, 0, 0), protect(calendar_key(9, 0, 0, 0), pack_id(7)), ALL, []),
    (META, b"epoch", b"nonsense", ALL, []),
    (META, b"version", b"nonsense", ALL, []),
    (CALENDARS, calendar_key(9, 0, 1, FAR), protect(calendar_key(9, 0, 1, FAR), b"row"), ALL, []),
]


@pytest.mark.parametrize(("table", "where", "value", "left", "kept"), MENDED)
def test_damage_is_mended(
    table: int, where: bytes, value: bytes | None, left: list[bytes], kept: list[str], tmp_path: Path
) -> None:
    """Afterwards all is well, what can be read is there, and what cannot is in files."""
    store = memory_store()
    fill(store)
    changed(store, table, where, value)
    told, strangers = mend_messages(store._messages, Aside(tmp_path), {1, 9})
    assert ([], set()) == (examined(store, {1, 9}).problems, strangers)
    again = store.reopen()
    assert left == bodies(again, again.log(1, 0, Owner()))
    assert sorted(kept) == sorted(path.name for path in (tmp_path / DAMAGED).glob("*"))
    assert all(any(name in line for line in told) for name in kept)
    assert told


def test_what_is_lost_is_kept_as_it_was(tmp_path: Path) -> None:
    """A record without its body leaves its address and header, and a damaged body its bytes."""
    store = memory_store()
    fill(store)
    changed(store, BODIES, pack_id(FIRST), b"\0\0\0\0shared")
    mend_messages(store._messages, Aside(tmp_path), {1})
    folder = tmp_path / DAMAGED
    assert b"\0\0\0\0shared" == (folder / f"bodies-{pack_id(FIRST).hex()}").read_bytes()
    assert ADDRESS + HEADER == (folder / f"record-{CHUNK.hex()}-{FIRST + 3}").read_bytes()


def test_a_sound_store_is_left_alone(tmp_path: Path) -> None:
    """Nothing is done, and no folder is made, where nothing is wrong."""
    store = memory_store()
    fill(store)
    assert ([], set()) == mend_messages(store._messages, Aside(tmp_path), {1})
    assert [] == list(tmp_path.iterdir())


def test_a_layout_of_the_future_is_not_mended(tmp_path: Path) -> None:
    """What is not understood is not touched."""
    store = memory_store()
    fill(store)
    changed(store, META, b"version", protect(b"version", b"99"))
    changed(store, CHUNKS, CHUNK, None)
    assert ([], set()) == mend_messages(store._messages, Aside(tmp_path), {1})


# --- the whole folder --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a queue that has messages."""
    return filled_folder(tmp_path / "data")


def named(folder: Path, table: str) -> list[str]:
    """The names in a table of the definitions."""
    with closing(sqlite3.connect(folder / "definitions.sqlite")) as connection:
        return [name for (name,) in connection.execute(f"SELECT name FROM {table} ORDER BY name")]  # noqa: S608


def test_rows_that_refer_to_nothing_are_moved_aside(folder: Path) -> None:
    """Permissions of nobody and bindings of nothing would keep the broker from starting."""
    lost = [
        rows.Permission("nobody", "/", "", "", ""),
        rows.Binding("/", "nowhere", "q", "queue", "key", b""),
        rows.Binding("/", "amq.direct", "gone", "queue", "key", b""),
        rows.Policy("away", "p", "", "all", 0, "{}", operator=False),
    ]
    define(folder, *lost)
    told, report = repair(folder)
    assert [] == report.problems
    found = [
        ("policies ('away', 'p', '', 'all')", "policies-is-of-no-virtual-host"),
        ("permissions ('nobody', '/', '', '', '')", "permissions-is-of-no-user"),
        ("bindings ('/', 'nowhere', 'q', 'queue', 'key')", "bindings-is-of-no-exchange"),
        ("bindings ('/', 'amq.direct', 'gone', 'queue', 'key')", "bindings-leads-to-no-queue"),
    ]
    assert [
        f"definitions.sqlite: {row} {file.partition('-')[2].replace('-', ' ')}: moved to damaged/1/{file}"
        for row, file in found
    ] == told
    assert "".join(f"{line}\n" for line in told) == (folder / "damaged/1/report.txt").read_text()


def test_ids_become_unique(folder: Path) -> None:
    """Of two queues with one id the second gets a new one, and no id is given away twice."""
    define(folder, durable_queue("twin"))
    told, report = repair(folder)
    assert [] == report.problems
    assert [
        "definitions.sqlite: queues ('/', 'twin') had the id 1 of another one: it is empty now",
        "definitions.sqlite: the next queue gets the id 4",
    ] == told


def test_a_lost_virtual_host_is_made_again(folder: Path) -> None:
    """Its queues have messages, which must not go with it."""
    with closing(sqlite3.connect(folder / "definitions.sqlite")) as connection, connection:
        connection.execute("DELETE FROM vhosts")
    told, report = repair(folder)
    assert (["definitions.sqlite: virtual host '/' is lost: made again"], []) == (told, report.problems)
    assert ["/"] == named(folder, "vhosts")


def test_messages_outlive_their_damaged_queue(folder: Path) -> None:
    """A queue whose row is damaged is given up, but not what it holds."""
    with closing(sqlite3.connect(folder / "definitions.sqlite")) as connection, connection:
        connection.execute("UPDATE queues SET arguments = x'ff'")
    told, report = repair(folder)
    assert ([], 4) == (report.problems, report.counts["messages"])
    assert [
        "definitions.sqlite: queues ('/', 'q') fails its checksum: moved to damaged/1/queues-fails-its-checksum",
        "definitions.sqlite: queue 1 is lost: its messages are in queue 'recovered-1' of '/'",
    ] == told


@pytest.mark.parametrize("damage", [None, b"garbage" * 1000])
def test_messages_outlive_their_definitions(folder: Path, damage: bytes | None) -> None:
    """Where no definition can be read, messages are found in queues named after their ids."""
    path = folder / "definitions.sqlite"
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    _, report = repair(folder)
    assert ([], 4) == (report.problems, report.counts["messages"])
    assert (["recovered-1"], ["/"]) == (named(folder, "queues"), named(folder, "vhosts"))
    assert damage is None or damage == (folder / "damaged/1/definitions.sqlite").read_bytes()


def test_a_damaged_page_costs_its_rows_alone(folder: Path) -> None:
    """All rows before and after a damaged page of the definitions are kept."""
    queues = [rows.Queue("/", f"q{number:03}", 2 + number, True, False, False, bytes(1000), "classic") for number in range(50)]
    define(folder, *queues)
    path = folder / "definitions.sqlite"
    content = bytearray(path.read_bytes())
    position = content.index(b"q025")
    page = position - position % 4096
    content[page : page + 100] = bytes(100)
    path.write_bytes(content)
    _, report = repair(folder)
    kept = named(folder, "queues")
    assert [] == report.problems
    assert {"q", "q000", "q049"} <= set(kept)
    assert len(queues) - 15 < len(kept) <= len(queues)


def test_a_folder_in_use_is_not_mended(folder: Path) -> None:
    """A running broker would change it meanwhile."""
    store = LmdbStore(folder)
    with pytest.raises(StoreError, match="is in use by another amqpd"):
        repair(folder)
    store.close()


def test_a_database_that_cannot_be_read_is_salvaged(folder: Path) -> None:
    """Everything before and after a damaged page is there, and the damaged file is kept."""
    store = LmdbStore(folder)
    store.recover({1})
    log = store.log(1, 0, Owner())
    for number in range(100):
        log.put(Note(store.first_sequence + number, b"%04d" % number + bytes(3000)))
        commit(store)
    store.close()
    path = folder / "messages" / "data.mdb"
    content = bytearray(path.read_bytes())
    position = content.rindex(b"0050" + bytes(3000))
    page = position - position % 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    told, report = repair(folder)
    store = LmdbStore(folder)
    windows = store.recover({1})
    found = {body[:4] for body in bodies(store, store.log(1, 0, Owner()))}
    store.close()
    assert ([], [1]) == (report.problems, list(windows))
    assert {b"body", b"0000", b"0045", b"0055", b"0099"} <= found
    assert 96 < len(found) < 104
    assert "messages: moved to damaged/1/messages" in told
    assert bytes(content) == (folder / "damaged/1/messages/data.mdb").read_bytes()


def test_a_destroyed_database_is_replaced(folder: Path) -> None:
    """Where nothing can be read, the broker can start with empty queues, and the file is kept."""
    path = folder / "messages" / "data.mdb"
    path.write_bytes(b"no database")
    _, report = repair(folder)
    assert ([], None) == (report.problems, report.counts.get("messages"))
    assert b"no database" == (folder / "damaged/1/messages/data.mdb").read_bytes()


@pytest.mark.parametrize("page", [0, 1])
def test_a_lost_beginning_costs_little(page: int, folder: Path) -> None:
    """LMDB begins a file with two pages in turn; without one of them all is found but perhaps the last transaction."""
    path = folder / "messages" / "data.mdb"
    content = bytearray(path.read_bytes())
    content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(content)
    told, report = repair(folder)
    assert [] == report.problems
    assert 3 <= report.counts["messages"]
    assert "messages: the beginning is damaged: that of the transaction before the last one was used" in told
    assert ["ahead.log", "data.mdb", "lock.mdb"] == sorted(path.name for path in (folder / "messages").iterdir())


def test_what_is_kept_twice_is_kept_once(tmp_path: Path) -> None:
    """Equal things share a file, others of the same name get one of their own."""
    aside = Aside(tmp_path)
    places = [aside.keep("name", content) for content in (b"one", b"two", b"one")]
    assert ["damaged/1/name", "damaged/1/name-2", "damaged/1/name"] == places
    assert [b"one", b"two"] == [(tmp_path / place).read_bytes() for place in places[:2]]


def test_an_interrupted_repair_is_told_of_until_another_one_is_complete(folder: Path) -> None:
    """A check finds it, no broker starts on the folder, and a repair that finds nothing else to do ends that."""
    Aside(folder).begin()
    assert ["a repair was interrupted"] == check(folder).problems
    with pytest.raises(StoreError, match="was interrupted: run amqpd check --repair"):
        LmdbStore(folder)
    told, report = repair(folder)
    assert ([], []) == (told, report.problems)
    LmdbStore(folder).close()

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.table_steps import KEYS, Steps, rows
from persistence.logged_tables import BRIEF_BYTES, LOGGED_BYTES, LoggedTables, open_logged
from persistence.memory import MemoryTables
from persistence.schema import generation_row, stored_generation
from persistence.tables import CALENDARS, CHUNKS, META, Changes, Tables, Transaction
from persistence.write_ahead_log import BLOCK_BYTES, FILE


def opened(tables: Tables, folder: Path) -> LoggedTables:
    """The logged tables of the next run of the program, which finds no damage."""
    damages: list[str] = []
    logged = open_logged(tables, folder, damages)
    assert [] == damages
    return logged


def small(*pairs: tuple[bytes, bytes]) -> Changes:
    """A change that fits into the log."""
    changes = Changes()
    changes.rows = list(pairs)
    return changes


def large_without(key: bytes) -> Changes:
    """A change that does not fit into the log, and removes a row."""
    changes = small((b"large", bytes(LOGGED_BYTES)))
    changes.removed_rows = [key]
    return changes


def value(tables: Tables, key: bytes) -> bytes | None:
    """What is seen of a row that `small` put."""
    view = tables.view()
    try:
        return view.get(CALENDARS, key)
    finally:
        view.close()


def drawn(chance: random.Random, number: int) -> Changes:
    """A change that fits into the log, and one in ten that does not."""
    size = LOGGED_BYTES if chance.random() < 0.1 else chance.randrange(9000)
    changes = small((chance.choice(KEYS), b"%d" % number), (chance.choice(KEYS), bytes(size)))
    changes.removed_rows = [chance.choice(KEYS)]
    if chance.random() < 0.1:
        changes.dropped_calendars = [(KEYS[0], KEYS[chance.randrange(len(KEYS))])]
    return changes


@pytest.mark.parametrize("seed", range(20))
def test_tables_with_a_log_behave_like_tables(seed: int, tmp_path: Path) -> None:
    """Whatever is done to them, and wherever the program ends."""
    chance = random.Random(seed)
    beneath, plain = MemoryTables(), MemoryTables()
    logged = opened(beneath, tmp_path)
    for number in range(200):
        if chance.random() < 0.05:
            logged.close()
            logged = opened(beneath, tmp_path)
        both: tuple[Tables, Tables] = (logged, plain)
        steps, changes = chance.random(), drawn(chance, number)
        for tables in both:
            if steps < 0.05:
                tables.change(Steps(random.Random(steps)).run, 0)
            else:
                tables.write(changes)
        for table in (CHUNKS, CALENDARS):
            assert rows(plain, table=table) == rows(logged, table=table)
    logged.settle()
    assert rows(plain, table=CALENDARS) == rows(beneath, table=CALENDARS)
    logged.close()


def test_a_small_change_is_not_in_the_tables_yet(tmp_path: Path) -> None:
    """It is seen all the same, and taken over with the next large one or at the end."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    logged.write(small((b"a", b"1")))
    assert (None, b"1") == (value(beneath, b"a"), value(logged, b"a"))
    logged.write(small((b"b", bytes(LOGGED_BYTES))))
    assert (b"1", bytes(LOGGED_BYTES)) == (value(beneath, b"a"), value(beneath, b"b"))
    logged.write(small((b"a", b"2")))
    logged.settle()
    assert b"2" == value(beneath, b"a")
    logged.close()


def test_a_full_log_is_taken_over(tmp_path: Path) -> None:
    """However many small changes come."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    for number in range(300):
        logged.write(small((b"%03d" % number, bytes(100))))
    assert bytes(100) == value(beneath, b"200")
    logged.close()
    again = opened(beneath, tmp_path)
    assert [bytes(100)] * 300 == [value(again, b"%03d" % number) for number in range(300)]
    again.close()


def test_a_brief_write_goes_into_the_log_or_nowhere(tmp_path: Path) -> None:
    """One write of the log makes it durable; what is large or finds no room there is left to `write`."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    assert [] == logged.write_briefly(small((b"a", b"1")))
    assert None is logged.write_briefly(small((b"b", bytes(BRIEF_BYTES))))
    assert (None, b"1", None) == (value(beneath, b"a"), value(logged, b"a"), value(logged, b"b"))
    while logged.write_briefly(small((b"c", bytes(BLOCK_BYTES)))) is not None:
        pass
    assert None is value(beneath, b"c")
    logged.close()
    again = opened(beneath, tmp_path)
    assert (b"1", bytes(BLOCK_BYTES)) == (value(again, b"a"), value(again, b"c"))
    again.close()


def test_what_was_taken_over_does_not_come_back(tmp_path: Path) -> None:
    """A row that is put by a small change and removed by a large one stays away, though the log still has it."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    logged.write(small((b"a", b"1")))
    logged.write(large_without(b"a"))
    logged.close()
    again = opened(beneath, tmp_path)
    assert None is value(again, b"a")
    again.close()


class Interrupting(MemoryTables):
    """Tables in which something happens right before somebody looks at them."""

    def __init__(self) -> None:
        super().__init__()
        self.before_view: list[Callable[[], None]] = []

    def view(self) -> Transaction:
        """See `Tables.view`."""
        while self.before_view:
            self.before_view.pop()()
        return super().view()


def test_a_reader_never_sees_an_older_layer_over_newer_tables(tmp_path: Path) -> None:
    """The log is taken over, and a row of it removed, between the two looks of a reader."""
    beneath = Interrupting()
    logged = opened(beneath, tmp_path)
    logged.write(small((b"a", b"1")))

    def interrupt() -> None:
        logged.write(large_without(b"a"))

    beneath.before_view.append(interrupt)
    assert None is value(logged, b"a")
    logged.close()


def test_damage_is_told_once_and_the_damaged_file_kept(tmp_path: Path) -> None:
    """What can be read is taken over."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    for number in range(3):
        logged.write(small((b"%d" % number, b"here")))
    logged.close()
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[BLOCK_BYTES + 25] ^= 1
    path.write_bytes(content)
    damages: list[str] = []
    again = open_logged(beneath, tmp_path, damages)
    assert 2 == len(damages)
    assert [b"here", None, b"here"] == [value(again, b"%d" % number) for number in range(3)]
    assert content == path.with_name(f"{FILE}.damaged").read_bytes()
    again.close()
    opened(beneath, tmp_path).close()


def test_a_lost_log_is_told_of(tmp_path: Path) -> None:
    """Nobody knows what was in it; the tables are served."""
    beneath = MemoryTables()
    opened(beneath, tmp_path).close()
    (tmp_path / FILE).unlink()
    damages: list[str] = []
    open_logged(beneath, tmp_path, damages).close()
    assert [f"{FILE}: No such file or directory"] == damages


def test_a_damaged_generation_is_told_of(tmp_path: Path) -> None:
    """Nothing of the log counts then."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    logged.write(small((b"a", b"1")))
    logged.close()
    _, key, row = generation_row(1)

    def damage(tables: Transaction) -> list[int]:
        tables.put(META, key, row[:-1] + b"2")
        return []

    beneath.change(damage, 0)
    damages: list[str] = []
    again = open_logged(beneath, tmp_path, damages)
    assert None is value(again, b"a")
    assert 1 == len(damages)
    assert damages[0].endswith("it is not known what of the log counts")
    again.close()


def test_each_start_draws_a_generation(tmp_path: Path) -> None:
    """A publisher who could guess it might write something into a body that looks like a block."""
    found = set()
    for _ in range(3):
        tables = MemoryTables()
        opened(tables, tmp_path).close()
        (tmp_path / FILE).unlink()
        found.add(generation(tables) >> 32)
    assert 3 == len(found - {0})


def generation(tables: Tables) -> int:
    """The one that counts."""
    view = tables.view()
    try:
        return stored_generation(view)
    finally:
        view.close()


def test_a_version_without_a_log_begins_one(tmp_path: Path) -> None:
    """A file that lies there by chance does not count."""
    beneath = MemoryTables()
    logged = opened(beneath, tmp_path)
    logged.write(small((b"a", b"1")))
    logged.close()
    other = MemoryTables()
    again = opened(other, tmp_path)
    assert None is value(again, b"a")
    again.close()

"""Mend a definitions file; what is taken out of it is moved aside first."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import fields
from pathlib import Path
from typing import Final

from persistence import failpoints
from persistence.aside import Aside
from persistence.check_definitions import IDS, NEXT_ID, RULES, Rule, check_version, dangling, described, open_to_read
from persistence.data_folder import DEFINITIONS, sync
from persistence.definitions import CHECKSUM, MIGRATIONS, VERSION, columns, teach_checksum, upsert
from persistence.rows import ROWS, Queue, Row, VHost

JOURNALS: Final = ("-wal", "-shm")


def is_readable(path: Path) -> bool:
    """Whether every row of the file can be read. Raises StoreError if another version wrote it."""
    try:
        with closing(open_to_read(path)) as connection:
            check_version(connection)
            found = connection.execute("PRAGMA integrity_check").fetchall()
            return found == [("ok",)]
    except sqlite3.Error:
        return False


def rebuild(path: Path, aside: Aside) -> list[str]:
    """Put a new file with all rows that can be read in place of a damaged or missing one; return what was done."""
    aside.begin()
    failpoints.at(failpoints.REPAIR_BEGUN)
    new = path.with_name(f"{path.name}.new")
    if new.exists() and not path.exists():
        told = [f"{DEFINITIONS}: an earlier repair has read what can be read"]
    else:
        told = _read_into(new, path)
    failpoints.at(failpoints.REPAIR_REBUILT)
    # The database goes first: without its journal it would be whole, and an older one.
    olds = [path, *(path.with_name(path.name + suffix) for suffix in JOURNALS)]
    places = [aside.move(old) for old in olds if old.exists()]
    failpoints.at(failpoints.REPAIR_REMOVED)
    new.rename(path)
    sync(path.parent)
    return [f"{DEFINITIONS}: is damaged: moved to {', '.join(places)}" if places else f"{DEFINITIONS}: is missing", *told]


def _read_into(new: Path, path: Path) -> list[str]:
    """Make a file with all rows that can be read; return how many these are. It gets its name when it has them all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    _make(part)
    told = []
    with closing(sqlite3.connect(part)) as connection, connection:
        for kind in ROWS:
            rows = _salvaged(path, kind)
            connection.executemany(upsert(kind), rows)
            told.append(f"{DEFINITIONS}: {len(rows)} rows of {kind.TABLE} could be read")
    part.replace(new)
    sync(new.parent)
    return told


def mend_rows(path: Path, aside: Aside) -> tuple[list[str], bool]:
    """Take out rows that are damaged or refer to nothing, and make ids unique.

    Return what was done, and whether a queue is among what was taken out.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        teach_checksum(connection)
        queues = _number_of_queues(connection)
        told = []
        for rule in RULES:
            told += _mend_vhosts(connection) + _take_out(connection, rule, aside)
        lost = _number_of_queues(connection) < queues
        return told + _mend_ids(connection), lost


def _number_of_queues(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM queues").fetchone()
    return int(number)


def adopt(path: Path, queue_ids: set[int]) -> list[str]:
    """Give messages of queues that are in no definition a queue again; return what was done."""
    told = []
    with closing(sqlite3.connect(path)) as connection, connection:
        vhosts = [name for (name,) in connection.execute("SELECT name FROM vhosts ORDER BY name <> '/', name")]
        vhost = vhosts[0] if vhosts else "/"
        for queue_id in sorted(queue_ids):
            name = f"recovered-{queue_id}"
            _insert(connection, Queue(vhost, name, queue_id, True, False, False, b"", "classic"))
            told.append(f"{DEFINITIONS}: queue {queue_id} is lost: its messages are in queue {name!r} of {vhost!r}")
        if connection.execute("SELECT count(*) FROM users").fetchone() == (0,):
            told.append(f"{DEFINITIONS}: no user is left: nobody can log in before load-definitions gives the broker some")
        return told + _mend_vhosts(connection) + _mend_ids(connection)


def _mend_vhosts(connection: sqlite3.Connection) -> list[str]:
    """No queue or exchange, and hence no message, is given up for a virtual host that is lost."""
    named = "SELECT vhost FROM queues UNION SELECT vhost FROM exchanges EXCEPT SELECT name FROM vhosts"
    lost = [name for (name,) in connection.execute(named)]
    for name in lost:
        _insert(connection, VHost(name))
    return [f"{DEFINITIONS}: virtual host {name!r} is lost: made again" for name in lost]


def _insert(connection: sqlite3.Connection, row: Row) -> None:
    values = [getattr(row, field.name) for field in fields(row)]
    marks = ", ".join("?" for _ in values)
    connection.execute(f"INSERT INTO {row.TABLE} ({columns(type(row))}) VALUES ({marks})", values)  # noqa: S608  (our names)


def _make(path: Path) -> None:
    """Make a file without rows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for version in range(VERSION):
            for statement in MIGRATIONS[version]():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _salvaged(path: Path, kind: type[Row]) -> list[tuple[object, ...]]:
    """What can be read of a table: from its beginning to the damage, and from its end back to it."""
    found: dict[tuple[object, ...], None] = {}
    for direction in ("ASC", "DESC"):
        order = ", ".join(f'"{name}" {direction}' for name in kind.KEY)
        with suppress(sqlite3.Error), closing(open_to_read(path)) as connection:
            rows = connection.execute(f"SELECT {columns(kind)}, {CHECKSUM} FROM {kind.TABLE} ORDER BY {order}")  # noqa: S608  (our names)
            found.update((row, None) for row in rows)
    return list(found)


def _take_out(connection: sqlite3.Connection, rule: Rule, aside: Aside) -> list[str]:
    """Remove the rows that a rule is about."""
    rows = dangling(connection, rule)
    if not rows:
        return []
    name = f"{rule.table} {rule.problem}".replace(" ", "-")
    place = aside.keep(name, "".join(f"{row!r}\n" for row in rows).encode("utf-8", "surrogateescape"))
    connection.execute(f"DELETE FROM {rule.table} WHERE {rule.condition}")  # noqa: S608  (our names)
    return [f"{described(rule, row)}: moved to {place}" for row in rows]


def _mend_ids(connection: sqlite3.Connection) -> list[str]:
    """Give every queue and exchange an id of its own, and those to come others."""
    told = []
    found = connection.execute(IDS).fetchall()
    counter = connection.execute(NEXT_ID).fetchone()
    stored_next = counter[0] if counter else 0
    next_id = max([stored_next, 1, *(number + 1 for number, *_ in found)])
    known: set[int] = set()
    for number, table, vhost, name in found:
        if number in known:
            statement = f"UPDATE {table} SET id = ?, {CHECKSUM} = NULL WHERE vhost = ? AND name = ?"  # noqa: S608  (our names)
            connection.execute(statement, (next_id, vhost, name))
            told.append(f"{DEFINITIONS}: {table} ({vhost!r}, {name!r}) had the id {number} of another one: it is empty now")
            next_id += 1
        known.add(number)
    if next_id != stored_next:
        connection.execute("INSERT OR REPLACE INTO counters VALUES ('next_queue_id', ?)", (next_id,))
        told.append(f"{DEFINITIONS}: the next queue gets the id {next_id}")
    return told

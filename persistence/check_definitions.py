"""Look for what is wrong in a definitions file; nothing is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from persistence.data_folder import DEFINITIONS
from persistence.definitions import CHECKSUM, VERSION, columns, teach_checksum
from persistence.remedy import Report
from persistence.rows import ROWS, Row
from persistence.store import StoreError


class Rule(NamedTuple):
    """Rows that are damaged, or refer to what does not exist."""

    table: str
    condition: str
    problem: str


_NO_VHOST: Final = "vhost NOT IN (SELECT name FROM vhosts)"
_NO_USER: Final = "user NOT IN (SELECT name FROM users)"
_NO_SOURCE: Final = (
    "source NOT LIKE 'amq.%' AND "
    "NOT EXISTS (SELECT 1 FROM exchanges WHERE vhost = bindings.vhost AND name = bindings.source)"
)  # fmt: skip
_NO_QUEUE: Final = (
    "destination_kind = 'queue' AND "
    "NOT EXISTS (SELECT 1 FROM queues WHERE vhost = bindings.vhost AND name = bindings.destination)"
)  # fmt: skip
_NO_EXCHANGE: Final = (
    "destination_kind = 'exchange' AND destination NOT LIKE 'amq.%' AND "
    "NOT EXISTS (SELECT 1 FROM exchanges WHERE vhost = bindings.vhost AND name = bindings.destination)"
)  # fmt: skip


def _damaged(kind: type[Row]) -> str:
    """The condition of rows of this class that fail their checksums."""
    return f"{CHECKSUM} <> checksum_of({columns(kind)})"


RULES: Final = (
    *(Rule(table, _NO_VHOST, "is of no virtual host") for table in ("exchanges", "queues", "bindings", "policies")),
    *(Rule(table, _NO_VHOST, "is of no virtual host") for table in ("permissions", "topic_permissions")),
    *(Rule(table, _NO_USER, "is of no user") for table in ("permissions", "topic_permissions")),
    Rule("parameters", f"vhost <> '' AND {_NO_VHOST}", "is of no virtual host"),
    Rule("bindings", _NO_SOURCE, "is of no exchange"),
    Rule("bindings", _NO_QUEUE, "leads to no queue"),
    Rule("bindings", _NO_EXCHANGE, "leads to no exchange"),
    *(Rule(kind.TABLE, _damaged(kind), "fails its checksum") for kind in ROWS),
)
"""In this order: a rule may take away what a later one looks for."""

IDS: Final = (
    "SELECT id, 'queues' AS kind, vhost, name FROM queues "
    "UNION ALL SELECT id, 'exchanges', vhost, name FROM exchanges WHERE id > 0 ORDER BY id, kind, vhost, name"
)
NEXT_ID: Final = "SELECT value FROM counters WHERE name = 'next_queue_id'"


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot change the file. Raises sqlite3.Error."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    teach_checksum(connection)
    return connection


def check_definitions(path: Path, report: Report) -> set[int]:
    """Check the definitions file; return the ids of the queues and exchanges in it."""
    try:
        with closing(open_to_read(path)) as connection:
            check_version(connection)
            for (text,) in connection.execute("PRAGMA integrity_check"):
                if text != "ok":
                    report.problem(f"{DEFINITIONS}: {text}")
            _check_references(connection, report)
            return _check_ids(connection, report)
    except (sqlite3.Error, StoreError) as error:
        report.problem(f"{DEFINITIONS}: {error}")
        return set()


def check_version(connection: sqlite3.Connection) -> None:
    """Raise StoreError unless this program knows the layout of the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise StoreError(f"version {version}, this program knows {VERSION}")


def dangling(connection: sqlite3.Connection, rule: Rule) -> list[tuple[object, ...]]:
    """The rows that a rule is about."""
    return connection.execute(f"SELECT * FROM {rule.table} WHERE {rule.condition}").fetchall()  # noqa: S608  (our names)


def described(rule: Rule, row: tuple[object, ...]) -> str:
    """A problem in words; the first columns of a table name its rows."""
    names = ", ".join(repr(value) for value in row[:5] if isinstance(value, str))
    return f"{DEFINITIONS}: {rule.table} ({names}) {rule.problem}"


def _check_references(connection: sqlite3.Connection, report: Report) -> None:
    for rule in RULES:
        for row in dangling(connection, rule):
            report.problem(described(rule, row))


def _check_ids(connection: sqlite3.Connection, report: Report) -> set[int]:
    found = connection.execute(IDS).fetchall()
    (next_id,) = connection.execute(NEXT_ID).fetchone()
    known: set[int] = set()
    for number, kind, vhost, name in found:
        if kind == "queues":
            report.count("queues")
        if number in known:
            report.problem(f"{DEFINITIONS}: {kind} ({vhost!r}, {name!r}) has the id {number}, which another one has too")
        elif number >= next_id:
            report.problem(f"{DEFINITIONS}: id {number} will be given to another queue")
        known.add(number)
    return known

"""Which layout the tables have, how an older one becomes the present one, and how often the tables were opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from persistence import records
from persistence.store import Corrupt, StoreError
from persistence.tables import META, Transaction

VERSION: Final = 2
"""Version of the layout that this program writes."""
_VERSION_KEY: Final = b"version"
_EPOCH_KEY: Final = b"epoch"
_GENERATION_KEY: Final = b"generation"


def _add_log(_: Transaction) -> None:
    """Version 2 has a log beside the tables, which are as they were."""


MIGRATIONS: Final[dict[int, Callable[[Transaction], None]]] = {1: _add_log}
"""What turns the layout of a version into that of the next."""


def begin_epoch(tables: Transaction) -> list[int]:
    """Bring the layout up to date and begin a new epoch, which is returned in a list."""
    version = stored_version(tables)
    if version > VERSION:
        raise StoreError(f"the messages were written by a newer amqpd (layout {version}, this one knows {VERSION})")
    while version < VERSION:
        MIGRATIONS[version](tables)
        version += 1
    epoch = stored_epoch(tables) + 1
    tables.put(*version_row())
    tables.put(*epoch_row(epoch))
    return [epoch]


def stored_version(tables: Transaction) -> int:
    """The version of the layout; that of this program if there is nothing yet. Raises StoreError."""
    return _integer(tables, _VERSION_KEY, VERSION)


def stored_epoch(tables: Transaction) -> int:
    """How often the store was opened. Raises StoreError."""
    return _integer(tables, _EPOCH_KEY, 0)


def stored_generation(tables: Transaction) -> int:
    """The generation of the log that counts (`write_ahead_log`), 0 if there was never a log. Raises StoreError."""
    return _integer(tables, _GENERATION_KEY, 0)


def version_row() -> tuple[int, bytes, bytes]:
    """Table, key and value that say that the tables have this program's layout."""
    return _row(_VERSION_KEY, VERSION)


def epoch_row(epoch: int) -> tuple[int, bytes, bytes]:
    """Table, key and value that say how often the store was opened."""
    return _row(_EPOCH_KEY, epoch)


def generation_row(generation: int) -> tuple[int, bytes, bytes]:
    """Table, key and value that say which generation of the log counts."""
    return _row(_GENERATION_KEY, generation)


def _row(key: bytes, number: int) -> tuple[int, bytes, bytes]:
    return META, key, records.protect(key, str(number).encode())


def _integer(tables: Transaction, key: bytes, default: int) -> int:
    stored = tables.get(META, key)
    if stored is None:
        return default
    digits = records.unprotect(key, stored)
    if not digits.isdigit():
        raise Corrupt(f"{digits!r} is no number")
    return int(digits)

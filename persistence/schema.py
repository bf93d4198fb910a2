"""Which layout the tables have, how an older one becomes the present one, and how often the tables were opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from persistence.store import Corrupt, StoreError
from persistence.tables import META, Transaction

VERSION: Final = 1
"""Version of the layout that this program writes."""
MIGRATIONS: Final[dict[int, Callable[[Transaction], None]]] = {}
"""What turns the layout of a version into that of the next."""

_VERSION_KEY: Final = b"version"
_EPOCH_KEY: Final = b"epoch"


def begin_epoch(tables: Transaction) -> list[int]:
    """Bring the layout up to date and begin a new epoch, which is returned in a list."""
    version = stored_version(tables)
    if version > VERSION:
        raise StoreError(f"the messages were written by a newer amqpd (layout {version}, this one knows {VERSION})")
    while version < VERSION:
        MIGRATIONS[version](tables)
        version += 1
    epoch = stored_epoch(tables) + 1
    tables.put(META, _VERSION_KEY, str(version).encode())
    tables.put(META, _EPOCH_KEY, str(epoch).encode())
    return [epoch]


def stored_version(tables: Transaction) -> int:
    """The version of the layout; that of this program if there is nothing yet. Raises StoreError."""
    return _integer(tables.get(META, _VERSION_KEY), VERSION)


def stored_epoch(tables: Transaction) -> int:
    """How often the store was opened. Raises StoreError."""
    return _integer(tables.get(META, _EPOCH_KEY), 0)


def _integer(stored: bytes | None, default: int) -> int:
    if stored is not None and not stored.isdigit():
        raise Corrupt(f"{stored!r} is no number")
    return default if stored is None else int(stored)

"""Give the pages of a data folder that nothing uses back to the file system.

Invariants:

1. No broker works on the folder meanwhile: it is locked from beginning to end.
2. The copy is complete and on the disk before it takes the place of the original, which one rename does. Whatever
   interrupts a compaction leaves the original or the copy in place, and both hold the same.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import lmdb

from persistence import failpoints
from persistence.data_folder import DEFINITIONS, MESSAGES, SPILL, open_existing_data_folder, sync
from persistence.lmdb_env import DATABASE, LOCKS
from persistence.store import StoreError

COPY: Final = "compacted"
"""Folder of the copy while it is made; one that was left over is overwritten by the next compaction."""


def compact(data_folder: Path) -> tuple[int, int]:
    """Make the files as small as what they hold; return how many bytes of disk they took before and take now.

    Raises StoreError if the folder is in use, if it is no data folder, or if there is no room for a copy.
    """
    folder = open_existing_data_folder(data_folder)
    try:
        before = _size(data_folder)
        shutil.rmtree(data_folder / SPILL, ignore_errors=True)  # No start would keep what is in it.
        _compact_messages(data_folder)
        with closing(sqlite3.connect(data_folder / DEFINITIONS)) as connection:
            connection.execute("VACUUM")
        failpoints.at(failpoints.COMPACTION_ENDS)
        return before, _size(data_folder)
    except (OSError, lmdb.Error, sqlite3.Error) as error:
        raise StoreError(f"cannot compact {data_folder}: {error}") from error
    finally:
        shutil.rmtree(data_folder / COPY, ignore_errors=True)
        folder.close()


def _compact_messages(data_folder: Path) -> None:
    original, copy = data_folder / MESSAGES / DATABASE, data_folder / COPY / DATABASE
    shutil.rmtree(copy.parent, ignore_errors=True)
    copy.parent.mkdir(mode=0o700)
    with closing(lmdb.open(str(original.parent), readonly=True, create=False, map_size=original.stat().st_size)) as environment:
        environment.copy(str(copy.parent), compact=True)
    copy.chmod(0o600)
    sync(copy)
    failpoints.at(failpoints.COMPACTION_COPIED)
    copy.replace(original)
    failpoints.at(failpoints.COMPACTION_REPLACED)
    # A backup may still read the original: who opens the copy must not take over what LMDB noted of it.
    (original.parent / LOCKS).unlink()
    sync(original.parent)


def _size(data_folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in data_folder.rglob("*") if path.is_file())

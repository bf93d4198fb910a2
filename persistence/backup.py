"""Copy a data folder, also while a broker works on it.

Invariants:

1. The messages of the copy are those of one committed state, which is not older than the call: all that was confirmed
   before is in it. The log is copied as of one moment before the state of the tables is chosen, so that it fits them, or
   does not count.
2. The definitions are read after that state was chosen. Messages are never committed before their queue, so the copy knows
   every queue that it has messages of, but for those that were deleted in between: their messages go at its first start.
3. The copy becomes a data folder with the very last step. One that was interrupted is taken for none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import lmdb

from persistence import failpoints
from persistence.aside import refuse_unfinished
from persistence.data_folder import DEFINITIONS, LOCK_FILE, MESSAGES, sync
from persistence.lmdb_env import DATABASE, bytes_in_use
from persistence.meta_pages import examine
from persistence.store import Corrupt, StoreError
from persistence.tables import NAMES
from persistence.write_ahead_log import FILE, content

Progress = Callable[[int, int], None]
"""Told how many bytes of the messages are copied, and how many there are."""

_SPARE_BYTES: Final = 1 << 30
"""How much the messages may grow between being opened and being looked at."""
_LOOK_SECONDS: Final = 0.2


def back_up(source: Path, target: Path, progress: Progress) -> None:
    """Make target, which must be empty or not exist, a data folder with what source holds. Raises StoreError."""
    if not (source / LOCK_FILE).exists():
        raise StoreError(f"{source} is not an amqpd data folder")
    refuse_unfinished(source)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise StoreError(f"{target} is not empty")
        (target / MESSAGES).mkdir(mode=0o700)
        _copy_log(source / MESSAGES / FILE, target / MESSAGES / FILE)
        with closing(_open(source / MESSAGES)) as environment, environment.begin() as state:
            failpoints.at(failpoints.BACKUP_BEGUN)
            _copy_definitions(source / DEFINITIONS, target / DEFINITIONS)
            failpoints.at(failpoints.BACKUP_DEFINED)
            _copy_messages(environment, state, target / MESSAGES, progress)
        failpoints.at(failpoints.BACKUP_COPIED)
        for written in (target / MESSAGES / DATABASE, target / MESSAGES, target / DEFINITIONS, target):
            sync(written)
        failpoints.at(failpoints.BACKUP_DURABLE)
        (target / LOCK_FILE).touch(0o600)
        sync(target)
    except (OSError, lmdb.Error, sqlite3.Error) as error:
        raise StoreError(f"cannot copy {source} to {target}: {error}") from error


def restore(source: Path, target: Path, progress: Progress) -> None:
    """Do as `back_up` does, with a folder that no broker uses. Raises StoreError, also for a database that was cut short."""
    try:
        examine(source / MESSAGES / DATABASE)  # Who reads pages behind the end of a mapped file is ended by a signal.
    except Corrupt as error:
        raise StoreError(f"cannot restore {source}: {error}") from error
    back_up(source, target, progress)


def _open(folder: Path) -> Any:  # noqa: ANN401 - lmdb has no types
    size = (folder / DATABASE).stat().st_size
    environment = lmdb.open(str(folder), map_size=size + _SPARE_BYTES, readonly=True, create=False, max_dbs=len(NAMES))
    environment.reader_check()
    return environment


def _copy_log(source: Path, target: Path) -> None:
    """Copy the log as of now. If the state that is chosen later has taken it over, the copy does not count."""
    if not source.exists():
        return
    target.touch(0o600)
    target.write_bytes(content(source))
    sync(target)


def _copy_definitions(source: Path, target: Path) -> None:
    """Copy the file as of now; the copy has no journal beside it, so that it can also be read where nothing can be written."""
    target.touch(0o600)
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _copy_messages(environment: Any, state: Any, target: Path, progress: Progress) -> None:  # noqa: ANN401 - the same
    """Copy the pages in use; the disk work leaves the interpreter free to tell how far it is."""
    copy = target / DATABASE
    copy_bytes = bytes_in_use(environment, state, [environment.open_db(name, state, create=False) for name in NAMES])
    with ThreadPoolExecutor(1) as copying:
        copied: Future[None] = copying.submit(environment.copy, str(target), True, state)
        while not wait((copied,), _LOOK_SECONDS).done:
            progress(min(copy.stat().st_size, copy_bytes) if copy.exists() else 0, copy_bytes)
        copied.result()
    copy.chmod(0o600)
    progress(copy_bytes, copy_bytes)

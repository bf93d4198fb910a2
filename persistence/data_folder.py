"""The folder that holds everything of one broker, and the lock that keeps a second broker out of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from persistence.store import StoreError

LOCK_FILE: Final = "amqpd.lock"
"""Also the mark by which a data folder is known; it holds the id of the process that opened it last."""
MESSAGES: Final = "messages"
SPILL: Final = "spill"
DEFINITIONS: Final = "definitions.sqlite"

_ALWAYS_THERE: Final = frozenset({"lost+found"})
"""What a fresh file system holds, so that a data folder may be a mount point."""


class DataFolder:
    """A locked data folder."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path: Final = path
        self._lock: Final = lock

    def close(self) -> None:
        """Give up the lock."""
        os.close(self._lock)


def open_data_folder(path: Path) -> DataFolder:
    """Lock a data folder, which is made (mode 0700) if it does not exist or is empty.

    Raises StoreError if another process has it, if it holds something else, or if it cannot be written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()} - _ALWAYS_THERE
        if names and LOCK_FILE not in names:
            raise StoreError(f"{path} is not an amqpd data folder and not empty")
        return _locked(path, os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"cannot open the data folder {path}: {error.strerror}") from error


def open_existing_data_folder(path: Path) -> DataFolder:
    """Lock a data folder that must be there. Raises StoreError."""
    if not (path / LOCK_FILE).exists():
        raise StoreError(f"{path} is not an amqpd data folder")
    return open_data_folder(path)


def open_data_folder_to_read(path: Path) -> DataFolder:
    """Lock a data folder that must be there, without changing anything in it. Raises StoreError."""
    try:
        lock = os.open(path / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StoreError(f"{path} is not an amqpd data folder") from None
    except OSError as error:
        raise StoreError(f"cannot open the data folder {path}: {error.strerror}") from error
    _lock(path, lock)
    return DataFolder(path, lock)


def _locked(path: Path, lock: int) -> DataFolder:
    _lock(path, lock)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return DataFolder(path, lock)


def _lock(path: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        os.close(lock)
        raise StoreError(f"{path} is in use by another amqpd (pid {owner})") from None


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk. Raises OSError."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)

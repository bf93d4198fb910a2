"""Where a repair puts what it takes out of a data folder: files below `damaged/`, in a folder for each repair."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from persistence.data_folder import sync
from persistence.store import StoreError

DAMAGED: Final = "damaged"
UNFINISHED: Final = f"{DAMAGED}/unfinished"
"""There from the first change of a repair to the last."""


class Aside:
    """The folder of one repair, which is made when the first thing goes there."""

    def __init__(self, data_folder: Path) -> None:
        self._data_folder: Final = data_folder
        taken = [int(path.name) for path in (data_folder / DAMAGED).glob("*") if path.name.isdigit()]
        self._name: Final = f"{DAMAGED}/{max(taken, default=0) + 1}"

    def keep(self, name: str, content: bytes) -> str:
        """Write a file to the disk, under another name if there is another one; return its path below the data folder."""
        path = self._folder() / name
        number = 1
        while path.exists() and path.read_bytes() != content:
            number += 1
            path = path.with_name(f"{name}-{number}")
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync(path.parent)
        return f"{self._name}/{path.name}"

    def move(self, path: Path) -> str:
        """Take a file or folder out of the data folder; return where it is now, below the data folder."""
        path.rename(self._folder() / path.name)
        sync(self._folder())
        sync(self._data_folder)
        return f"{self._name}/{path.name}"

    def begin(self) -> None:
        """Note that a repair is under way; what goes aside does so too."""
        marker = self._data_folder / UNFINISHED
        if not marker.exists():
            marker.parent.mkdir(mode=0o700, exist_ok=True)
            marker.touch(0o600)
            sync(marker.parent)
            sync(self._data_folder)

    def finish(self) -> None:
        """Note that the repair is complete."""
        marker = self._data_folder / UNFINISHED
        if marker.exists():
            marker.unlink()
            sync(marker.parent)

    def _folder(self) -> Path:
        self.begin()
        folder = self._data_folder / self._name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            sync(folder.parent)
        return folder


def is_unfinished(data_folder: Path) -> bool:
    """Whether a repair of the folder was interrupted."""
    return (data_folder / UNFINISHED).exists()


def refuse_unfinished(data_folder: Path) -> None:
    """Raise StoreError if a repair of the folder was interrupted: what is in it may belong to nothing, or not be all."""
    if is_unfinished(data_folder):
        raise StoreError(f"a repair of {data_folder} was interrupted: run amqpd check --repair")

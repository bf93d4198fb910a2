"""Where a repair puts what it takes out of a data folder: files below `damaged/`, in a folder for each repair."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from persistence.data_folder import sync

DAMAGED: Final = "damaged"


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

    def link(self, path: Path) -> str:
        """Keep a file that is about to be replaced; return its other path below the data folder."""
        (self._folder() / path.name).hardlink_to(path)
        sync(self._folder())
        return f"{self._name}/{path.name}"

    def move(self, path: Path) -> str:
        """Take a folder out of the data folder; return where it is now, below the data folder."""
        path.rename(self._folder() / path.name)
        sync(self._folder())
        sync(self._data_folder)
        return f"{self._name}/{path.name}"

    def _folder(self) -> Path:
        folder = self._data_folder / self._name
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            sync(folder.parent)
            sync(self._data_folder)
        return folder

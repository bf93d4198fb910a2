"""A file system of its own for a data folder, small enough to be filled."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

_PIECE: Final = 1 << 20


class SmallDisk:
    """A tmpfs that is mounted as the folder `data`, until the end of the context. Skips the test where that is not allowed."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder: Final = folder / "data"
        self.folder.mkdir()
        self._filler: Final = self.folder / "lost+found"
        """A name that a new file system may hold beside a data folder."""
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "amqpd-test", str(self.folder)]
        mounted = subprocess.run(mounting, capture_output=True, text=True, check=False) if os.geteuid() == 0 else None
        if mounted is None or mounted.returncode:
            pytest.skip("mounting a file system takes root")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def free(self) -> int:
        """Bytes that are left."""
        return shutil.disk_usage(self.folder).free

    def fill(self, left: int = 0) -> None:
        """Take all but so many bytes, and what others take meanwhile."""
        with self._filler.open("ab", buffering=0) as file:
            while (room := self.free() - left) > 0:
                with contextlib.suppress(OSError):  # Somebody else was faster.
                    file.write(bytes(min(room, _PIECE)))

    def clear(self) -> None:
        """Give back what was filled."""
        self._filler.unlink()

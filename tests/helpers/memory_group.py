"""A control group that allows its processes so much memory and no more."""

import contextlib
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

_VERSION_1: Final = Path("/sys/fs/cgroup/memory")
_VERSION_2: Final = Path("/sys/fs/cgroup")
_PATIENCE: Final = 10.0


class MemoryGroup:
    """A group of version 1 or 2, until the end of the context. Skips the test where none can be made."""

    def __init__(self, limit: int) -> None:
        is_first = _VERSION_1.exists()
        self._folder: Final = (_VERSION_1 if is_first else _VERSION_2) / f"amqpd-test-{uuid.uuid4().hex}"
        try:
            self._folder.mkdir()
            (self._folder / ("memory.limit_in_bytes" if is_first else "memory.max")).write_text(str(limit))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
            pytest.skip(f"control groups take root: {error}")
        self.within: Final = ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs"))
        """Begins the command of a process that is to be in the group."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        deadline = time.monotonic() + _PATIENCE
        while (self._folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        self._folder.rmdir()

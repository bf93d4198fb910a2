"""How much memory the control groups of Linux leave to this process: both versions of them, seen from inside and outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

MEMBERSHIP: Final = Path("/proc/self/cgroup")
"""Lines `NUMBER:CONTROLLERS:GROUP`; one without controllers is of version 2."""
MOUNT: Final = Path("/sys/fs/cgroup")


def memory_limits(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> Iterator[int]:
    """Bytes for the group of this process and for each group around it that has a limit."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # This is another system.
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield from _limits(mount, group, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits(mount / "memory", group, "memory.limit_in_bytes")


def _limits(mount: Path, group: str, file: str) -> Iterator[int]:
    # In a container the name may be the one from outside, though what is mounted is the container's own group.
    path = PurePosixPath(group.lstrip("/"))
    for folder in (path, *path.parents):
        try:
            yield int((mount / folder / file).read_text())
        except (OSError, ValueError):  # There is no such group here, or it says `max`.
            continue

"""Memory that is not ours: pages of a mapped file count as resident once read, though the kernel could drop them any time."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_DONTNEED: Final = 4
"""MADV_DONTNEED of Linux: for a file mapping it only empties the page table; the page cache keeps what it has."""
_MAPS: Final = Path("/proc/self/maps")


def release(path: Path) -> None:
    """Take the pages of the mapped file out of this process's resident memory; they come back as they are touched.

    Does nothing where there is no /proc.
    """
    if not _MAPS.exists():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    suffix = os.fsencode(path.resolve())
    for line in _MAPS.read_bytes().splitlines():
        if line.endswith(suffix):
            start, end = [int(address, 16) for address in line.split(b" ", 1)[0].split(b"-")]
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)

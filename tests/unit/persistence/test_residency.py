"""Pages of a mapped file that are given back."""

import mmap
from pathlib import Path

import pytest

from persistence.residency import release

SIZE = 8 << 20


def resident_bytes(path: Path) -> int:
    """How much of the mapped file is resident, as the kernel counts it."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(index for index, line in enumerate(lines) if line.endswith(str(path)))
    rss = next(line for line in lines[at:] if line.startswith("Rss:"))
    return int(rss.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_released_pages_are_not_resident_and_read_the_same(tmp_path: Path) -> None:
    """Pages that were read leave the resident set, and hold what they held when they come back."""
    path = tmp_path / "mapped"
    path.write_bytes(b"x" * SIZE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), SIZE, prot=mmap.PROT_READ) as mapped:
        assert SIZE == mapped[:].count(b"x")
        assert resident_bytes(path) >= SIZE // 2
        release(path)
        assert 0 == resident_bytes(path)
        assert SIZE == mapped[:].count(b"x")

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from helpers.stores import flipped
from persistence import write_ahead_log
from persistence.store import NoSpace, StoreError
from persistence.tables import BODIES, CHUNKS, MARKS, Change
from persistence.write_ahead_log import BLOCK_BYTES, BLOCKS, FILE, WriteAheadLog

GENERATION = 7 << 90
SMALL: list[Change] = [(CHUNKS, b"key", b"value"), (MARKS, b"gone", None)]
LARGE: list[Change] = [(BODIES, b"large", random.Random(1).randbytes(3 * BLOCK_BYTES)), (BODIES, b"empty", b"")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log without changes."""
    path = tmp_path / FILE
    write_ahead_log.make(path)
    return path


def written(path: Path, *changes: list[Change], generation: int = GENERATION) -> None:
    """Append to a log that begins this generation."""
    log = WriteAheadLog(path, generation)
    for each in changes:
        assert log.append(each)
    log.close()


def test_a_new_log_holds_nothing(path: Path) -> None:
    """Only its owner can read it, and each of its blocks is whole."""
    assert ([], []) == write_ahead_log.read(path, GENERATION)
    assert (BLOCKS * BLOCK_BYTES, 0o600) == (path.stat().st_size, path.stat().st_mode & 0o777)


def test_changes_are_read_in_their_order(path: Path) -> None:
    """Values that span blocks, empty values and keys that go."""
    written(path, SMALL, LARGE, SMALL)
    assert ([*SMALL, *LARGE, *SMALL], []) == write_ahead_log.read(path, GENERATION)


def test_another_generation_does_not_count(path: Path) -> None:
    """What was taken over stays in the file until it is written over."""
    written(path, LARGE, SMALL)
    assert ([], []) == write_ahead_log.read(path, GENERATION + 1)
    written(path, SMALL, generation=GENERATION + 1)
    assert (SMALL, []) == write_ahead_log.read(path, GENERATION + 1)


def test_a_full_log_takes_nothing_more_until_it_begins_anew(path: Path) -> None:
    """What has no room is not written, what was written stays; the next generation has all blocks."""
    log = WriteAheadLog(path, GENERATION)
    assert log.is_empty()
    appended = 0
    while log.append(LARGE):
        appended += 1
    assert (BLOCKS // 4, BLOCKS * BLOCK_BYTES, False) == (appended, log.size(), log.is_empty())
    assert (LARGE * appended, []) == write_ahead_log.read(path, GENERATION)
    log.begin(GENERATION + 1)
    assert (0, True) == (log.size(), log.is_empty())
    assert log.append(SMALL)
    assert (SMALL, []) == write_ahead_log.read(path, GENERATION + 1)
    log.close()


def test_a_write_that_was_interrupted_does_not_count(path: Path) -> None:
    """A process may be killed between two blocks: the changes were confirmed to nobody, and nothing is damaged."""
    written(path, LARGE)
    before = path.read_bytes()
    written(path, SMALL, LARGE, generation=GENERATION + 1)
    content = path.read_bytes()
    cut = 3 * BLOCK_BYTES
    path.write_bytes(content[:cut] + before[cut:])
    assert (SMALL, []) == write_ahead_log.read(path, GENERATION + 1)


def test_damage_costs_its_changes_alone_and_is_told(path: Path) -> None:
    """Those before and after it are read."""
    written(path, SMALL, LARGE, SMALL)
    content = bytearray(path.read_bytes())
    content[2 * BLOCK_BYTES + 100] ^= 1
    path.write_bytes(content)
    changes, damages = write_ahead_log.read(path, GENERATION)
    assert [*SMALL, *SMALL] == changes
    assert [
        f"{FILE}: block 2 is damaged, or was being written when the machine stopped",
        f"{FILE}: blocks 2 to 2 are lost",
    ] == damages


def test_no_flipped_bit_is_taken_for_something_else(path: Path) -> None:
    """Also where it is in the last block, which might never have been written for all that the blocks before it know."""
    written(path, SMALL)
    content = path.read_bytes()
    used = content[:BLOCK_BYTES].rstrip(b"\0")
    for changed in flipped(used):
        path.write_bytes(changed + content[len(used) :])
        changes, damages = write_ahead_log.read(path, GENERATION)
        assert ([], 1) == (changes, len(damages))


WRITER = """
import sys
from pathlib import Path
from persistence.write_ahead_log import WriteAheadLog
path, generation, number = Path(sys.argv[1]), 1, 0
log = WriteAheadLog(path, generation)
print(flush=True)
while True:
    if log.append([(0, b"%d" % number, bytes(number % 3 * 4096))]):
        number += 1
    else:
        generation += 1
        log.begin(generation)
"""
COPYING_SECONDS = 2


@pytest.fixture
def written_path() -> Iterator[Path]:
    """A log, in memory if there is a place, to which another process appends rows with the numbers from 0."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no write waits for a disk there
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        path = Path(folder) / FILE
        write_ahead_log.make(path)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            yield path
            writer.kill()


def test_a_log_that_is_written_is_copied_without_a_gap(written_path: Path) -> None:
    """Of the newest generation, what was appended up to some moment, which is later with each copy."""
    last = 0
    end = time.monotonic() + COPYING_SECONDS
    while time.monotonic() < end:
        data = write_ahead_log.content(written_path)
        newest = max(data[start : start + 12] for start in range(4, len(data), BLOCK_BYTES))
        changes, damages = write_ahead_log.understood(data, int.from_bytes(newest, "big"))
        numbers = [int(key) for _, key, _ in changes]
        assert ([], set()) == (damages, {after - before for before, after in pairwise(numbers)} - {1})
        before, last = last, max(numbers, default=last)
        assert last >= before


@pytest.mark.parametrize("length", [0, 100, BLOCK_BYTES, BLOCKS * BLOCK_BYTES - 1])
def test_a_log_that_was_cut_is_told_of(path: Path, length: int) -> None:
    """What is left of it counts."""
    written(path, SMALL)
    os.truncate(path, length)
    changes, damages = write_ahead_log.read(path, GENERATION)
    assert [f"{FILE}: {length} bytes instead of {BLOCKS * BLOCK_BYTES}"] == damages
    assert (SMALL if length >= BLOCK_BYTES else []) == changes


def test_a_log_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    """It cannot be opened either."""
    path = tmp_path / FILE
    assert ([], [f"{FILE}: No such file or directory"]) == write_ahead_log.read(path, GENERATION)
    with pytest.raises(StoreError, match=f"cannot open {path}: No such file or directory"):
        WriteAheadLog(path, GENERATION)
    with pytest.raises(StoreError, match=r"cannot make .*: No such file or directory"):
        write_ahead_log.make(tmp_path / "nowhere" / FILE)


def test_a_full_disk_can_be_waited_for() -> None:
    """The log stays as it was."""
    log = WriteAheadLog(Path("/dev/full"), GENERATION)
    with pytest.raises(NoSpace, match="no space left for /dev/full"):
        log.append(SMALL)
    assert log.is_empty()
    log.close()


def test_any_other_error_of_a_write_is_told(tmp_path: Path) -> None:
    """Nobody can write at a place of a pipe."""
    path = tmp_path / FILE
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = WriteAheadLog(path, GENERATION)
    with pytest.raises(StoreError, match="Illegal seek"):
        log.append(SMALL)
    assert log.is_empty()
    log.close()
    os.close(reader)

"""Whatever step a command for the data folder dies at, what it worked on is whole, and the command can be given again."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from helpers.stores import filled_folder, recovered
from persistence import failpoints
from persistence.backup import back_up
from persistence.check import check
from persistence.compaction import compact
from persistence.lmdb_store import LmdbStore
from persistence.repair import repair
from persistence.store import StoreError

pytestmark = pytest.mark.timeout(300)  # Many processes, on machines of any speed.

COMMANDS: Final = """
import sys
from pathlib import Path
from persistence.backup import back_up
from persistence.compaction import compact
from persistence.repair import repair

if __name__ == "__main__":
    command, *folders = sys.argv[1:]
    paths = [Path(folder) for folder in folders]
    if command == "compact":
        compact(*paths)
    elif command == "repair":
        repair(*paths)
    else:
        back_up(*paths, print)
"""
HELD: Final = [b"body 0", b"body 2", b"shared", b"last"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a queue that has messages."""
    return filled_folder(tmp_path / "data")


def die_at(step: str, command: str, *folders: Path) -> None:
    """Begin a command that is killed at a step."""
    script = folders[0].with_name("commands.py")
    script.write_text(COMMANDS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), failpoints.VARIABLE: f"{step}:kill"}
    process = subprocess.run([sys.executable, script, command, *folders], capture_output=True, env=environment, check=False)
    assert -signal.SIGKILL == process.returncode, process.stderr


def held(folder: Path) -> list[bytes]:
    """What a broker finds in the first queue of a folder."""
    store = LmdbStore(folder)
    try:
        return recovered(store)
    finally:
        store.close()


def queues(folder: Path) -> list[tuple[str, int]]:
    """The queues of a folder."""
    with closing(sqlite3.connect(folder / "definitions.sqlite")) as connection:
        return connection.execute("SELECT name, id FROM queues").fetchall()


@pytest.mark.parametrize("step", failpoints.COMPACTION)
def test_a_compaction_that_dies(folder: Path, step: str) -> None:
    """The old files or the new ones are there, which hold the same; another compaction leaves nothing of this one."""
    die_at(step, "compact", folder)
    assert [] == check(folder).problems
    assert HELD == held(folder)
    compact(folder)
    assert [HELD, [("q", 1)]] == [held(folder), queues(folder)]
    assert not (folder / "compacted").exists()


@pytest.mark.parametrize("step", failpoints.BACKUP)
def test_a_backup_that_dies(folder: Path, step: str) -> None:
    """What was copied so far is taken for nothing, and the original is as it was. To restore one is the same."""
    copy = folder.with_name("copy")
    die_at(step, "backup", folder, copy)
    with pytest.raises(StoreError, match="is not an amqpd data folder"):
        LmdbStore(copy)
    assert HELD == held(folder)
    again = folder.with_name("again")
    back_up(folder, again, lambda _, __: None)
    assert [HELD, [("q", 1)]] == [held(again), queues(again)]


@pytest.mark.parametrize("step", failpoints.REPAIR)
def test_a_repair_that_dies(folder: Path, step: str) -> None:
    """No broker starts on the folder, nobody copies it, and another repair finds everything that this one would have found."""
    (folder / "definitions.sqlite").write_bytes(b"garbage" * 1000)
    database = folder / "messages" / "data.mdb"
    content = bytearray(database.read_bytes())
    content[:4096] = bytes(4096)  # LMDB has another beginning, of the last transaction but one.
    database.write_bytes(content)
    die_at(step, "repair", folder)
    with pytest.raises(StoreError, match="was interrupted: run amqpd check --repair"):
        LmdbStore(folder)
    with pytest.raises(StoreError, match="was interrupted: run amqpd check --repair"):
        back_up(folder, folder.with_name("copy"), lambda _, __: None)
    _, report = repair(folder)
    assert [] == report.problems
    assert [[("recovered-1", 1)], HELD] == [queues(folder), held(folder)]

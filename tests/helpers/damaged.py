"""A data folder that is damaged at random, and what a program makes of it that opens it, in a process of its own.

    python -m helpers.damaged FOLDER

prints one line of JSON: the bodies by queue that it could read, what it told of damage, and why it could not open the folder.
"""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from helpers.stores import Note, Owner, commit, define, durable_queue, kill, put_shared
from persistence import rows
from persistence.data_folder import DEFINITIONS, MESSAGES
from persistence.definitions import Definitions
from persistence.lmdb_env import DATABASE
from persistence.lmdb_store import LmdbStore
from persistence.store import StoreError
from persistence.write_ahead_log import FILE

QUEUES: Final = 3
FILES: Final = (f"{MESSAGES}/{DATABASE}", f"{MESSAGES}/{FILE}", DEFINITIONS)
SECONDS: Final = 60.0


def fill(folder: Path) -> dict[str, list[str]]:
    """Make a data folder with messages of every kind; return the bodies by queue."""
    store = LmdbStore(folder)
    held: dict[str, list[str]] = {}
    for queue_id in range(1, QUEUES + 1):
        log = store.log(queue_id, 0, Owner())
        notes = [Note(store.first_sequence + at, b"%d/%d " % (queue_id, at) * (at % 400 + 1)) for at in range(60)]
        for at, note in enumerate(notes):
            log.put(note)
            if at % 7 == 0:
                commit(store)
        shared = put_shared(store, log, Note(store.first_sequence + 60, b"shared" * 2000, store.share(b"shared" * 2000)))
        commit(store)
        for note in notes[::5]:
            log.settle(note)
        commit(store)
        left = [note for note in [*notes, shared] if not note.settled]
        held[str(queue_id)] = [note.body.decode() for note in left]
    kill(store)
    numbers = range(1, QUEUES + 1)
    keys = range(200)
    bindings = [rows.Binding("/", "amq.topic", f"q{key % QUEUES + 1}", "queue", f"key.{key}", b"arguments") for key in keys]
    define(folder, *[durable_queue(f"q{number}", number) for number in numbers], *bindings)
    return held


def damage(folder: Path, chance: random.Random) -> str:
    """Flip a bit, lose a sector, or cut a file short; return what was done."""
    path = folder / chance.choice(FILES)
    data = bytearray(path.read_bytes())
    kind = chance.choice(("flip", "flip", "flip", "sector", "cut"))
    at = chance.randrange(len(data))
    if kind == "flip":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "sector":
        at -= at % 512
        data[at : at + 512] = bytes(512)
    else:
        del data[at:]
    path.write_bytes(data)
    return f"{kind} in {path.name} at {at}"


def opened(folder: Path) -> dict[str, Any]:
    """What a process of its own makes of a folder; its exit code stands under `ended` if a signal ended it."""
    command = [sys.executable, "-m", "helpers.damaged", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment)
    if process.returncode < 0:
        return {"ended": process.returncode}
    assert 0 == process.returncode, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


def judged(found: dict[str, Any], sound: dict[str, Any], what: str) -> str:
    """The outcome in a word, for a folder of which `sound` is known; AssertionError if damage went unseen."""
    if "refused" in found:
        return "refused"
    if "ended" in found:
        return "ended the process"
    if found == sound:
        return "harmless"
    assert found["told"], f"{what}: nothing is told, but {found['held']} was read"
    assert sound["bindings"] == found["bindings"], what
    for queue, bodies in found["held"].items():
        # Where damaged marks are told of, or a damaged log, in which marks may have been, settled messages may come back.
        told = str(found["told"])
        assert set(bodies) <= set(sound["held"].get(queue, ())) or "marks" in told or "ahead.log" in told, what
    return "told, and the rest served"


def look(folder: Path) -> dict[str, Any]:
    """Everything that can be read."""
    try:
        queues, bindings = asyncio.run(_load(folder))
        store = LmdbStore(folder)
        try:
            return {"held": _read(store, {queue.id for queue in queues}), "told": store.damages, "bindings": bindings}
        finally:
            store.close()
    except (StoreError, sqlite3.Error) as error:
        return {"refused": str(error)}


async def _load(folder: Path) -> tuple[list[rows.Queue], list[str]]:
    definitions = await Definitions.open(folder / DEFINITIONS)
    try:
        found = await definitions.load(rows.Queue)
        return found, [repr(binding) for binding in await definitions.load(rows.Binding)]
    finally:
        await definitions.close()


def _read(store: LmdbStore, queue_ids: set[int]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for queue_id, lanes in store.recover(queue_ids).items():
        for lane, windows in lanes.items():
            log = store.log(queue_id, lane, Owner())
            for window in windows:
                try:
                    found = store.read(log, window)
                except StoreError as error:
                    store.damages.append(str(error))
                else:
                    held.setdefault(str(queue_id), []).extend(record.body.decode() for record in found)
    return held


if __name__ == "__main__":
    print(json.dumps(look(Path(sys.argv[1]))))  # noqa: T201  (that is what the process is for)

"""A program that dies at any step of a commit leaves whole batches, and a disk that fails there is never hidden."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess
from helpers.governed import Imports
from helpers.lives import lead_life_to
from helpers.stores import Owner, bodies, examined
from helpers.workloads import Fanout, Workload
from persistence import failpoints
from persistence.lmdb_store import LmdbStore

pytestmark = pytest.mark.timeout(300)  # Several starts, on machines of any speed.

COMMITS = """
import sys
from pathlib import Path
from helpers.stores import Note, Owner, commit
from persistence.lmdb_store import LmdbStore

store = LmdbStore(Path(sys.argv[1]), 1 << 20)
store.recover({1})
log = store.log(1, 0, Owner())
for number in range(60):
    log.put(Note(store.first_sequence + number, b"%06d" % number + bytes(100_000)))
    commit(store)
    print(number, flush=True)
"""
"""Commits of 100 KB in a map of 1 MiB, which has to grow."""


@pytest.mark.parametrize(
    ("name", "passage"),
    [
        *((name, passage) for name in (failpoints.MESSAGES_BEGUN, failpoints.MESSAGES_WRITTEN) for passage in (1, 3, 20)),
        *((failpoints.MESSAGES_DURABLE, passage) for passage in (1, 2, 20)),
        (failpoints.MAP_FULL, 1),
    ],
)
def test_a_process_that_dies_in_a_commit_leaves_whole_batches(tmp_path: Path, name: str, passage: int) -> None:
    """What was applied is there, and at most one batch more: the one that was durable before the process could say so."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), failpoints.VARIABLE: f"{name}:kill:{passage}"}
    command = [sys.executable, "-c", COMMITS, str(tmp_path)]
    process = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert -signal.SIGKILL == process.returncode, process.stderr
    applied = len(process.stdout.splitlines())
    store = LmdbStore(tmp_path)
    store.recover({1})
    found = [int(body[:6]) for body in bodies(store, store.log(1, 0, Owner()))]
    assert found in (list(range(applied)), list(range(applied + 1)))
    assert [] == examined(store, {1}).problems
    store.close()


@pytest.mark.parametrize(
    ("workload", "setting", "ends"),
    [
        (Imports, "definitions-written:kill:3", {"died under load"}),
        (Imports, "definitions-durable:kill:3", {"died under load"}),
        (Fanout, "messages-durable:kill:5", {"died under load"}),
        (Fanout, "messages-written:broken:5", {"stopped itself"}),
        (Fanout, "messages-begun:full:5", {"lived on"}),
    ],
)
def test_a_broker_keeps_its_promises_at_a_failpoint(
    start_broker: Callable[..., BrokerProcess], workload: type[Workload], setting: str, ends: set[str]
) -> None:
    """Whatever a step of a commit ends in, what was confirmed before is there after the next start."""
    variables: dict[str, str] = {}
    work = workload(random.Random(1))
    broker = start_broker(variables=variables)
    work.declare(broker)
    assert lead_life_to(broker, work, variables, setting) in ends

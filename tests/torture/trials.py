"""The kinds of trials: what one of each does in a folder of its own, with everything random drawn from one source."""

import asyncio
import errno
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from torture.crowd import Crowd, allow_files

from helpers import damaged
from helpers.broker import BrokerProcess
from helpers.faulty_disk import FaultyDisk
from helpers.governed import Imports, PolicyChanges
from helpers.lives import lead_life_on, lead_life_to, lead_lives
from helpers.loads import WORKLOADS
from helpers.traffic import connect
from helpers.workloads import Definitions, Workload
from persistence import failpoints

LIVES: Final = 5
"""Kills that one broker's data folder goes through."""
FLIPS: Final = 20
"""Copies of one data folder that are damaged, each once."""
CROWD: Final = 10_000
DEFINING: Final = (Definitions, Imports, PolicyChanges)
"""Loads that change definitions all the time."""


class Trial:
    """A kind of trial."""

    def __init__(self, run: Callable[[Path, random.Random], Counter[str]], default: int, ends: int, explanation: str) -> None:
        self.run: Final = run
        """Try it; the outcomes, which are counted over all trials, or AssertionError."""
        self.default: Final = default
        self.ends: Final = ends
        """How many of what is counted on the command line one trial does."""
        self.help: Final = explanation


def start(folder: Path, workload: type[Workload], variables: Mapping[str, str] | None = None) -> BrokerProcess:
    """A broker for a kind of load, with management only if that needs it."""
    without = () if issubclass(workload, Imports | PolicyChanges) else ("--http-port", "none")
    return BrokerProcess(folder, *without, variables=variables)


def kills(folder: Path, chance: random.Random) -> Counter[str]:
    """SIGKILL under one kind of load."""
    workload = chance.choice(WORKLOADS)
    broker = start(folder, workload)
    try:
        lead_lives(broker, workload(chance), LIVES, signal.SIGKILL)
    finally:
        broker.kill()
    assert "Traceback" not in broker.stderr, broker.stderr
    return Counter({f"kills under {workload.__name__}": LIVES})


def failures(folder: Path, chance: random.Random) -> Counter[str]:
    """A failpoint in a commit, under one kind of load."""
    variables: dict[str, str] = {}
    name = chance.choice([name for name in failpoints.NAMES if name != failpoints.MAP_FULL])
    defines = name.startswith("definitions")
    kind = chance.choice(DEFINING if defines else WORKLOADS)
    workload = kind(chance)
    actions = ["kill", "sleep"] if name == failpoints.MESSAGES_DURABLE else ["kill", "full", "broken", "sleep"]
    action = chance.choice(actions)
    broker = start(folder, kind, variables)
    try:
        workload.declare(broker)
        how = lead_life_to(broker, workload, variables, f"{name}:{action}:{chance.randint(1, 8 if defines else 40)}")
    finally:
        broker.kill()
    assert "Traceback" not in broker.stderr, broker.stderr
    return Counter({f"{action} at {name}: {how}": 1})


def disks(folder: Path, chance: random.Random) -> Counter[str]:
    """A disk that fails or is full, under one kind of load."""
    disk = FaultyDisk(folder)
    kind = chance.choice(WORKLOADS)
    workload = kind(chance)
    writes, syncs = chance.choice(((errno.ENOSPC, 0), (errno.EIO, 0), (0, errno.EIO)))
    broker = start(folder, kind, disk.variables)
    try:
        workload.declare(broker)
        how = lead_life_on(disk, broker, workload, writes, syncs, chance.randrange(60))
    finally:
        broker.kill()
    assert "Traceback" not in broker.stderr, broker.stderr
    return Counter({f"{errno.errorcode[writes or syncs]} from {'writes' if writes else 'syncs'}: {how}": 1})


def flips(folder: Path, chance: random.Random) -> Counter[str]:
    """A damaged file in a data folder."""
    held = damaged.fill(folder / "data")
    sound = damaged.opened(shutil.copytree(folder / "data", folder / "sound"))
    assert (held, []) == (sound["held"], sound["told"])
    outcomes: Counter[str] = Counter()
    for number in range(FLIPS):
        copy = shutil.copytree(folder / "data", folder / f"copy-{number}")
        what = damaged.damage(copy, chance)
        outcomes[f"{what.split()[0]}: {damaged.judged(damaged.opened(copy), sound, what)}"] += 1
        shutil.rmtree(copy)
    return outcomes


def crowds(folder: Path, chance: random.Random) -> Counter[str]:
    """All clients lose their broker, and come back at once."""
    del chance
    allow_files(CROWD + 1000)
    broker = BrokerProcess(folder, "--http-port", "none")
    try:
        asyncio.run(_come_twice(broker))
        connection = connect(broker)
        connection.channel().call("queue.declare", queue="q")
        connection.close()
    finally:
        broker.kill()
    assert "Traceback" not in broker.stderr, broker.stderr
    return Counter({"clients that came back": CROWD})


async def _come_twice(broker: BrokerProcess) -> None:
    crowd = Crowd(broker, CROWD)
    assert CROWD == await crowd.come()
    broker.kill()
    crowd.go()
    await asyncio.to_thread(broker.restart)
    assert CROWD == await crowd.come()
    crowd.go()


TRIALS: Final = {
    "kills": Trial(kills, 500, LIVES, "SIGKILL under every kind of load"),
    "disks": Trial(disks, 100, 1, "a disk that fails or is full"),
    "flips": Trial(flips, 500, FLIPS, "a flipped bit, a lost sector or a cut in a file of the data folder"),
    "crowds": Trial(crowds, CROWD, CROWD, "clients that reconnect at once after the broker was killed"),
    "failpoints": Trial(failures, 300, 1, "death, a full disk, a broken disk, or a pause at a step of a commit"),
}

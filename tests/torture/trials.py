"""The kinds of trials: what one of each does in a folder of its own, with everything random drawn from one source."""

import asyncio
import errno
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from torture.crowd import Crowd, allow_files

from helpers import damaged
from helpers.broker import BrokerProcess
from helpers.faulty_disk import FaultyDisk
from helpers.governed import Imports, PolicyChanges
from helpers.hoarders import GROUP_BYTES, end_by_hoarding, limit_addresses
from helpers.lives import await_progress, bury, lead_life_in, lead_life_on, lead_life_to, lead_lives, put_to_work
from helpers.loads import WORKLOADS
from helpers.memory_group import MemoryGroup
from helpers.small_disk import SmallDisk
from helpers.traffic import connect
from helpers.wire import Wire
from helpers.workloads import Definitions, Workload
from persistence import failpoints

LIVES: Final = 5
"""Kills that one broker's data folder goes through."""
FLIPS: Final = 20
"""Copies of one data folder that are damaged, each once."""
CROWD: Final = 10_000
DEFINING: Final = (Definitions, Imports, PolicyChanges)
"""Loads that change definitions all the time."""


DISK_BYTES: Final = 64 << 20
SEEN_TO_GO_ON: Final = tuple(kind for kind in WORKLOADS if kind is not Definitions)
"""Loads whose confirms are counted."""
SEEN_OVER_AMQP: Final = tuple(kind for kind in SEEN_TO_GO_ON if not issubclass(kind, Imports | PolicyChanges))


class Trial:
    """A kind of trial."""

    def __init__(self, run: Callable[[Path, random.Random], Counter[str]], default: int, ends: int, explanation: str) -> None:
        self.run: Final = run
        """Try it; the outcomes, which are counted over all trials, or AssertionError."""
        self.default: Final = default
        self.ends: Final = ends
        """How many of what is counted on the command line one trial does."""
        self.help: Final = explanation


def start(
    folder: Path,
    workload: type[Workload],
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    within: Sequence[str] = (),
) -> BrokerProcess:
    """A broker for a kind of load, with management only if that needs it."""
    without = () if issubclass(workload, Imports | PolicyChanges) else ("--http-port", "none")
    return BrokerProcess(folder, *without, *arguments, variables=variables, within=within)


@contextmanager
def watched(broker: BrokerProcess) -> Iterator[None]:
    """Something happens to a broker, which ends afterwards; nothing that nobody expected may be in its log."""
    try:
        yield
    finally:
        broker.kill()
    assert "Traceback" not in broker.stderr, broker.stderr


def kills(folder: Path, chance: random.Random) -> Counter[str]:
    """SIGKILL under one kind of load."""
    workload = chance.choice(WORKLOADS)
    broker = start(folder, workload)
    with watched(broker):
        lead_lives(broker, workload(chance), LIVES, signal.SIGKILL)
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
    broker = start(folder, kind, variables=variables)
    with watched(broker):
        workload.declare(broker)
        how = lead_life_to(broker, workload, variables, f"{name}:{action}:{chance.randint(1, 8 if defines else 40)}")
    return Counter({f"{action} at {name}: {how}": 1})


def disks(folder: Path, chance: random.Random) -> Counter[str]:
    """A disk that fails or is full, under one kind of load."""
    disk = FaultyDisk(folder)
    kind = chance.choice(SEEN_TO_GO_ON)
    workload = kind(chance)
    writes, syncs = chance.choice(((errno.ENOSPC, 0), (errno.EIO, 0), (0, errno.EIO)))
    broker = start(folder, kind, variables=disk.variables)
    with watched(broker):
        workload.declare(broker)
        how = lead_life_on(disk, broker, workload, writes, syncs, chance.randrange(60))
    return Counter({f"{errno.errorcode[writes or syncs]} from {'writes' if writes else 'syncs'}: {how}": 1})


def full(folder: Path, chance: random.Random) -> Counter[str]:
    """A file system that becomes full, under one kind of load. Takes root."""
    kind = chance.choice(SEEN_TO_GO_ON)
    end = chance.choice((None, signal.SIGKILL, signal.SIGTERM))
    with SmallDisk(folder, DISK_BYTES) as disk:
        workload = kind(chance)
        broker = start(folder, kind, "--disk-free-limit", "0")
        with watched(broker):
            workload.declare(broker)
            how = lead_life_in(disk, broker, workload, end)
    return Counter({f"{'space came back' if end is None else end.name}: {how}": 1})


def memory(folder: Path, chance: random.Random) -> Counter[str]:
    """No memory, under one kind of load: allocations fail, or the kernel ends the broker, which takes root."""
    kind = chance.choice(WORKLOADS)
    workload = kind(chance)
    room = chance.randrange(64 << 20)
    careless = ("--memory-high-watermark", "1TB")
    if chance.random() < 0.5:
        broker = start(folder, kind, *careless)
        return Counter({f"exit code {_hoarded(broker, workload, partial(limit_addresses, broker, room))}": 1})
    with MemoryGroup(GROUP_BYTES + room) as group:
        broker = start(folder, kind, *careless, within=group.within)
        return Counter({f"exit code {_hoarded(broker, workload, lambda: None)}": 1})


def _hoarded(broker: BrokerProcess, workload: Workload, restrict: Callable[[], None]) -> int:
    with watched(broker):
        workload.declare(broker)
        end = end_by_hoarding(broker, workload, restrict)
    assert end == -signal.SIGKILL or (end == 1 and re.search("out of memory|store failed", broker.stderr))
    return end


def wires(folder: Path, chance: random.Random) -> Counter[str]:
    """Packets that are lost, and connections that stall, go on and are reset, under one kind of load. Takes root."""
    kind = chance.choice(SEEN_OVER_AMQP)
    with Wire(chance) as wire:
        broker = start(folder, kind, "--host", wire.address, "--loopback-users", "none", within=wire.within)
        broker.host = wire.address
        with watched(broker):
            workload = kind(chance)
            workload.declare(broker)
            for _ in range(LIVES):
                _trouble(wire, broker, workload)
    return Counter({f"resets under {kind.__name__}": LIVES})


def _trouble(wire: Wire, broker: BrokerProcess, workload: Workload) -> None:
    """Lose packets, some of them or all for a while, then the connections; see what is there."""
    clients = put_to_work(broker, workload)
    wire.loss = workload.chance.uniform(0, 0.1)
    time.sleep(workload.chance.uniform(0, 1))
    if workload.chance.random() < 0.5:
        wire.cut()
        time.sleep(workload.chance.uniform(0, 2))
    if workload.chance.random() < 0.5:
        wire.mend()
        await_progress(workload)
        assert [None] * len(clients) == [client.end for client in clients]
    wire.mend()
    wire.reset(broker.port)
    bury(clients)
    workload.check(broker, ended_well=False)


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
    with watched(broker):
        asyncio.run(_come_twice(broker))
        connection = connect(broker)
        connection.channel().call("queue.declare", queue="q")
        connection.close()
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
    "full": Trial(full, 100, 1, "a file system without space (takes root)"),
    "wires": Trial(wires, 100, LIVES, "packets that get lost, stalls and resets in a network of two (takes root)"),
    "memory": Trial(memory, 100, 1, "no memory: failing allocations, and the kernel's end of a process (takes root)"),
    "flips": Trial(flips, 500, FLIPS, "a flipped bit, a lost sector or a cut in a file of the data folder"),
    "crowds": Trial(crowds, CROWD, CROWD, "clients that reconnect at once after the broker was killed"),
    "failpoints": Trial(failures, 300, 1, "death, a full disk, a broken disk, or a pause at a step of a commit"),
}

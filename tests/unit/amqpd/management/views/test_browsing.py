"""Messages are looked at, and taken out of the middle of a queue, while others do the same."""

import asyncio
from collections.abc import Callable

import pytest

from amqpd.broker import browse
from amqpd.broker.browse import SECTION_RECORDS
from amqpd.broker.queue import Queue
from amqpd.management.views.browsing import section_behind
from helpers.core import Core, declare
from persistence.memory import MemoryStore, MemoryTables
from persistence.store import Log, StoredRecord, Window


class InterruptedStore(MemoryStore):
    """Something happens between a read and what its reader makes of it."""

    def __init__(self, messages: MemoryTables) -> None:
        super().__init__(messages)
        self.tables = messages
        self.interruptions: list[Callable[[], None]] = []

    def reopen(self) -> MemoryStore:
        return InterruptedStore(self.tables)

    def read(self, log: Log, window: Window) -> list[StoredRecord]:
        found = super().read(log, window)
        if self.interruptions:
            self.interruptions.pop()()
        return found


def on_disk(core: Core, **expirations: str) -> Core:
    """The broker after a restart with messages of these bodies in the queue `q`."""
    for body, expiration in expirations.items():
        core.channel().publish("", "q", body.encode(), delivery_mode=2, expiration=expiration)
    core.settle()
    return core.restart()


async def withdrawn(queue: Queue, body: bytes) -> int:
    """How many messages with this body were taken out of the queue."""
    position, count = browse.START, 0
    while step := await section_behind(queue, position):
        section, entries = step
        position = section.end
        count += sum([browse.withdraw(queue, section, entry) for entry in entries if entry.message.body == body])
    return count


def left(core: Core, *names: str) -> list[list[bytes]]:
    """What queues hold after a restart, one after the other."""
    core.commit()
    core = core.restart()
    channel = core.channel()
    found: list[list[bytes]] = [[] for _ in names]
    for name, bodies in zip(names, found, strict=True):
        while got := channel.get(core.vhost.queues[name]):
            bodies.append(got[1])
    return found


@pytest.mark.parametrize(("other", "count", "rest"), [(b"a", 0, [b"b", b"c"]), (b"b", 1, [b"c"])])
def test_two_who_withdraw_from_one_window(other: bytes, count: int, rest: list[bytes]) -> None:
    """What one took out while the other read is neither there again nor taken out twice."""
    core = Core(store=InterruptedStore(MemoryTables()))
    declare(core, "q")
    core = on_disk(core, a="100000", b="100000", c="100000")
    queue, store = core.vhost.queues["q"], core.store
    assert isinstance(store, InterruptedStore)

    store.interruptions.append(lambda: assert_equal(1, asyncio.run(withdrawn(queue, other))))
    assert count == asyncio.run(withdrawn(queue, b"a"))

    assert (len(rest), [rest]) == (queue.ready.count, left(core, "q"))


def assert_equal(expected: object, actual: object) -> None:
    """Where a statement cannot stand."""
    assert expected == actual


def test_what_expires_while_others_read_expires_once() -> None:
    """A window that was sifted during a read is read again before anything is taken out of it."""
    core = Core(store=InterruptedStore(MemoryTables()))
    declare(core, "dead")
    declare(core, "q", x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    core = on_disk(core, early="10", late="100000", last="100000")
    queue, store = core.vhost.queues["q"], core.store
    assert isinstance(store, InterruptedStore)

    def expire() -> None:
        core.broker.clock.now += 100
        core.broker.agenda.run(core.broker.clock.now)
        core.pages.read()
        core.commit()

    store.interruptions.append(expire)
    assert 1 == asyncio.run(withdrawn(queue, b"late"))

    assert [[b"last"], [b"early"]] == left(core, "q", "dead")


def test_a_backlog_in_memory_is_looked_at_in_parts() -> None:
    """No section is long, none is left out, and what came back is in its place."""
    core = Core()
    queue = declare(core, "q")
    channel = core.channel()
    channel.publish_many("q", [b"%04d" % number for number in range(3 * SECTION_RECORDS)])
    for _ in range(3):
        channel.get(queue)
    channel.session.nack(2, False, True)

    async def looked_at() -> list[list[int]]:
        position, found = browse.START, []
        while step := await section_behind(queue, position):
            section, entries = step
            position = section.end
            found.append([int(entry.message.body) for entry in entries])
        return found

    parts = asyncio.run(looked_at())
    assert [1, *range(3, 3 * SECTION_RECORDS)] == [number for part in parts for number in part]
    assert [SECTION_RECORDS, SECTION_RECORDS, SECTION_RECORDS - 2] == [len(part) for part in parts]


def test_others_have_their_turn_between_sections() -> None:
    """A walk through a queue lets go of the loop before each section."""
    core = Core()
    queue = declare(core, "q")
    core.channel().publish_many("q", [b"x"] * 3 * SECTION_RECORDS)
    turns: list[int] = []

    async def walk() -> None:
        position = browse.START
        asyncio.get_running_loop().call_soon(turns.append, 0)
        while step := await section_behind(queue, position):
            position = step[0].end
            turns.append(-1)
            asyncio.get_running_loop().call_soon(turns.append, position.sequence)

    asyncio.run(walk())
    assert 3 == turns.count(-1)
    assert -1 not in turns[0::2]

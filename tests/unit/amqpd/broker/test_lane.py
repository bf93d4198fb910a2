"""What a queue keeps in memory, and what on disk only."""

import pytest

from amqpd.broker.lane import HEAD_BYTES, HEAD_RECORDS
from amqpd.broker.queue import Queue
from helpers.core import Core, CoreChannel, declare
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS

COUNT = 3 * HEAD_RECORDS
LIMIT = 1_000_000


def numbered(count: int, size: int = 10, first: int = 0) -> list[bytes]:
    """Bodies that begin with their numbers."""
    return [b"%010d" % number + bytes(size - 10) for number in range(first, first + count)]


def filled(core: Core, count: int, size: int = 10, **properties: object) -> tuple[Queue, CoreChannel]:
    """A durable queue with a backlog that was committed in parts, and the channel that published it."""
    queue = declare(core, "q")
    channel = core.channel()
    for first in range(0, count, 1000):
        channel.publish_many("q", numbered(min(1000, count - first), size, first), **properties)
        core.commit()
    return queue, channel


def drained(core: Core, queue: Queue, *, no_ack: bool = False) -> list[int]:
    """The numbers of all messages, in the order in which a consumer gets them."""
    channel = core.channel()
    channel.consume(queue, no_ack=no_ack)
    numbers: list[int] = []
    count = -1
    while len(numbers) > count:
        count = len(numbers)
        core.settle()
        numbers += [int(body[:10]) for body in channel.bodies()]
        channel.session.ack(0, True)
        channel.flow.open()
    return numbers


@pytest.mark.parametrize("no_ack", [True, False])
def test_a_persistent_backlog_lies_on_disk(no_ack: bool) -> None:
    """Beyond the head only windows are kept; a consumer gets everything in order."""
    core = Core()
    queue, _ = filled(core, COUNT, delivery_mode=2)

    assert len(queue.lane.head) <= HEAD_RECORDS + CHUNK_RECORDS
    assert len(queue.lane.windows) > 0
    assert queue.ready.count == COUNT
    assert list(range(COUNT)) == drained(core, queue, no_ack=no_ack)
    assert (0, 0, 0) == (queue.ready.count, queue.ready.size(), core.broker.memory.resident)


def test_large_messages_fill_the_head_sooner() -> None:
    """Memory is bounded by bytes as well as by number."""
    core = Core()
    queue, _ = filled(core, 3000, 5000, delivery_mode=2)

    assert core.broker.memory.resident <= HEAD_BYTES + CHUNK_BYTES
    assert queue.ready.size() == 3000 * 5000
    assert list(range(3000)) == drained(core, queue)


def test_large_messages_that_are_read_back_fill_the_head_sooner() -> None:
    """Who takes one at a time finds the next ones in memory, but no more of them than the head may hold."""
    core = Core()
    size, count = HEAD_BYTES // 16, 60
    filled(core, count, size, delivery_mode=2)
    core = core.restart()
    queue, channel = core.vhost.queues["q"], core.channel()

    for number in range(count):
        got = channel.get(queue, no_ack=True)
        core.settle()
        assert got == (number + 1, numbered(1, size, number)[0])
        assert min(16, count - number - 1) == len(queue.lane.head)


def test_transient_messages_stay_in_memory_while_there_is_enough() -> None:
    """Disk is for those that ask for it."""
    core = Core()
    queue, _ = filled(core, COUNT)

    assert (0, COUNT * 10) == (len(queue.lane.windows), core.broker.memory.resident)
    assert not core.store.has_work()


def test_transient_messages_are_spilled_under_pressure() -> None:
    """Above the memory limit they go to disk too, in order, and are gone after a restart."""
    core = Core(LIMIT)
    queue, _ = filled(core, COUNT, 1000)
    core.broker.relieve_memory()
    core.commit()

    assert core.broker.memory.resident <= HEAD_BYTES + CHUNK_BYTES
    assert core.restart().vhost.queues["q"].ready.count == 0
    assert list(range(COUNT)) == drained(core, queue)


def test_mixed_messages_keep_their_order() -> None:
    """Persistent and transient ones share the queue, whichever of them lie on disk."""
    core = Core(LIMIT)
    queue = declare(core, "q")
    channel = core.channel()
    for first in range(0, 12_000, 100):
        channel.publish_many("q", numbered(100, 300, first), delivery_mode=1 + first // 100 % 2)
        if first % 700 == 0:
            core.commit()
            core.broker.relieve_memory()
    core.settle()
    core.broker.relieve_memory()
    core.settle()

    assert core.broker.memory.resident <= HEAD_BYTES + CHUNK_BYTES
    assert list(range(12_000)) == drained(core, queue)


def test_publishing_goes_on_behind_the_windows() -> None:
    """New messages come after everything on disk, while the head is taken from."""
    core = Core()
    queue, channel = filled(core, COUNT, delivery_mode=2)
    numbers = [int(got[1][:10]) for got in [channel.get(queue, no_ack=True) for _ in range(HEAD_RECORDS)] if got]
    channel.publish_many("q", numbered(5000, 10, COUNT), delivery_mode=2)
    core.commit()
    channel.publish_many("q", numbered(5, 10, COUNT + 5000))
    numbers += drained(core, queue)

    assert list(range(COUNT + 5005)) == numbers


def test_what_comes_back_goes_first() -> None:
    """Messages of the head are requeued before those on disk, with their mark of redelivery."""
    core = Core()
    queue, channel = filled(core, COUNT, delivery_mode=2)
    for _ in range(10):
        channel.get(queue)
    channel.session.nack(0, True, True)
    first = queue.get()

    assert first is not None
    assert (True, 1, numbered(1)[0]) == (first.redelivered, first.returns, first.message.body)
    queue.requeue(first)
    assert list(range(COUNT)) == drained(core, queue)


def test_a_get_does_not_wait_for_the_disk() -> None:
    """It reads the page that it needs itself; the answer that comes later is ignored."""
    core = Core()
    queue, channel = filled(core, COUNT, delivery_mode=2)
    numbers = []
    while (got := channel.get(queue, no_ack=True)) is not None:
        numbers.append(int(got[1][:10]))
        if len(numbers) % 1000 == 0:
            core.pages.read()

    assert list(range(COUNT)) == numbers


def test_purging_forgets_what_is_on_disk() -> None:
    """Also a window that is being read; held messages stay, and nothing comes back at the next start."""
    core = Core()
    queue, channel = filled(core, COUNT, delivery_mode=2)
    channel.get(queue)
    for _ in range(HEAD_RECORDS - 100):
        channel.get(queue, no_ack=True)
    assert core.pages.requests
    left = COUNT - 1 - (HEAD_RECORDS - 100)

    assert left == queue.purge()
    assert core.pages.read() > 0
    assert (0, 1, 0) == (queue.ready.count, queue.unacked, core.broker.memory.resident)
    core.commit()
    restarted = core.restart()
    assert restarted.vhost.queues["q"].ready.count == 1
    channel.publish_many("q", numbered(3), delivery_mode=2)
    channel.session.ack(1, False)
    assert [0, 1, 2] == drained(core, queue)


def test_a_backlog_survives_a_restart() -> None:
    """It is not read at the start, but in order when it is asked for."""
    core = Core()
    filled(core, COUNT, delivery_mode=2)
    restarted = core.restart()
    queue = restarted.vhost.queues["q"]

    assert (COUNT, 0) == (queue.ready.count, restarted.broker.memory.resident)
    assert list(range(COUNT)) == drained(restarted, queue)


def test_what_was_settled_is_gone_after_a_restart() -> None:
    """Acknowledged messages do not come back; those that were held do, marked by their returns."""
    core = Core()
    queue, channel = filled(core, 10, delivery_mode=2)
    for _ in range(4):
        channel.get(queue)
    channel.session.ack(2, True)
    channel.session.nack(3, False, True)
    core.commit()
    restarted = core.restart()
    queue = restarted.vhost.queues["q"]
    first = queue.get()

    assert first is not None
    assert (True, 2) == (first.redelivered, int(first.message.body))
    assert [3, 4, 5, 6, 7, 8, 9] == drained(restarted, queue)


def test_sequences_are_not_reused_after_a_restart() -> None:
    """What is published after a restart comes behind what was there (invariant 3 of queues)."""
    core = Core()
    filled(core, 3, delivery_mode=2)
    restarted = core.restart()
    restarted.channel().publish_many("q", numbered(3, 10, 3), delivery_mode=2)
    restarted.commit()
    again = restarted.restart()

    assert list(range(6)) == drained(again, again.vhost.queues["q"])


@pytest.mark.parametrize("purges", [False, True])
def test_a_window_has_all_of_a_chunk_that_begins_with_what_is_gone(purges: bool) -> None:
    """A message that expires while its batch is written takes nothing along of those that it was packed with."""
    core = Core()
    queue, channel = filled(core, HEAD_RECORDS, delivery_mode=2)
    channel.publish("", "q", delivery_mode=2, expiration="1000")
    channel.publish_many("q", numbered(10, 10, HEAD_RECORDS), delivery_mode=2)
    batch = core.store.close_batch()
    assert batch is not None
    core.store.apply(batch)
    core.broker.clock.now += 1000
    core.broker.agenda.run(core.broker.clock.now)
    core.store.committed(batch)

    assert [10] == [window.count for window in queue.lane.windows]
    if purges:
        queue.purge()
        core.commit()
        assert core.restart().vhost.queues["q"].ready.count == 0
    else:
        assert list(range(HEAD_RECORDS + 10)) == drained(core, queue)


def test_every_priority_has_its_lane() -> None:
    """Each is paged out by itself; higher ones come first even if they lie on disk."""
    core = Core()
    queue = declare(core, "q", x_max_priority=3)
    channel = core.channel()
    for number in range(3):
        for priority in (0, 9, 1):
            channel.publish_many("q", numbered(5000, 10, number * 5000), delivery_mode=2, priority=priority)
            core.commit()

    assert [3, 1, 0] == [lane.log.lane for lane in queue.ready.order]
    assert all(lane.windows for lane in queue.ready.order)
    assert list(range(15_000)) * 3 == drained(core, queue)


def test_a_deleted_queue_leaves_nothing() -> None:
    """Neither on disk nor in memory, whatever is still on its way."""
    core = Core()
    queue, channel = filled(core, COUNT, delivery_mode=2)
    channel.get(queue)
    channel.publish_many("q", numbered(10), delivery_mode=2)
    core.vhost.delete_queue(queue)
    channel.session.ack(1, False)
    core.settle()

    assert core.broker.memory.resident == 0
    assert {} == core.store.recover({queue.id})


def test_shared_bodies_are_read_back() -> None:
    """A large body of several queues is stored once and found by each of them."""
    core = Core()
    for name in ("a", "b"):
        declare(core, name)
        core.vhost.bind(core.vhost.exchanges["amq.fanout"], name, "", b"")
    core.channel().publish("amq.fanout", "", bytes(10_000), delivery_mode=2)
    core.commit()
    restarted = core.restart()

    for name in ("a", "b"):
        got = restarted.channel().get(restarted.vhost.queues[name])
        assert got == (1, bytes(10_000))


def test_a_trickle_into_many_queues_leaves_memory_like_any_backlog() -> None:
    """Messages that share chunks with those of other queues are moved before they are put away, and stay in order."""
    core = Core()
    channel = core.channel()
    queues = [declare(core, f"q{number}") for number in range(6)]
    size, count = HEAD_BYTES // 40, 60
    for number in range(count):
        for queue in queues:
            channel.publish_many(queue.name, numbered(1, size, number), delivery_mode=2)
        core.commit()
    core.commit()

    assert all(len(queue.lane.windows) > 0 for queue in queues)
    assert core.broker.memory.resident < len(queues) * (HEAD_BYTES + size)
    assert [list(range(count))] * 6 == [drained(core, queue) for queue in queues]
    core.commit()
    assert not core.store._mixer._sizes


def test_a_backlog_of_many_queues_survives_a_restart_in_order() -> None:
    """A trickle, a flood and a trickle again: each queue has all of it as it came."""
    core = Core()
    channel = core.channel()
    queues = [declare(core, f"q{number}") for number in range(6)]
    first = 0
    for each in (1, 1, 30, 1, 5000, 1, 1):
        for queue in queues:
            channel.publish_many(queue.name, numbered(each, 10, first), delivery_mode=2)
        core.commit()
        first += each
    again = core.restart()

    assert [list(range(first))] * 6 == [drained(again, again.vhost.queues[queue.name]) for queue in queues]


def test_a_deleted_queue_leaves_the_chunks_that_it_shared() -> None:
    """What it had ready, and what comes back to it afterwards, keeps no space that others could use."""
    core = Core()
    channel = core.channel()
    queues = [declare(core, f"q{number}") for number in range(6)]
    for queue in queues:
        channel.publish_many(queue.name, numbered(2), delivery_mode=2)
    core.commit()
    consumer = core.channel()
    consumer.session.prefetch = 1
    for queue in queues:
        consumer.consume(queue, tag=queue.name)
    core.settle()
    for queue in queues:
        core.vhost.delete_queue(queue)
    consumer.session.nack(0, True, True)
    core.commit()

    assert not core.store._mixer._sizes

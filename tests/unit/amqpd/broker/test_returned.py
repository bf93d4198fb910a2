"""What becomes of a backlog that a consumer had taken and gives back."""

import pytest

from amqpd.broker.browse import START, entries_of, next_section
from amqpd.broker.lane import HEAD_BYTES, HEAD_RECORDS
from amqpd.broker.queue import Queue
from amqpd.broker.returned import HEAVY
from amqpd.broker.window_deadlines import SLACK
from helpers.core import Core, CoreChannel, declare
from persistence.store import CHUNK_RECORDS, MAX_RETURNS

COUNT = 3 * HEAD_RECORDS
SIZE = 500
BOUND = HEAD_BYTES + HEAVY


def publish(core: Core, numbers: range, **properties: object) -> Queue:
    """A durable queue with messages of these numbers, committed."""
    queue = core.vhost.queues.get("q") or declare(core, "q")
    core.channel().publish_many("q", [b"%010d" % number * (SIZE // 10) for number in numbers], **properties)
    core.commit()
    return queue


def take(core: Core, queue: Queue, count: int, channels: int = 1) -> list[CoreChannel]:
    """Channels that hold so many messages in turn."""
    holders = [core.channel() for _ in range(channels)]
    for number in range(count):
        holders[number % channels].get(queue)
    return holders


def looked_at(core: Core, queue: Queue) -> list[int]:
    """The numbers of all messages that are ready, without taking them."""
    position, seen = START, list[int]()
    while (section := next_section(queue, position)) is not None:
        entries = section.entries
        if section.window is not None:
            found = core.store.read(section.lane.log, section.window)
            entries = entries_of(queue, found, position)
        seen += [int(entry.message.body[:10]) for entry in entries]
        position = section.end
    return seen


def drained(core: Core, queue: Queue) -> list[tuple[int, bool, int]]:
    """Number, redelivery and returns of each message, in their order."""
    found: list[tuple[int, bool, int]] = []
    while queue.ready.count:
        entry = queue.get()
        core.settle()
        if entry is not None:
            found.append((int(entry.message.body[:10]), entry.redelivered, entry.returns))
            queue.settle(entry)
    core.commit()
    return found


def test_what_a_consumer_held_goes_back_to_disk() -> None:
    """Memory holds a head of it; all of it comes again, in order, once, and as redelivered."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (holder,) = take(core, queue, COUNT)
    core.commit()
    holder.session.close()
    assert core.broker.memory.resident == COUNT * SIZE
    core.commit()

    assert queue.ready.resident() <= HEAD_RECORDS + CHUNK_RECORDS
    assert core.broker.memory.resident <= BOUND
    assert (COUNT, COUNT * SIZE) == (queue.ready.count, queue.ready.size())
    assert list(range(COUNT)) == looked_at(core, queue)
    assert [(number, True, 1) for number in range(COUNT)] == drained(core, queue)
    assert (0, 0) == (queue.ready.size(), core.broker.memory.resident)
    assert core.restart().vhost.queues["q"].ready.count == 0


def test_what_came_back_survives_a_restart() -> None:
    """With its mark of redelivery, whichever of it is on disk only."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (holder,) = take(core, queue, COUNT)
    holder.session.close()
    core.commit()
    core = core.restart()

    assert [(number, True, 1) for number in range(COUNT)] == drained(core, core.vhost.queues["q"])


def test_what_comes_later_goes_behind_it() -> None:
    """The messages that were ready, and new ones, keep their places."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (holder,) = take(core, queue, COUNT)
    publish(core, range(COUNT, COUNT + 3000), delivery_mode=2)
    holder.session.close()
    core.commit()
    publish(core, range(COUNT + 3000, COUNT + 3100), delivery_mode=2)

    assert [(number, number < COUNT, int(number < COUNT)) for number in range(COUNT + 3100)] == drained(core, queue)


def test_neighbours_of_what_is_held_wait_in_memory() -> None:
    """A chunk is not divided between memory and disk: it goes with the last of its messages that comes back."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    first, second = take(core, queue, COUNT, 2)
    first.session.close()
    core.commit()
    assert COUNT // 2 == queue.ready.resident()
    second.session.close()
    core.commit()

    assert core.broker.memory.resident <= BOUND
    assert [(number, True, 1) for number in range(COUNT)] == drained(core, queue)


def test_a_chunk_that_comes_back_last_is_delivered_in_its_place() -> None:
    """Behind what is on disk before it, and before what is on disk behind it."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (early,) = take(core, queue, HEAD_RECORDS + 4 * CHUNK_RECORDS)
    (middle,) = take(core, queue, 3 * CHUNK_RECORDS)
    (late,) = take(core, queue, COUNT - HEAD_RECORDS - 7 * CHUNK_RECORDS)
    for holder in (early, late, middle):
        holder.session.close()
        core.commit()

    assert list(range(COUNT)) == looked_at(core, queue)
    assert [(number, True, 1) for number in range(COUNT)] == drained(core, queue)


def test_purging_leaves_what_is_held() -> None:
    """What lies on disk between two parts that came back is not deleted with them."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (early,) = take(core, queue, HEAD_RECORDS + 4 * CHUNK_RECORDS)
    take(core, queue, CHUNK_RECORDS)
    (late,) = take(core, queue, COUNT - HEAD_RECORDS - 5 * CHUNK_RECORDS)
    early.session.close()
    late.session.close()
    core.commit()
    assert queue.lane.windows
    assert COUNT - CHUNK_RECORDS == queue.purge()
    core.commit()

    kept = range(HEAD_RECORDS + 4 * CHUNK_RECORDS, HEAD_RECORDS + 5 * CHUNK_RECORDS)
    core = core.restart()
    assert list(kept) == looked_at(core, core.vhost.queues["q"])


def test_transient_messages_among_them_keep_their_places() -> None:
    """They come back into memory, also in the middle of what is on disk."""
    core = Core()
    for first in range(0, COUNT, 10):
        publish(core, range(first, first + 9), delivery_mode=2)
        publish(core, range(first + 9, first + 10))
    queue = core.vhost.queues["q"]
    holder, other = core.channel(), core.channel()
    for number in range(queue.ready.count):
        (other if number % 10 == 9 else holder).get(queue)
    for channel in (holder, other):
        channel.session.close()
        core.commit()

    assert queue.lane.windows
    numbers = list(range(COUNT // 10 * 10 + 10))
    assert numbers == looked_at(core, queue)
    assert numbers == [number for number, _, _ in drained(core, queue)]


def test_what_expires_on_disk_is_found() -> None:
    """Deadlines hold for what came back and was put away."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2, expiration="5000")
    (holder,) = take(core, queue, COUNT)
    holder.session.close()
    core.commit()
    assert queue.lane.windows
    for _ in range(60):
        core.broker.clock.now += 1000
        core.broker.agenda.run(core.broker.clock.now)
        core.settle()

    assert (0, 0, 0) == (queue.ready.count, queue.ready.size(), core.broker.memory.resident)


def test_what_comes_back_waits_for_the_page_that_was_asked_for() -> None:
    """What is being read is not the next page any more once older messages are put away: they are when it came."""
    core = Core()
    queue = publish(core, range(2 * COUNT), delivery_mode=2)
    (holder,) = take(core, queue, COUNT)
    core.settle()
    (rest,) = take(core, queue, queue.ready.resident())
    held = len(holder.session.ledger.unacked) + len(rest.session.ledger.unacked)
    assert (0, True) == (queue.ready.resident(), queue.lane.awaited is not None)
    holder.session.close()
    rest.session.close()
    core.commit()
    assert held == queue.ready.resident()
    core.settle()

    assert queue.ready.resident() <= HEAD_RECORDS + CHUNK_RECORDS
    expected = [(number, number < held, int(number < held)) for number in range(2 * COUNT)]
    assert expected == drained(core, queue)


def test_what_is_not_on_disk_yet_follows() -> None:
    """Messages that were delivered and came back before their commit are put away with it."""
    core = Core()
    queue = declare(core, "q")
    consumer = core.channel()
    consumer.consume(queue)
    core.channel().publish_many("q", [b"%010d" % number * (SIZE // 10) for number in range(COUNT)], delivery_mode=2)
    while queue.ready.count:
        core.finish()
        consumer.flow.open()
    consumer.session.close()
    assert COUNT == queue.ready.resident()
    core.commit()

    assert queue.ready.resident() <= HEAD_RECORDS + CHUNK_RECORDS
    assert [(number, True, 1) for number in range(COUNT)] == drained(core, queue)


@pytest.mark.parametrize("is_acked", [False, True])
def test_what_was_stuck_leaves_memory_when_its_neighbours_are_settled(is_acked: bool) -> None:
    """Few held messages keep many in memory, but no longer than they are held."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    most, few = core.channel(), core.channel()
    last = 0
    for number in range(COUNT):
        got = (most if number % 200 else few).get(queue)
        if got is not None and not number % 200:
            last = got[0]
    most.session.close()
    core.commit()
    assert COUNT - COUNT // 200 - 1 == queue.ready.resident()
    if is_acked:
        few.session.ack(last, True)
    else:
        few.session.close()
    core.commit()
    core.commit()

    assert queue.ready.resident() <= HEAD_RECORDS + CHUNK_RECORDS
    assert [n for n in range(COUNT) if n % 200 or not is_acked] == [number for number, _, _ in drained(core, queue)]


def test_large_messages_behind_it_keep_their_order() -> None:
    """What does not fit the head any more is not put behind what is younger."""
    core = Core()
    queue = publish(core, range(4000), delivery_mode=2)
    (holder,) = take(core, queue, 4000)
    core.commit()
    holder.session.close()
    core.channel().publish_many("q", [b"%010d" % number * 20_000 for number in range(4000, 4100)], delivery_mode=2)
    queue.page_out()
    core.commit()

    assert list(range(4100)) == [number for number, _, _ in drained(core, queue)]


def test_what_came_back_more_often_than_the_disk_can_count_stays() -> None:
    """A limit of deliveries is reached all the same."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2)
    (holder,) = take(core, queue, COUNT)
    for entry in holder.session.ledger.unacked.values():
        entry.returns = MAX_RETURNS
    holder.session.close()
    core.commit()

    assert COUNT == queue.ready.resident()
    assert [(number, True, MAX_RETURNS + 1) for number in range(COUNT)] == drained(core, queue)


def test_deadlines_of_windows_that_are_gone_are_forgotten() -> None:
    """However often a backlog is taken and comes back."""
    core = Core()
    queue = publish(core, range(COUNT), delivery_mode=2, expiration="86400000")
    for _ in range(8):
        (holder,) = take(core, queue, COUNT)
        holder.session.close()
        core.commit()

    assert queue.lane.windows
    assert len(queue.lane._deadlines.heap) <= 3 * len(queue.lane.windows) + SLACK

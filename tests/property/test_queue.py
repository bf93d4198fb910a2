"""A queue against a sorted list: whatever comes, goes, comes back, is paged out and survives a crash."""

from bisect import insort
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from amqpd.broker.browse import START, entries_of, next_section
from amqpd.broker.queue import Queue
from helpers.core import Core, CoreChannel, declare

BURSTS = st.sampled_from([1, 3, 300, 1500, 5000])
SIZES = st.sampled_from([10, 10, 2000])
PERSISTENT = 2
Item = tuple[int, int, bool]
"""Falling priority, number and persistence: the order of a queue."""


class QueueMachine(RuleBasedStateMachine):
    """Random use of one durable queue by one channel, under little memory."""

    arguments: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.core = Core(memory_limit=1_000_000)
        declare(self.core, "q", durable=True, auto_delete=False, **self.arguments)
        self.channel = self.core.channel()
        self.ready: list[Item] = []
        self.held: dict[int, Item] = {}
        self.last = 0

    @property
    def queue(self) -> Queue:
        """The queue, which a restart replaces."""
        return self.core.vhost.queues["q"]

    @rule(count=BURSTS, size=SIZES, is_persistent=st.booleans(), priority=st.sampled_from([0, 0, 3, 9]))
    def publish(self, count: int, size: int, is_persistent: bool, priority: int) -> None:
        """Some messages of one kind."""
        bodies = []
        level = min(priority, int(str(self.arguments.get("x_max_priority", 0))))
        for _ in range(count):
            self.last += 1
            bodies.append((b"%010d" % self.last) * (size // 10))
            insort(self.ready, (-level, self.last, is_persistent))
        mode = PERSISTENT if is_persistent else 1
        self.channel.publish_many("q", bodies, delivery_mode=mode, priority=priority)

    @rule(count=st.sampled_from([1, 2, 100, 3000]), no_ack=st.booleans())
    def get(self, count: int, no_ack: bool) -> None:
        """Some messages, each of them the next one."""
        for item in self.ready[:count]:
            assert self._number(no_ack) == item[1]
            if not no_ack:
                self.held[max(self.channel.session.ledger.unacked)] = item
        del self.ready[:count]

    def _number(self, no_ack: bool) -> int:
        got = self.channel.get(self.queue, no_ack=no_ack)
        assert got is not None
        return int(got[1][:10])

    @rule()
    @precondition(lambda self: not self.ready)
    def get_nothing(self) -> None:
        """An empty queue gives nothing."""
        assert self.channel.get(self.queue) is None

    @rule(data=st.data(), is_acked=st.booleans())
    @precondition(lambda self: self.held)
    def settle_one(self, data: st.DataObject, is_acked: bool) -> None:
        """One message is acknowledged or rejected."""
        tag = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[tag]
        if is_acked:
            self.channel.session.ack(tag, False)
        else:
            self.channel.session.nack(tag, False, False)

    @rule(data=st.data(), is_acked=st.booleans())
    @precondition(lambda self: self.held)
    def settle_many(self, data: st.DataObject, is_acked: bool) -> None:
        """All messages up to one are acknowledged, or come back."""
        last = data.draw(st.sampled_from(sorted(self.held)))
        tags = [tag for tag in self.held if tag <= last]
        for tag in tags:
            item = self.held.pop(tag)
            if not is_acked:
                insort(self.ready, item)
        if is_acked:
            self.channel.session.ack(last, True)
        else:
            self.channel.session.nack(last, True, True)

    @rule(step=st.sampled_from([2, 7, 1000]))
    def give_back(self, step: int) -> None:
        """Some come back whose neighbours do not."""
        for tag in sorted(self.held)[::step]:
            insort(self.ready, self.held.pop(tag))
            self.channel.session.nack(tag, False, True)

    @rule()
    def look(self) -> None:
        """Who looks through the queue sees each message once, in order."""
        self.core.pages.read()
        position, seen = START, list[int]()
        while (section := next_section(self.queue, position)) is not None:
            entries = section.entries
            if section.window is not None:
                found = self.core.store.read(section.lane.log, section.window)
                same = position.priority == section.end.priority
                entries = entries_of(self.queue, found, position if same else START)
            seen += [int(entry.message.body[:10]) for entry in entries]
            position = section.end
        assert [number for _, number, _ in self.ready] == seen

    @rule()
    def purge(self) -> None:
        """All that is ready goes."""
        assert len(self.ready) == self.queue.purge()
        self.ready.clear()

    @rule()
    def commit(self) -> None:
        """What can leave memory does."""
        self.core.commit()

    @rule()
    def read_pages(self) -> None:
        """The disk answers."""
        self.core.pages.read()

    @rule()
    def relieve(self) -> None:
        """Memory is short."""
        self.core.broker.relieve_memory()
        self.core.commit()

    @rule()
    def new_channel(self) -> None:
        """What the channel held comes back."""
        self.channel.session.close()
        self.channel = self.core.channel()
        self._come_back()

    def _come_back(self) -> None:
        for item in self.held.values():
            insort(self.ready, item)
        self.held.clear()

    @rule()
    def crash(self) -> None:
        """Persistent messages survive, delivered or not."""
        self.core.commit()
        self.core = self.core.restart()
        self.channel = CoreChannel(self.core, self.core.client())
        self._come_back()
        self.ready = [item for item in self.ready if item[2]]

    @invariant()
    def counts(self) -> None:
        """The numbers of ready and of unacknowledged messages are exact."""
        assert len(self.ready) == self.queue.ready.count
        assert len(self.held) == self.queue.unacked

    def teardown(self) -> None:
        """In the end all of it comes in order, and memory is empty."""
        while self.ready:
            self.get(5000, True)
            self.core.commit()
        self.held.clear()
        self.channel.session.close()
        self.queue.purge()
        assert self.core.broker.memory.resident == 0


class PriorityQueueMachine(QueueMachine):
    """The same with three levels of priority."""

    arguments: ClassVar[dict[str, object]] = {"x_max_priority": 5}


BRIEFLY = settings(max_examples=12, stateful_step_count=15)


def test_queue_is_a_list() -> None:
    """Messages leave in the order in which they came, those that come back in their places."""
    run_state_machine_as_test(QueueMachine, settings=BRIEFLY)


def test_priority_queue_is_a_sorted_list() -> None:
    """Higher priorities leave first, and are clamped to the queue's greatest."""
    run_state_machine_as_test(PriorityQueueMachine, settings=BRIEFLY)

"""Schedules over a store in memory; the numbers are those of the invariants of `amqpd.broker.schedule`."""

import random

import pytest

from amqpd.broker.schedule import DUE_PER_TURN, HEAD_BYTES, HEAD_MESSAGES, REFILL_MESSAGES, Receiver, Schedule
from amqpd.message import Message, address_of, envelope_of
from helpers.client import content_header
from helpers.core import Core
from helpers.stores import examined
from persistence.calendar import BEGINNING, END, PAGE_ROWS

EXCHANGE = 7


class Recipient(Receiver):
    """Keeps what was due."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.routing_keys: list[list[str]] = []

    def message_due(self, message: Message, routing_keys: list[str]) -> None:
        """See `Receiver.message_due`."""
        self.bodies.append(message.body)
        self.routing_keys.append(routing_keys)


class Bench:
    """A schedule, what it gave out, and the core around it."""

    def __init__(self, core: Core | None = None, *, kept: bool = True) -> None:
        self.core = core or Core()
        self.recipient = Recipient()
        self.schedule = Schedule(self.core.broker.setting, EXCHANGE, kept, self.recipient)

    def add(self, due: int, body: bytes = b"", *copies: str) -> None:
        """Hold back one message."""
        message = Message(envelope_of(address_of("x", "key"), content_header(len(body), delivery_mode=2)), body)
        self.schedule.add(due, message, ["key", *copies])

    def run(self, now: int) -> list[bytes]:
        """What is given out until this time, with all that is to be read meanwhile."""
        self.core.broker.clock.now = now
        self.recipient.bodies.clear()
        while 0 < self.core.broker.agenda.next() <= now or self.core.pages.row_requests:
            self.core.broker.agenda.run(now)
            self.core.settle()
        return list(self.recipient.bodies)

    def use_up_head(self, now: int) -> None:
        """Give out what is due, until the next page is asked for."""
        self.core.broker.clock.now = now
        while not self.core.pages.row_requests:
            self.core.broker.agenda.run(now)
        self.core.broker.clock.now = 0

    def restart(self) -> "Bench":
        """The schedule after a crash."""
        core = Core(store=self.core.store.reopen())
        core.store.recover({EXCHANGE})
        return Bench(core)

    def in_memory(self) -> int:
        """How many messages are held in memory."""
        return len(self.schedule._head) + len(self.schedule._fresh)


def test_messages_come_when_they_are_due() -> None:
    """Invariant 1: by due time, not by coming; equals in the order of their coming; none early."""
    bench = Bench()
    for due, body in ((300, b"c"), (100, b"a"), (300, b"d"), (200, b"b")):
        bench.add(due, body)
    assert [] == bench.run(99)
    assert [b"a"] == bench.run(100)
    assert (3, [b"b", b"c", b"d"], 0) == (3, bench.run(300), bench.schedule.count)


def test_routing_keys_are_kept() -> None:
    """Those in CC and BCC too, although BCC is not in the message any more; also on disk."""
    bench = Bench()
    bench.add(100, b"m", "copy", "b\udcff")
    bench.core.commit()
    bench = bench.restart()
    bench.run(100)
    assert [["key", "copy", "b\udcff"]] == bench.recipient.routing_keys


@pytest.mark.parametrize("committing", [1, 700, 100_000])
def test_a_long_schedule_is_on_disk(committing: int) -> None:
    """Invariants 2 and 3: memory holds a head and what is not durable yet; all come in order, however batches were cut."""
    bench = Bench()
    dues = list(range(1, 3 * HEAD_MESSAGES + 1))
    random.Random(1).shuffle(dues)
    for number, due in enumerate(dues):
        bench.add(due, b"%d" % due)
        if number % max(committing, 50) == 0:
            bench.core.commit()
    bench.core.settle()
    assert len(dues) == bench.schedule.count
    assert bench.in_memory() <= HEAD_MESSAGES
    assert [b"%d" % due for due in sorted(dues)] == bench.run(len(dues))
    bench.core.settle()
    assert {"dated rows": 0} == examined(bench.core.store, {EXCHANGE}).counts


def test_a_large_schedule_is_on_disk() -> None:
    """The head is bounded in bytes too, but one message may be larger."""
    bench = Bench()
    for due in (1, 2, 3, 4):
        bench.add(due, b"%d" % due * HEAD_BYTES)
        bench.core.commit()
    assert 1 == len(bench.schedule._head)
    assert [b"1", b"2", b"3", b"4"] == [body[:1] for body in bench.run(5)]


def test_earlier_messages_overtake_those_on_disk() -> None:
    """Invariant 2: whether their place is before the horizon or behind it."""
    bench = Bench()
    for due in range(1000, 1000 + HEAD_MESSAGES + 1):
        bench.add(due)
    bench.core.commit()
    horizon = bench.schedule._horizon[0]
    bench.add(horizon + 1, b"behind")
    bench.add(horizon - 1, b"before")
    bench.add(5, b"first")
    bench.core.commit()
    assert [b"first"] == bench.run(5)
    assert [b"before", b"behind"] == [body for body in bench.run(horizon + 1) if body]


def test_messages_that_are_not_on_disk_yet_are_not_missed() -> None:
    """Invariant 2: a head that was cut has left some of them, which no page has."""
    bench = Bench()
    for due in range(1, HEAD_MESSAGES + 2):
        bench.add(due, b"%d" % due)
    bench.core.broker.clock.now = HEAD_MESSAGES + 1
    while bench.core.broker.agenda.next() or bench.core.pages.row_requests:
        bench.core.broker.agenda.run(HEAD_MESSAGES + 1)
        bench.core.pages.read_rows(bench.core.store)
    assert [b"%d" % due for due in range(1, HEAD_MESSAGES + 2)] == bench.recipient.bodies
    bench.core.settle()
    assert 0 == bench.restart().schedule.count


def test_messages_that_a_page_missed_come_all_the_same() -> None:
    """Invariant 3: the page was read right before their batch committed."""
    bench = Bench()
    for due in range(1, HEAD_MESSAGES + 2):
        bench.add(due)
    bench.core.commit()
    horizon = bench.schedule._horizon[0]
    bench.use_up_head(horizon)
    ((calendar, place),) = bench.core.pages.row_requests
    bench.core.pages.row_requests.clear()
    rows = bench.core.store.read_calendar(calendar, place)
    bench.add(horizon, b"missed")
    bench.core.commit()
    bench.schedule.rows_read(rows)
    assert [b"missed"] == [body for body in bench.run(horizon) if body]


def test_a_page_is_of_no_use_to_a_head_that_was_cut_meanwhile() -> None:
    """Invariant 2: what the cut left to the disk is before the page, and would be skipped."""
    bench = Bench()
    far = 10 * HEAD_MESSAGES
    for due in range(far, far + HEAD_MESSAGES + 1):
        bench.add(due)
    bench.core.commit()
    bench.use_up_head(bench.schedule._horizon[0] - 1)
    left = bench.schedule.count
    for due in range(1, HEAD_MESSAGES + 1):
        bench.add(due)
    for _ in range(2):
        bench.core.broker.agenda.run(HEAD_MESSAGES)
    bench.core.settle()
    given = len(bench.run(far + HEAD_MESSAGES))
    assert (left + HEAD_MESSAGES - 2 * DUE_PER_TURN, 0) == (given, bench.schedule.count)


def test_nothing_is_given_out_twice() -> None:
    """Invariant 4: a clock that was put back can bring the horizon before what was given out and is still on disk."""
    bench = Bench()
    bench.add(2, b"once")
    bench.core.commit()
    bench.core.broker.clock.now = 2
    bench.core.broker.agenda.run(2)
    for _ in range(HEAD_MESSAGES + 1):
        bench.add(1)
    while bench.core.broker.agenda.next() or bench.core.pages.row_requests:
        bench.core.broker.agenda.run(2)
        bench.core.pages.read_rows(bench.core.store)
    assert (1, HEAD_MESSAGES + 2) == (bench.recipient.bodies.count(b"once"), len(bench.recipient.bodies))
    bench.core.commit()
    assert {} == bench.schedule._given


def test_work_is_cut_into_turns() -> None:
    """A crowd that is due at once gives others their turn."""
    bench = Bench()
    for _ in range(DUE_PER_TURN + 1):
        bench.add(5)
    bench.core.broker.clock.now = 5
    bench.core.broker.agenda.run(5)
    assert DUE_PER_TURN == len(bench.recipient.bodies)
    assert 1 == len(bench.run(5))


def test_a_schedule_survives_a_crash() -> None:
    """With its count, in its order; what was given out is not there, what was not committed is lost."""
    bench = Bench()
    for due in (30, 10, 20):
        bench.add(due, b"%d" % due)
    bench.core.commit()
    assert [b"10"] == bench.run(10)
    bench.add(40, b"lost")
    again = bench.restart()
    assert 2 == again.schedule.count
    assert [b"20", b"30"] == again.run(50)


def test_what_is_given_out_is_removed_in_the_same_batch() -> None:
    """Invariant 5: if that batch does not commit, the message is there again."""
    bench = Bench()
    bench.add(10, b"m")
    bench.core.commit()
    bench.core.broker.clock.now = 10
    bench.core.broker.agenda.run(10)
    assert [b"m"] == bench.recipient.bodies
    assert [b"m"] == bench.restart().run(10)


def test_a_schedule_that_is_not_kept_ends_with_the_program() -> None:
    """It pages to disk all the same."""
    bench = Bench(kept=False)
    for due in range(2 * HEAD_MESSAGES):
        bench.add(due + 1, b"%d" % due)
        if due % 500 == 0:
            bench.core.commit()
    bench.core.settle()
    assert bench.in_memory() <= HEAD_MESSAGES
    assert 0 == bench.restart().schedule.count
    assert 2 * HEAD_MESSAGES == len(bench.run(2 * HEAD_MESSAGES + 1))


def test_upcoming_messages_are_shown() -> None:
    """Page by page, in order, as they are on disk."""
    bench = Bench()
    for due in range(PAGE_ROWS + 2, 0, -1):
        bench.add(due, b"%d" % due)
    bench.core.commit()
    page = bench.schedule.upcoming(BEGINNING)
    rest = bench.schedule.upcoming((page[-1].place[0], page[-1].place[1] + 1))
    assert [b"%d" % due for due in range(1, PAGE_ROWS + 3)] == [one.message.body for one in page + rest]
    assert [] == bench.schedule.upcoming(END)


def test_a_dropped_schedule_gives_nothing_out() -> None:
    """Neither what is due, nor what comes from a page that was asked for."""
    bench = Bench()
    for due in range(1, HEAD_MESSAGES + 2):
        bench.add(due)
    bench.core.commit()
    bench.use_up_head(HEAD_MESSAGES - REFILL_MESSAGES)
    bench.core.store.drop_queue(EXCHANGE)
    assert [] == bench.run(HEAD_MESSAGES + 2)
    assert {} == examined(bench.core.store, set()).counts


def listed(bench: Bench) -> list[bytes]:
    """What waits, page by page."""
    place, bodies = BEGINNING, []
    while place < END:
        page = bench.schedule.upcoming(place)
        bodies += [scheduled.message.body for scheduled in bench.schedule.listed(place, page)]
        place = (page[-1].place[0], page[-1].place[1] + 1) if page else END
    return bodies


@pytest.mark.parametrize("kept", [True, False])
def test_what_waits_is_listed(kept: bool) -> None:
    """On disk, in memory or in the open batch, in the order of the times; what was given out is not."""
    bench = Bench(kept=kept)
    for due in range(HEAD_MESSAGES + PAGE_ROWS, 0, -1):
        bench.add(due, b"%d" % due)
    bench.core.settle()
    bench.add(HEAD_MESSAGES + PAGE_ROWS + 1, b"last")
    bench.add(3, b"3 again")
    bench.run(2)
    expected = [b"3", b"3 again", *[b"%d" % due for due in range(4, HEAD_MESSAGES + PAGE_ROWS + 1)], b"last"]
    assert expected == listed(bench)


@pytest.mark.parametrize("is_settled", [True, False])
def test_what_is_cancelled_is_never_given_out(is_settled: bool) -> None:
    """From the head, from disk and from the open batch, also after a crash; a second time there is nothing to cancel."""
    bench = Bench()
    count = HEAD_MESSAGES + 10
    for due in range(1, count + 1):
        bench.add(due, b"%d" % due)
    if is_settled:
        bench.core.settle()
    places = [(due, due - 1 + bench.core.broker.setting.store.first_sequence) for due in (1, 2, HEAD_MESSAGES, count)]
    assert [True] * 4 == [bench.schedule.cancel(place) for place in places]
    assert [False] * 4 == [bench.schedule.cancel(place) for place in places]
    bench.core.settle()
    assert [False] * 4 == [bench.schedule.cancel(place) for place in places]
    left = [b"%d" % due for due in range(3, count) if due != HEAD_MESSAGES]
    assert (len(left), left) == (bench.schedule.count, listed(bench))
    assert left == bench.restart().run(count)


def test_what_was_given_out_cannot_be_cancelled() -> None:
    """Neither before nor after its removal is on disk, and never what was not there."""
    bench = Bench()
    bench.add(5)
    bench.add(6)
    place = (5, bench.core.broker.setting.store.first_sequence)
    bench.core.broker.clock.now = 5
    bench.schedule.due(5)
    before = bench.schedule.cancel(place)
    bench.core.settle()
    assert [False, False, False] == [before, bench.schedule.cancel(place), bench.schedule.cancel((7, 7))]
    assert 1 == bench.schedule.count

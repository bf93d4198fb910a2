"""A schedule against a model: a list of what waits, and a copy of it for every commit."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from amqpd.broker.schedule import HEAD_MESSAGES, Receiver, Schedule
from amqpd.message import Message, address_of, envelope_of
from helpers.client import content_header
from helpers.core import Core
from helpers.stores import examined

EXCHANGE = 7
HORIZON = 100_000


class Recipient(Receiver):
    """Keeps what was due."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def message_due(self, message: Message, routing_keys: list[str]) -> None:
        """See `Receiver.message_due`."""
        self.numbers.append(int(message.body))


class ScheduleMachine(RuleBasedStateMachine):
    """Random operations, with pages that are read at one time and come at another."""

    def __init__(self) -> None:
        super().__init__()
        self.core = Core()
        self.recipient = Recipient()
        self.schedule = Schedule(self.core.broker.setting, EXCHANGE, True, self.recipient)
        self.waiting: dict[int, int] = {}
        """Number → due time."""
        self.committed: dict[int, int] = {}
        self.next_number = 0

    @rule(
        first=st.integers(1, HORIZON),
        step=st.sampled_from([-3, -1, 0, 1, 7]),
        count=st.sampled_from([1, 10, 1000, HEAD_MESSAGES]),
    )
    def add(self, first: int, step: int, count: int) -> None:
        """Some messages."""
        for index in range(count):
            due = max(1, first + step * index)
            body = b"%d" % self.next_number
            message = Message(envelope_of(address_of("x", "k"), content_header(len(body))), body)
            self.schedule.add(due, message, ["k"])
            self.waiting[self.next_number] = due
            self.next_number += 1

    @rule()
    def commit(self) -> None:
        """The open batch comes to disk."""
        self.core.write()
        self.committed = dict(self.waiting)

    @rule()
    @precondition(lambda self: self.core.pages.row_requests)
    def read(self) -> None:
        """The page that was asked for comes at once."""
        self.core.pages.read_rows(self.core.store)
        self._hear()

    @rule()
    @precondition(lambda self: self.core.pages.row_requests)
    def commit_while_reading(self) -> None:
        """The page that was asked for is read before a commit and comes after it."""
        ((calendar, place),) = self.core.pages.row_requests
        self.core.pages.row_requests.clear()
        rows = self.core.store.read_calendar(calendar, place)
        self.commit()
        self.schedule.rows_read(rows)
        self._hear()

    @rule(share=st.floats(0, 1))
    def advance(self, share: float) -> None:
        """Time goes on, and stands still again."""
        now = max(self.core.broker.clock.now, int(HORIZON * share))
        self.core.broker.clock.now = now
        self.core.broker.agenda.run(now)
        self._hear()

    @rule()
    def give_out(self) -> None:
        """All that is due comes, in order."""
        now = self.core.broker.clock.now
        expected = sorted([number for number, due in self.waiting.items() if due <= now], key=lambda n: (self.waiting[n], n))
        while 0 < self.core.broker.agenda.next() <= now or self.core.pages.row_requests:
            self.core.broker.agenda.run(now)
            self.core.pages.read_rows(self.core.store)
        assert expected == self.recipient.numbers
        self._hear()
        assert len(self.waiting) == self.schedule.count

    def _hear(self) -> None:
        """Nothing comes twice, or before its time."""
        for number in self.recipient.numbers:
            assert self.waiting.pop(number) <= self.core.broker.clock.now
        self.recipient.numbers.clear()

    @rule()
    def crash(self) -> None:
        """The program ends and starts again."""
        now = self.core.broker.clock.now
        self.core = Core(store=self.core.store.reopen())
        self.core.broker.clock.now = now
        self.core.store.recover({EXCHANGE})
        self.recipient = Recipient()
        self.schedule = Schedule(self.core.broker.setting, EXCHANGE, True, self.recipient)
        self.waiting = dict(self.committed)

    def teardown(self) -> None:
        """All comes in the end, and nothing is left."""
        self.core.broker.clock.now = 4 * HORIZON
        self.give_out()
        self.commit()
        report = examined(self.core.store, {EXCHANGE})
        assert ([], 0) == (report.problems, report.counts.get("dated rows", 0))


def test_schedule() -> None:
    """It agrees with the model."""
    machine = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(ScheduleMachine, settings=machine)

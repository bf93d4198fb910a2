"""A channel's ledger against a dictionary, and what it costs."""

from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from amqpd.broker.entry import Entry
from amqpd.broker.ledger import Ledger
from helpers.core import entry

TAGS = st.integers(0, 30)


class LedgerMachine(RuleBasedStateMachine):
    """Random deliveries and acknowledgements."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.last = 0
        self.unacked: dict[int, Entry] = {}
        self.taken: list[dict[int, Entry]] = []

    @rule(count=st.integers(1, 5))
    def deliver(self, count: int) -> None:
        """Deliveries that are held."""
        for _ in range(count):
            held = entry()
            self.last += 1
            assert self.last == self.ledger.note(held)
            self.unacked[self.last] = held

    @rule()
    def deliver_without_ack(self) -> None:
        """A delivery that is not held."""
        self.last += 1
        assert self.last == self.ledger.tag()

    @rule(tag=TAGS)
    def take(self, tag: int) -> None:
        """One entry, or none."""
        expected = self.unacked.pop(tag, None)
        assert expected is self.ledger.take(tag)
        if expected is not None:
            self.taken.append({tag: expected})

    @rule(tag=TAGS)
    def take_through(self, tag: int) -> None:
        """All entries up to a tag, in order."""
        expected = {held: self.unacked[held] for held in sorted(self.unacked) if tag == 0 or held <= tag}
        for held in expected:
            del self.unacked[held]
        found = self.ledger.take_through(tag)
        assert list(expected.items()) == list(found.items())
        self.taken.append(found)

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """What was taken comes back, as if it had never been taken."""
        if self.taken:
            back = self.taken.pop(data.draw(st.integers(0, len(self.taken) - 1)))
            self.ledger.restore(back)
            self.unacked = dict(sorted({**self.unacked, **back}.items()))

    @invariant()
    def same(self) -> None:
        """The unacknowledged ones are those of the model, in the order of their tags."""
        assert list(self.unacked.items()) == list(self.ledger.unacked.items())


def test_ledger_is_a_dictionary() -> None:
    """Whatever is delivered, taken and restored, in any order."""
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=60, stateful_step_count=30))


class Counted(dict[int, Entry]):
    """Counts how many keys are looked at (in a compiled build only some of them)."""

    looks = 0

    def __contains__(self, key: object) -> bool:
        Counted.looks += 1
        return super().__contains__(key)

    def __iter__(self) -> Iterator[int]:
        for key in super().__iter__():
            Counted.looks += 1
            yield key


def looks_at(ledger: Ledger, tags: list[int]) -> int:
    """How many keys are looked at to take through each of these tags."""
    Counted.looks = 0
    ledger.unacked = Counted(ledger.unacked)
    for tag in tags:
        ledger.take_through(tag)
    return Counted.looks


def test_costs_are_amortised() -> None:
    """Each tag is looked at a constant number of times, however acknowledgements come (invariant 3)."""
    ledger = Ledger()
    for number in range(10_000):
        ledger.note(entry(number))
    assert looks_at(ledger, list(range(1, 10_001))) <= 3 * 10_000

    ledger = Ledger()
    for number in range(10_000):
        ledger.note(entry(number))
        ledger.tag()
    for tag in range(19_999, 10_000, -2):
        ledger.take(tag)
    assert looks_at(ledger, [10_000, 20_000, 20_000, 0, 0]) <= 3 * 20_000

    ledger = Ledger()
    for number in range(2000):
        ledger.note(entry(number))
        for _ in range(10):
            ledger.take(ledger.note(entry(number)))
    assert looks_at(ledger, list(range(11, 22_000, 11))) <= 3 * 22_000

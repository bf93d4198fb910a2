"""Appointments; the numbers are those of the invariants of `amqpd.broker.agenda`."""

import gc
import weakref

from amqpd.broker.agenda import SLACK, Agenda, Timed


class Caller(Timed):
    """Notes when it is called, and makes one more appointment each time if asked to."""

    def __init__(self, agenda: Agenda, called: list[tuple[str, int]], name: str, again: int = 0) -> None:
        super().__init__()
        self.agenda = agenda
        self.called = called
        self.name = name
        self.again = again

    def due(self, now: int) -> None:
        """See `Timed.due`."""
        self.called.append((self.name, now))
        if self.again:
            self.agenda.at(now, self)


def test_appointments_are_kept_in_order() -> None:
    """1: earliest first, equals in the order in which they were made, none before its time."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    one, two, three, four = (Caller(agenda, called, name) for name in ("one", "two", "three", "four"))
    agenda.at(20, three)
    agenda.at(10, one)
    agenda.at(10, two)
    agenda.at(30, four)
    assert 10 == agenda.next()
    agenda.run(9)
    assert [] == called
    agenda.run(20)
    assert [("one", 20), ("two", 20), ("three", 20)] == called
    assert 30 == agenda.next()
    agenda.run(30)
    assert 0 == agenda.next()


def test_those_made_meanwhile_wait() -> None:
    """1: whoever asks again while he is called is called by the next run."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    agenda.at(5, Caller(agenda, called, "one", again=1))
    agenda.run(5)
    assert [("one", 5)] == called
    agenda.run(5)
    assert [("one", 5), ("one", 5)] == called


def test_the_earlier_of_two() -> None:
    """2: a later appointment is not made next to an earlier one, and an earlier one takes the place of a later one."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    one = Caller(agenda, called, "one")
    agenda.at(20, one)
    agenda.at(30, one)
    agenda.at(10, one)
    assert 10 == agenda.next()
    agenda.run(40)
    assert [("one", 40)] == called
    assert 0 == agenda.next()


def test_an_appointment_made_anew_at_a_time_that_was_left() -> None:
    """2: it is kept once, although the list still has the first one of that time."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    one = Caller(agenda, called, "one")
    for time in (20, 10):
        agenda.at(time, one)
    agenda.run(10)
    agenda.at(20, one)
    agenda.run(20)
    assert [("one", 10), ("one", 20)] == called


def test_falling_times_do_not_pile_up() -> None:
    """3: whoever moves his appointment forward again and again is still in the list about once."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    one, two = Caller(agenda, called, "one"), Caller(agenda, called, "two")
    agenda.at(5_000, two)
    for time in range(10_000, 0, -1):
        agenda.at(time, one)
    assert len(agenda._heap) <= 2 * SLACK
    agenda.run(10_000)
    assert [("one", 10_000), ("two", 10_000)] == called


def test_nobody_is_held_by_what_he_cancelled() -> None:
    """3: appointments that were cancelled are not kept, and soon let go."""
    agenda, called = Agenda(), list[tuple[str, int]]()
    gone = []
    for number in range(2 * SLACK):
        one = Caller(agenda, called, str(number))
        agenda.at(1_000_000, one)
        agenda.cancel(one)
        gone.append(weakref.ref(one))
    del one
    gc.collect()
    assert sum(reference() is not None for reference in gone) <= SLACK + 1
    assert 0 == agenda.next()
    agenda.run(1_000_000)
    assert [] == called

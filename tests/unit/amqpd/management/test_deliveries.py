"""Since when a channel holds what it holds."""

from amqpd.management.deliveries import MARKS_MAX, Deliveries


def test_a_delivery_was_made_before_the_first_step_that_knows_it() -> None:
    """Tags below a mark's are of its step or earlier; what no step knows yet is new."""
    deliveries = Deliveries()
    deliveries.note(10, 4, 1)
    deliveries.note(20, 6, 2)
    assert [10, 10, 20, 20, None] == [deliveries.step_of(tag) for tag in (2, 3, 4, 5, 6)]


def test_steps_without_deliveries_leave_no_mark() -> None:
    """What is held keeps its step however long it is held."""
    deliveries = Deliveries()
    for step in range(100):
        deliveries.note(step, 2, 1)
    assert 0 == deliveries.step_of(1)


def test_marks_of_settled_deliveries_go() -> None:
    """Only what is still held needs a step."""
    deliveries = Deliveries()
    for step in range(1, 100):
        deliveries.note(step, step + 1, step)
    assert [99] == deliveries._steps


def test_the_oldest_mark_outlives_the_thinning() -> None:
    """A message that is held for ever keeps its step on a channel that never rests, in bounded memory."""
    deliveries = Deliveries()
    for step in range(1, 10_000):
        deliveries.note(step, step + 1, 1)
        assert len(deliveries._steps) <= MARKS_MAX
    assert 1 == deliveries.step_of(1)
    assert 9_990 <= (deliveries.step_of(9_990) or 0) < 9_999

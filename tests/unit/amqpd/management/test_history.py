from amqpd.management.history import History, JointPast


def test_idle_object_keeps_one_sample() -> None:
    """Equal rows are noted once and are known for every later step."""
    history = History(3)
    for step in range(1, 1000):
        history.note(step, (7,))
    assert (None, (7,), (7,), 1) == (history.at(0), history.at(1), history.at(999), history.changed_at)


def test_steps_between_two_changes_are_those_of_the_earlier_one() -> None:
    """A row counts until the next one."""
    history = History(3)
    history.note(10, (1,))
    history.note(20, (2,))
    assert [(1,), (1,), (2,)] == [history.at(10), history.at(19), history.at(20)]


def test_oldest_changes_are_forgotten() -> None:
    """No more than the given number of changes is kept."""
    history = History(2)
    for step in (1, 2, 3):
        history.note(step, (step,))
    assert [None, (2,), (3,)] == [history.at(1), history.at(2), history.at(3)]


def test_joint_past_is_the_sum() -> None:
    """Parts count from their first sample on; before the first of all there is nothing."""
    early, late = History(3), History(3)
    early.note(1, (1, 10))
    early.note(3, (2, 20))
    late.note(2, (5, 50))
    assert [None, (1, 10), (6, 60), (7, 70)] == [JointPast([early, late]).at(step) for step in range(4)]

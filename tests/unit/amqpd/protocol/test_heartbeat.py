from amqpd.protocol.heartbeat import ALIVE, BEAT, DEAD, TICKS_TO_DEATH, Heartbeat


def test_a_beat_is_due_when_nothing_was_sent() -> None:
    """Each half interval without a write gets a heartbeat, whose own write does not count (specification 4.2.7)."""
    heartbeat = Heartbeat()
    writes, ticks = 0, []
    for count in (0, 0, 0, 2, 1, 0, 0):
        writes += count
        heartbeat.received = True
        ticks.append(heartbeat.tick(writes))
        if ticks[-1] == BEAT:
            writes += 1

    assert [BEAT, BEAT, BEAT, ALIVE, ALIVE, BEAT, BEAT] == ticks


def test_two_silent_intervals_are_death() -> None:
    """Each interval has two ticks; anything received starts the count anew."""
    heartbeat = Heartbeat()
    ticks = [heartbeat.tick(tick) for tick in range(TICKS_TO_DEATH - 1)]
    heartbeat.received = True
    ticks += [heartbeat.tick(TICKS_TO_DEATH - 1 + tick) for tick in range(TICKS_TO_DEATH)]

    assert [BEAT] * (2 * TICKS_TO_DEATH - 1) == ticks
    assert heartbeat.tick(2 * TICKS_TO_DEATH - 1) == DEAD

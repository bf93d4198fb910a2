from amqpd.protocol.heartbeat import ALIVE, BEAT, DEAD, TICKS_TO_DEATH, Heartbeat


def test_a_beat_is_due_when_nothing_was_sent() -> None:
    """Each half interval without a write of its own gets a heartbeat (specification 4.2.7)."""
    heartbeat = Heartbeat()
    ticks = []
    for is_sent in (False, True, True, False):
        heartbeat.sent = is_sent
        heartbeat.received = True
        ticks.append(heartbeat.tick())

    assert [BEAT, ALIVE, ALIVE, BEAT] == ticks


def test_two_silent_intervals_are_death() -> None:
    """Each interval has two ticks; anything received starts the count anew."""
    heartbeat = Heartbeat()
    ticks = [heartbeat.tick() for _ in range(TICKS_TO_DEATH - 1)]
    heartbeat.received = True
    ticks += [heartbeat.tick() for _ in range(TICKS_TO_DEATH)]

    assert [BEAT] * (2 * TICKS_TO_DEATH - 1) == ticks
    assert heartbeat.tick() == DEAD

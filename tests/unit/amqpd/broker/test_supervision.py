from amqpd.broker.supervision import SLACK
from helpers.core import Core, declare


def test_consumers_that_left_are_let_go() -> None:
    """A channel whose consumers come and go does not keep those that hold nothing, nor their appointments."""
    core = Core()
    queue = declare(core, "q", x_consumer_timeout=1000)
    channel = core.channel()
    for number in range(10 * SLACK):
        channel.publish("", "q")
        channel.session.consume(queue, "c", False, False, 0)
        core.finish()
        channel.session.cancel("c")
        channel.session.ack(number + 1, False)
    assert 2 * SLACK >= len(channel.session._supervision._consumers)
    assert 3 * SLACK >= len(core.broker.agenda._heap)


def test_consumers_that_left_are_watched_as_long_as_they_hold_something() -> None:
    """However many others come and go."""
    core = Core()
    queue = declare(core, "q", x_consumer_timeout=1000)
    channel = core.channel()
    channel.publish("", "q")
    for number in range(2 * SLACK):
        channel.session.consume(queue, "c", False, False, 0)
        core.finish()
        channel.session.cancel("c")
        assert 1 == queue.unacked, number
    assert core.broker.agenda.next() == core.broker.clock.now + 1000

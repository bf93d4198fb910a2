import pytest

from amqpd.broker.limits import NONE, effective
from amqpd.protocol.channel import Channel
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ChannelHandler, ConnectionHandler
from amqpd.protocol.handshake import Limits
from amqpd.server.outbox import WireOutbox
from helpers.core import Core, CoreChannel, declare

TEXT = (
    "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: {} ms. "
    "This timeout value can be configured, see consumers doc guide to learn more"
)


class Quiet(ConnectionHandler):
    """Takes note of nothing."""

    def channel_failed(self, number: int, reason: str) -> None:
        """The test reads what was sent."""


class Ending(ChannelHandler):
    """Ends the channel in the core."""

    def __init__(self, channel: CoreChannel) -> None:
        self.channel = channel

    def closed(self) -> None:
        """The channel is gone."""
        self.channel.session.close()


def setting(queue_timeout: int = NONE, timeout: int = NONE) -> tuple[Core, CoreChannel]:
    """A consumer with these timeouts of a queue with three messages, which it has received."""
    core = Core()
    queue = declare(core, "q") if queue_timeout == NONE else declare(core, "q", x_consumer_timeout=queue_timeout)
    channel = core.channel()
    connection = Connection(Quiet(), channel.output, 1)
    connection.limits = Limits(0, 0, 0)
    connection.channels[1] = Channel(1, Ending(channel), 1)
    channel.session = core.broker.session(channel.client, WireOutbox(1, connection, channel.flow))
    channel.session.consume(queue, "c", False, False, 0, timeout)
    for _ in range(3):
        channel.publish("", "q")
    core.finish()
    assert len(channel.bodies()) == 3
    return core, channel


def pass_time(core: Core, milliseconds: int) -> None:
    """Keep the appointments of that time."""
    core.broker.clock.now += milliseconds
    core.broker.agenda.run(core.broker.clock.now)


def closed(channel: CoreChannel) -> list[object]:
    """The reply texts of what closed the channel."""
    return [heard.values[1] for heard in channel.heard() if heard.name == "channel.close"]


@pytest.mark.parametrize(("queue_timeout", "timeout", "used"), [(100, NONE, 100), (NONE, 100, 100), (50, 100, 100)])
def test_who_acknowledges_too_late_loses_the_channel(queue_timeout: int, timeout: int, used: int) -> None:
    """Not before the time is over; the consumer's own argument wins over the queue's."""
    core, channel = setting(queue_timeout, timeout)
    pass_time(core, used - 1)
    assert [] == closed(channel)
    pass_time(core, 1)
    assert [TEXT.format(used)] == closed(channel)


def test_without_a_timeout_nothing_is_watched() -> None:
    """There is no appointment at all."""
    core, channel = setting()
    assert core.broker.agenda.next() == 0
    pass_time(core, 10**9)
    assert [] == closed(channel)


def test_each_delivery_has_its_own_time() -> None:
    """What was acknowledged is not waited for; a later delivery has its time from then on."""
    core, channel = setting(100)
    channel.session.ack(3, True)
    pass_time(core, 90)
    channel.publish("", "q")
    core.finish()
    pass_time(core, 99)
    assert [] == closed(channel)
    pass_time(core, 3)
    assert [TEXT.format(100)] == closed(channel)


def test_an_old_delivery_among_new_ones_is_found() -> None:
    """However many deliveries were acknowledged after it."""
    core, channel = setting(640)
    channel.session.ack(1, False)
    channel.session.ack(3, False)
    for tag in range(4, 60):
        pass_time(core, 10)
        channel.publish("", "q")
        core.finish()
        channel.session.ack(tag, False)
    assert [] == closed(channel)
    pass_time(core, 100)
    assert [TEXT.format(640)] == closed(channel)


def test_deliveries_of_others_do_not_count() -> None:
    """Another consumer of the channel without a timeout may hold what it wants."""
    core, channel = setting(100)
    free = declare(core, "free")
    channel.session.consume(free, "free", False, False, 0)
    channel.publish("", "free")
    core.finish()
    channel.session.ack(1, False)
    channel.session.ack(2, False)
    channel.session.ack(3, False)
    pass_time(core, 10**6)
    assert [] == closed(channel)


def test_a_policy_counts_for_consumers_that_are_there() -> None:
    """And so does its end."""
    core, channel = setting()
    queue = core.vhost.queues["q"]
    queue.configure(effective(queue.arguments, {"consumer-timeout": 100}, {}))
    channel.publish("", "q")
    core.finish()
    queue.configure(effective(queue.arguments, {}, {}))
    pass_time(core, 200)
    assert [] == closed(channel)
    queue.configure(effective(queue.arguments, {"consumer-timeout": 100}, {}))
    channel.publish("", "q")
    core.finish()
    pass_time(core, 200)
    assert [TEXT.format(100)] == closed(channel)


def test_a_channel_that_ended_is_left_alone() -> None:
    """Its appointments come to nothing."""
    core, channel = setting(100)
    channel.session.close()
    pass_time(core, 1000)
    assert [] == closed(channel)

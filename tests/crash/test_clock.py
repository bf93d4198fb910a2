"""Whatever is done to the machine's clock, messages wait as long as they were told to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess
from helpers.jumping_clock import JumpingClock
from helpers.traffic import connect

HOUR = 3600


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 365 * 24 * HOUR])
def test_a_clock_that_is_set_makes_nothing_expire_or_wait(
    start_broker: Callable[..., BrokerProcess], tmp_path: Path, jump: int
) -> None:
    """What lives for a minute is there, what lives for a second is gone, and what was delayed for a second comes."""
    clock = JumpingClock(tmp_path)
    broker = start_broker(variables=clock.variables)
    connection = connect(broker)
    channel = connection.channel()
    for queue, milliseconds in (("long", 60_000), ("short", 1000)):
        arguments = {"x-message-ttl": milliseconds, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "gone"}
        channel.call("queue.declare", queue=queue, arguments=arguments)
    for queue in ("due", "gone"):
        channel.call("queue.declare", queue=queue)
    channel.call("exchange.declare", exchange="later", type="x-delayed-message", arguments={"x-delayed-type": "fanout"})
    channel.bind("due", "later")
    for queue in ("long", "short"):
        channel.publish(b"", routing_key=queue)
    channel.publish(b"", exchange="later", headers={"x-delay": 1000})
    channel.must_count("long", 1)
    clock.jump(jump)
    channel.must_count("gone", 1, timeout=20)
    channel.must_count("due", 1, timeout=20)
    assert [1, 0] == [channel.count(queue) for queue in ("long", "short")]
    connection.close()

"""The same random commands to two brokers: whatever they are, both say the same.

Set AMQPD_COMPARE_URL=amqp://guest:guest@127.0.0.1:5672 for a RabbitMQ to compare with; without it two brokers of ours show
that the answers depend on nothing but the commands. AMQPD_COMPARE_SEEDS=1000-1400 are the seeds of a long run.
"""

import os
from typing import Final

import pytest

from helpers.broker import Broker
from helpers.commands import Commands
from helpers.guests import Guests

STEPS: Final = 80
_first, _end = os.environ.get("AMQPD_COMPARE_SEEDS", "0-3").split("-")


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Broker:
    """The broker to compare with."""
    if "AMQPD_COMPARE_URL" in os.environ:
        return Broker(os.environ["AMQPD_COMPARE_URL"])
    own: Broker = request.getfixturevalue("own_broker")
    return own


@pytest.mark.parametrize("seed", range(int(_first), int(_end)))
def test_both_say_the_same(broker: Broker, other: Broker, seed: int) -> None:
    """After each command both have said the same to everybody."""
    commands = Commands(seed)
    both = Guests(broker), Guests(other)
    try:
        for _ in range(STEPS):
            command = commands.next()
            for guests in both:
                guests.say(command)
            assert both[1].hear() == both[0].hear(), command
    finally:
        for guests in both:
            guests.leave(commands.queues, commands.exchanges)

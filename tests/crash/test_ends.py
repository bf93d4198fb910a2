"""A broker that ends at any moment under load keeps every promise that it made before."""

import random
import signal
from collections.abc import Callable
from typing import Final

import pytest

from helpers.broker import BrokerProcess
from helpers.lives import lead_lives
from helpers.loads import WORKLOADS
from helpers.workloads import Workload

pytestmark = pytest.mark.timeout(300)  # Many starts, on machines of any speed.

KILLS: Final = 4
"""Lives of one broker that end with SIGKILL, one after the other on the same data folder."""
STOPS: Final = 2


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_killed_broker_keeps_its_promises(start_broker: Callable[..., BrokerProcess], workload: type[Workload]) -> None:
    """What was confirmed, committed or declared before SIGKILL is there, what was settled or deleted is not."""
    lead_lives(start_broker(), workload(random.Random(1)), KILLS, signal.SIGKILL)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_stopped_broker_keeps_its_promises(start_broker: Callable[..., BrokerProcess], workload: type[Workload]) -> None:
    """The same after SIGTERM under load, and what was delivered comes back marked as redelivered."""
    lead_lives(start_broker(), workload(random.Random(3)), STOPS, signal.SIGTERM)

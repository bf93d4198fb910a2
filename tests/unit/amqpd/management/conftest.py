"""A management of a broker in memory."""

from pathlib import Path

import pytest

from amqpd.config import load
from amqpd.management.site import Site, Wiring
from amqpd.server.alarms import DISK, STORE, Alarms
from amqpd.server.watermarks import Watermarks
from helpers.core import Core
from helpers.management import InService


@pytest.fixture
def core() -> Core:
    """A broker."""
    return Core()


@pytest.fixture
def site(core: Core, tmp_path: Path) -> Site:
    """Its management."""
    config = load({"data_dir": str(tmp_path), "memory_high_watermark": "12345"}, {})
    alarms = Alarms(core.broker.events)
    alarms.set(DISK, STORE)
    watermarks = Watermarks(config, alarms, lambda: None, core.broker.ration)
    wiring = Wiring(lambda: None, lambda: 0, alarms.low, watermarks, InService())
    return Site(core.broker, config, wiring)

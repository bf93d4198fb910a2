from pathlib import Path

import pytest

from amqpd.broker.clock import Clock
from amqpd.broker.events import Events
from amqpd.server import watermarks
from amqpd.server.alarms import DISK, MEMORY, Alarms
from amqpd.server.watermarks import Watermarks
from helpers.pair import config


@pytest.mark.parametrize(
    ("memory", "disk", "low"),
    [("1.0", "0", []), ("0", "0", [MEMORY]), ("1000TB", "100000TB", [DISK]), ("0", "100000TB", [MEMORY, DISK])],
)
def test_what_is_low(memory: str, disk: str, low: list[str], tmp_path: Path) -> None:
    """Memory above its limit and free disk below its limit set their alarms, once."""
    begun: list[None] = []
    rationed: list[bool] = []
    alarms = Alarms(Events(Clock()))
    chosen = config(memory_high_watermark=memory, disk_free_limit=disk, data_dir=str(tmp_path))
    watch = Watermarks(chosen, alarms, lambda: begun.append(None), rationed.append)
    for _ in range(2):
        watch.look()

    assert low == alarms.low()
    assert len(low) == len(begun)
    assert [True] * (MEMORY in low) == rationed


def test_alarms_end(tmp_path: Path) -> None:
    """A later look that finds enough clears what an earlier one set."""
    alarms = Alarms(Events(Clock()))
    Watermarks(config(memory_high_watermark="0", data_dir=str(tmp_path)), alarms, lambda: None, lambda _: None).look()
    assert [MEMORY] == alarms.low()
    Watermarks(config(data_dir=str(tmp_path)), alarms, lambda: None, lambda _: None).look()
    assert [] == alarms.low()


def test_limits_change(tmp_path: Path) -> None:
    """Other limits count at once: what was enough is low, and is enough again."""
    alarms = Alarms(Events(Clock()))
    watch = Watermarks(config(data_dir=str(tmp_path)), alarms, lambda: None, lambda _: None)
    memory, disk = watch.memory_limit, watch.disk_limit
    watch.change(0, 2**60)
    assert [MEMORY, DISK] == alarms.low()
    watch.change(memory, disk)
    assert [] == alarms.low()


def test_memory_is_measured() -> None:
    """The process holds something, less than there is; a fraction is one of what there is."""
    available = watermarks.memory_available()
    assert 0 < watermarks.memory_used() < available
    assert available // 2 == watermarks.memory_limit(0.5)
    assert watermarks.memory_limit(2e9) == 2_000_000_000

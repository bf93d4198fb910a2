"""Watches memory and disk, and sets the alarms when one passes its limit.

Memory is what the process holds for itself: pages of files that are mapped, as the store's are, can be dropped by the
kernel at any time and are not counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from amqpd.config import Config
from amqpd.logs import INFO, WARNING, log
from amqpd.server.alarms import DISK, MEMORY, WATERMARK, Alarms
from amqpd.server.control_group import memory_limits
from amqpd.server.heap import give_back

logger = logging.getLogger(__name__)

PERIOD: Final = 1.0
"""Seconds between two looks."""
STATM: Final = Path("/proc/self/statm")
PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")


def memory_used() -> int:
    """Bytes of memory that the process holds, without pages of mapped files; 0 where the system does not tell."""
    try:
        fields = STATM.read_bytes().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * PAGE_SIZE


def memory_available() -> int:
    """Bytes of memory that the process may use: what the machine has, or what its control groups allow."""
    return min([os.sysconf("SC_PHYS_PAGES") * PAGE_SIZE, *memory_limits()])


def memory_limit(watermark: float) -> int:
    """Bytes for the option memory-high-watermark: up to 1 it is a fraction of the memory available."""
    return int(watermark if watermark > 1 else watermark * memory_available())


class Watermarks:
    """Compares what is used with what may be used, once each second."""

    def __init__(
        self, config: Config, alarms: Alarms, begin: Callable[[], None], ration: Callable[[bool], None]
    ) -> None:  # fmt: skip
        self.memory_total: Final = memory_available()
        self.memory_limit: int = memory_limit(config.memory_high_watermark)
        self.disk_limit: int = config.disk_free_limit
        self.folder: Final = config.data_dir
        self.alarms: Final = alarms
        self.begin: Final = begin
        """Something is going to happen in the core."""
        self.ration: Final = ration
        """Whether consumers are to hold no more than they need."""

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(PERIOD)

    def change(self, memory_limit: int, disk_limit: int) -> None:
        """Compare with other limits, in bytes, from now on until the broker ends."""
        self.memory_limit, self.disk_limit = memory_limit, disk_limit
        log(logger, INFO, "limits changed", memory_bytes=memory_limit, disk_bytes=disk_limit)
        self.look()

    def look(self) -> None:
        """Set and clear alarms by what is used now."""
        used = memory_used()
        if used > self.memory_limit:  # Perhaps with what was freed, and nobody is to wait for that.
            give_back()
            used = memory_used()
        self._compare(MEMORY, used > self.memory_limit, used_bytes=used, limit_bytes=self.memory_limit)
        free = shutil.disk_usage(self.folder).free
        self._compare(DISK, free < self.disk_limit, free_bytes=free, limit_bytes=self.disk_limit)

    def _compare(self, resource: str, is_low: bool, **measures: int) -> None:
        if is_low == self.alarms.stands(resource, WATERMARK):
            return
        self.begin()
        log(logger, WARNING, f"{resource} alarm" if is_low else f"{resource} alarm cleared", **measures)
        if is_low:
            self.alarms.set(resource, WATERMARK)
        else:
            self.alarms.clear(resource, WATERMARK)
        if resource == MEMORY:
            self.ration(is_low)

"""A disk that fails when it is told to, for the process that is started with its environment."""

import mmap
from pathlib import Path
from struct import Struct
from typing import Final

from helpers.preload import preloaded

_ORDERS: Final = Struct("qqqq")


class FaultyDisk:
    """Everything below the folder `data` fails as `fail` says. Skips the test where there is no C compiler."""

    def __init__(self, folder: Path) -> None:
        library = preloaded("faulty_disk", folder)
        orders = folder / "orders"
        orders.write_bytes(bytes(_ORDERS.size))
        with orders.open("r+b") as file:
            self._orders: Final = mmap.mmap(file.fileno(), _ORDERS.size)
        self.variables: Final = {
            "LD_PRELOAD": str(library),
            "FAULTY_DISK": str(orders),
            "FAULTY_FOLDER": str(folder.resolve() / "data"),
        }

    def fail(self, *, writes: int = 0, syncs: int = 0, spared: int = 0) -> None:
        """From now on writes and syncs fail with these error numbers (0: they do not), after some more that succeed."""
        self._orders[: _ORDERS.size] = _ORDERS.pack(writes, syncs, spared, 0)

    @property
    def failures(self) -> int:
        """How many calls have failed since `fail`."""
        count: int = _ORDERS.unpack(self._orders[: _ORDERS.size])[3]
        return count

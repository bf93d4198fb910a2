"""Changes to tables, drawn by chance, and what is seen of them afterwards."""

import random

from persistence.tables import CHUNKS, WHOLE, Tables, Transaction

KEYS = [bytes([number]) for number in range(20)]


class Steps:
    """A few changes, drawn by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def run(self, tables: Transaction) -> list[int]:
        """Make them."""
        for number in range(10):
            key = self._chance.choice(KEYS)
            if self._chance.random() < 0.6:
                tables.put(CHUNKS, key, b"value %d" % number)
            elif self._chance.random() < 0.7:
                tables.delete(CHUNKS, key)
            else:
                tables.delete_range(CHUNKS, *sorted((key, self._chance.choice(KEYS))))
        return []


def rows(tables: Tables, limit: int = WHOLE, table: int = CHUNKS) -> list[tuple[bytes, bytes]]:
    """What a table holds, in order."""
    view = tables.view()
    try:
        return list(view.range(table, KEYS[2], KEYS[-2], limit))
    finally:
        view.close()


def count(tables: Tables) -> int:
    """How many rows there are."""
    view = tables.view()
    try:
        return view.count(CHUNKS)
    finally:
        view.close()


def got(tables: Tables, table: int, key: bytes) -> bytes | None:
    """A single value."""
    view = tables.view()
    try:
        return view.get(table, key)
    finally:
        view.close()

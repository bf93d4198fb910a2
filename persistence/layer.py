"""Changes that lie over tables which do not have them yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from mypy_extensions import mypyc_attr

from persistence.tables import NAMES, WHOLE, Change, Transaction


class Layer:
    """The newest value of each changed key, None for one that is gone."""

    def __init__(self, tables: list[dict[bytes, bytes | None]] | None = None) -> None:
        self.tables: Final[list[dict[bytes, bytes | None]]] = [{} for _ in NAMES] if tables is None else tables

    def lay(self, changes: Iterable[Change]) -> None:
        """Put changes on top, in their order."""
        for table, key, value in changes:
            self.tables[table][key] = value

    def copy(self) -> Layer:
        """A layer with the same changes, which does not follow this one."""
        return Layer([table.copy() for table in self.tables])

    def is_empty(self) -> bool:
        """True if it changes nothing."""
        return not any(self.tables)

    def size(self) -> int:
        """Bytes of the keys and values that it puts."""
        return sum([len(key) + len(value or b"") for rows in self.tables for key, value in rows.items()])

    def write_to(self, transaction: Transaction) -> list[int]:
        """Make the changes; return nothing."""
        for table, rows in enumerate(self.tables):
            for key, value in rows.items():
                if value is None:
                    transaction.delete(table, key)
                else:
                    transaction.put(table, key, value)
        return []


@mypyc_attr(allow_interpreted_subclasses=True)
class LayeredTransaction(Transaction):
    """What is seen of a transaction through a layer; what is changed, changes the layer."""

    def __init__(self, beneath: Transaction, layer: Layer) -> None:
        self._beneath: Final = beneath
        self._layer: Final = layer

    def get(self, table: int, key: bytes) -> bytes | None:
        """See `Transaction.get`."""
        rows = self._layer.tables[table]
        return rows[key] if key in rows else self._beneath.get(table, key)

    def range(self, table: int, low: bytes, high: bytes, limit: int) -> Iterator[tuple[bytes, bytes]]:
        """See `Transaction.range`."""
        rows = self._layer.tables[table]
        above = sorted([(key, value) for key, value in rows.items() if value is not None and low <= key <= high])
        at = 0
        for key, value in self._beneath.range(table, low, high, limit):
            while at < len(above) and above[at][0] < key:
                yield _cut(above[at], limit)
                at += 1
            if key not in rows:
                yield key, value
        for each in above[at:]:
            yield _cut(each, limit)

    def count(self, table: int) -> int:
        """See `Transaction.count`."""
        total = self._beneath.count(table)
        for key, value in self._layer.tables[table].items():
            total += (value is not None) - (self._beneath.get(table, key) is not None)
        return total

    def put(self, table: int, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self._layer.tables[table][key] = value

    def delete(self, table: int, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._layer.tables[table][key] = None

    def delete_range(self, table: int, low: bytes, high: bytes) -> None:
        """See `Transaction.delete_range`."""
        for key in [key for key, _ in self.range(table, low, high, 0)]:
            self._layer.tables[table][key] = None

    def close(self) -> None:
        """See `Transaction.close`."""
        self._beneath.close()


def _cut(row: tuple[bytes, bytes], limit: int) -> tuple[bytes, bytes]:
    return row if limit == WHOLE else (row[0], row[1][:limit])

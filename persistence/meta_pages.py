"""The first two pages of an LMDB file, which say where everything is, and have no checksum.

LMDB writes them in turns, one with each transaction, and believes the one with the greater transaction number. A flipped bit
can make it believe the older one, or lead it anywhere: what can be seen of that is looked for before LMDB opens the file.
"""

from __future__ import annotations

import struct
from pathlib import Path
from struct import Struct
from typing import Final

from persistence.store import Corrupt

_MAGIC: Final = 0xBEEFC0DE
_VERSION: Final = 1
_META_FLAG: Final = 8
_PAGE: Final = Struct("<QHHI")
"""Page number, padding, flags, and what other pages have there."""
_META: Final = Struct("<IIQQ")
"""Magic, version, address, size of the map; two tables, the last page and the transaction number follow."""
_TABLE: Final = Struct("<IHHQQQQQ")
"""Page size (of the first one), flags, depth, pages of three kinds, entries, root."""
_END: Final = Struct("<QQ")
_NO_PAGE: Final = 2**64 - 1
_LEAST_PAGE: Final = 512


class _Meta:
    """What one of the pages says."""

    def __init__(self, data: bytes, number: int) -> None:
        page_number, _, flags, _ = _PAGE.unpack_from(data, 0)
        magic, version, _, _ = _META.unpack_from(data, _PAGE.size)
        tables = _PAGE.size + _META.size
        self.page_bytes: Final[int] = _TABLE.unpack_from(data, tables)[0]
        self.roots: Final[list[int]] = [_TABLE.unpack_from(data, tables + at * _TABLE.size)[7] for at in (0, 1)]
        end = _END.unpack_from(data, tables + 2 * _TABLE.size)
        self.last_page: Final[int] = end[0]
        self.transaction: Final[int] = end[1]
        if (page_number, flags, magic, version) != (number, _META_FLAG, _MAGIC, _VERSION):
            raise Corrupt(f"page {number} is no beginning of a database")


_META_BYTES: Final = _PAGE.size + _META.size + 2 * _TABLE.size + _END.size


def examine(path: Path) -> None:
    """Raise Corrupt if the first pages of an LMDB file contradict each other or the file; a missing or empty file is sound."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        first = _read(file.read(_META_BYTES), 0)
        if first.page_bytes < _LEAST_PAGE:
            raise Corrupt(f"{path}: pages of {first.page_bytes} bytes")
        file.seek(first.page_bytes)
        second = _read(file.read(_META_BYTES), 1)
    metas = (first, second)
    numbers = [meta.transaction for meta in metas]
    # Page 0 is written by the even transactions, page 1 by the odd ones; a new file has 0 in both.
    if numbers != [0, 0] and (abs(numbers[0] - numbers[1]) != 1 or numbers[0] % 2):
        raise Corrupt(f"{path}: transactions {numbers[0]} and {numbers[1]} do not follow each other")
    pages = path.stat().st_size // first.page_bytes
    for meta in metas:
        if meta.page_bytes != first.page_bytes or any(root != _NO_PAGE and root > meta.last_page for root in meta.roots):
            raise Corrupt(f"{path}: the beginning of the database contradicts itself")
    newest = max(metas, key=_transaction)
    if newest.last_page >= pages:
        raise Corrupt(f"{path}: {pages} pages, but there were {newest.last_page + 1}")


def is_sound(page: bytes, number: int) -> bool:
    """Whether LMDB can take a page for the first (0) or the second (1) one of a file."""
    try:
        return _Meta(page, number).page_bytes >= _LEAST_PAGE
    except (Corrupt, struct.error):
        return False


def renumbered(page: bytes, number: int) -> bytes:
    """The same beginning in the other place."""
    return number.to_bytes(8, "little") + page[8:]


def _read(data: bytes, number: int) -> _Meta:
    if len(data) < _META_BYTES:
        raise Corrupt("the file is cut short")
    return _Meta(data, number)


def _transaction(meta: _Meta) -> int:
    return meta.transaction

"""The first two pages of an LMDB file, which say where everything is, and have no checksum.

LMDB writes them in turns, one with each transaction, and believes the one with the greater transaction number. A flipped bit
can make it believe the older one, or lead it anywhere: what can be seen of that is looked for before LMDB opens the file.
"""

from __future__ import annotations

import struct
from mmap import ACCESS_READ, mmap
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
_POINTER: Final = Struct("<H")
"""Where a node is in its page; as many as there are follow the page's beginning."""
_NODE: Final = Struct("<HHHH")
"""Size of a value (two parts) or number of a page (three parts), flags of a value, size of the key; key and value follow."""
_NUMBER: Final = Struct("<Q")
_BRANCH_FLAG: Final = 1
_LEAF_FLAG: Final = 2
_ELSEWHERE_FLAG: Final = 1
"""The value is in pages of its own, and here is the number of the first one."""
_LOWER: Final = 0xFFFF
"""The part of a page's beginning that tells where its pointers end."""
_DEEPEST: Final = 32
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
    # A page that was taken and freed by one transaction is never written: the file may end before the last ones.
    if newest.last_page >= pages and not _are_free(path, newest, range(pages, newest.last_page + 1)):
        raise Corrupt(f"{path}: {pages} pages, but there were {newest.last_page + 1}")


def _are_free(path: Path, meta: _Meta, pages: range) -> bool:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return _FreePages(data, meta).contain(pages)


class _FreePages:
    """The pages that nothing uses, as the first table lists them: lists of page numbers by transaction, in a tree."""

    def __init__(self, data: mmap, meta: _Meta) -> None:
        self._data: Final = data
        self._page_bytes: Final = meta.page_bytes
        self._numbers: Final[set[int]] = set()
        self._is_sound = meta.roots[0] == _NO_PAGE or self._walk(meta.roots[0], 0)

    def contain(self, pages: range) -> bool:
        """Whether all these pages are free; False where that cannot be read."""
        return self._is_sound and len(pages) <= len(self._numbers) and self._numbers.issuperset(pages)

    def _walk(self, number: int, depth: int) -> bool:
        """Take what a page and those below it list; False if one of them is none."""
        start = number * self._page_bytes
        try:
            _, _, flags, ends = _PAGE.unpack_from(self._data, start)
            count = ((ends & _LOWER) - _PAGE.size) // _POINTER.size
            pointers = [_POINTER.unpack_from(self._data, start + _PAGE.size + at * _POINTER.size)[0] for at in range(count)]
            nodes = [start + pointer for pointer in pointers]
            if flags & _BRANCH_FLAG and depth < _DEEPEST:
                return all(self._walk(_child(self._data, node), depth + 1) for node in nodes)
            return bool(flags & _LEAF_FLAG) and all(self._take(node) for node in nodes)
        except struct.error:
            return False

    def _take(self, node: int) -> bool:
        """Take the list of one transaction."""
        _, _, flags, key_bytes = _NODE.unpack_from(self._data, node)
        place = node + _NODE.size + key_bytes
        if flags & _ELSEWHERE_FLAG:
            place = _NUMBER.unpack_from(self._data, place)[0] * self._page_bytes + _PAGE.size
        count = _NUMBER.unpack_from(self._data, place)[0]
        end = place + _NUMBER.size * (1 + count)
        if end > len(self._data):
            return False
        self._numbers.update([number for (number,) in _NUMBER.iter_unpack(self._data[place + _NUMBER.size : end])])
        return True


def _child(data: mmap, node: int) -> int:
    """The page that a node of a branch leads to."""
    low, middle, high, _ = _NODE.unpack_from(data, node)
    return int(low | middle << 16 | high << 32)


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

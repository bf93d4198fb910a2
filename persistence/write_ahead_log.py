"""A file that takes small changes with one synced write, before they go into the tables (`logged_tables`).

The file has `BLOCKS` blocks. Changes that were made together take the next ones of them. Once the tables have taken over all
that the log holds, it begins anew at its first block, as another *generation*: a number of 96 bits that nobody can guess.

Invariants:

1. A generation writes each block once at most: what is durable is never touched while it counts.
2. Changes count if all of their blocks carry the generation that the tables name. The tables name another one in the
   transaction that takes the changes over.
3. Every block is whole at any time, those that do not count included. One that is not is damaged, or was being written when
   the machine stopped.

A block (all integers big-endian): CRC-32 u32 of the block's number u32 and what follows, generation 12 bytes, number of bytes
used u16, flags u8 (1: changes begin here, 2: they end here), those bytes. The bytes of changes, block after block: for each one
its table u8 (128 more: the key goes), length u16 of the key, length u32 of the value, key, value.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Final
from zlib import crc32

from persistence.data_folder import sync
from persistence.store import Corrupt, NoSpace, StoreError
from persistence.tables import NAMES, Change

FILE: Final = "ahead.log"
"""Its name, next to the tables."""
BLOCK_BYTES: Final = 4096
BLOCKS: Final = 256

_NUMBER: Final = Struct(">I")
_CRC: Final = Struct(">I")
_HEAD: Final = Struct(">12sHB")
_HEAD_BYTES: Final = 19
_ROOM: Final = BLOCK_BYTES - _HEAD_BYTES
_BEGINS: Final = 1
_ENDS: Final = 2
_GENERATION_BYTES: Final = 12

_CHANGE: Final = Struct(">BHI")
_CHANGE_BYTES: Final = 7
_GONE: Final = 0x80

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class WriteAheadLog:
    """The log of one store, open for writing. Raises StoreError if the file cannot be used."""

    def __init__(self, path: Path, generation: int) -> None:
        """Begin this generation, in a file that must be there (`make`)."""
        self._path: Final = path
        self._next: int = 0
        """The block that is written next."""
        self._generation: bytes = generation.to_bytes(_GENERATION_BYTES, "big")
        try:
            self._file: Final = os.open(path, os.O_WRONLY | os.O_DSYNC | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error

    def append(self, changes: list[Change]) -> bool:
        """Make changes durable together; False, and nothing done, if there is no room for them. Raises NoSpace, StoreError."""
        data = _encode(changes)
        if self._next + -(-len(data) // _ROOM) > BLOCKS:
            return False
        blocks = b"".join(_blocks(data, self._next, self._generation))
        try:
            written = os.pwrite(self._file, blocks, self._next * BLOCK_BYTES)
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise NoSpace(f"no space left for {self._path}") from error
            raise StoreError(f"{self._path}: {error.strerror}") from error
        if written != len(blocks):
            raise NoSpace(f"no space left for {self._path}")
        self._next += len(blocks) // BLOCK_BYTES
        return True

    def begin(self, generation: int) -> None:
        """Forget all that was appended: the tables have it, and name this generation."""
        self._generation = generation.to_bytes(_GENERATION_BYTES, "big")
        self._next = 0

    def is_empty(self) -> bool:
        """True if nothing was appended in this generation."""
        return self._next == 0

    def size(self) -> int:
        """The bytes that this generation takes."""
        return self._next * BLOCK_BYTES

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def make(path: Path) -> None:
    """Write a log without changes, in place of one that is there. Raises StoreError."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.touch(0o600)
        new.write_bytes(b"".join([_block(b"", number, bytes(_GENERATION_BYTES), 0) for number in range(BLOCKS)]))
        sync(new)
        new.replace(path)
        sync(path.parent)
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}") from error


def read(path: Path, generation: int) -> tuple[list[Change], list[str]]:
    """The changes of a generation in their order, and a sentence for everything that is damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return [], [f"{path.name}: {error.strerror}"]
    return understood(data, generation)


def understood(data: bytes, generation: int) -> tuple[list[Change], list[str]]:
    """What `read` makes of a file with this content."""
    reading = _Reading(generation)
    if len(data) != BLOCKS * BLOCK_BYTES:
        reading.damages.append(f"{FILE}: {len(data)} bytes instead of {BLOCKS * BLOCK_BYTES}")
    for number in range(len(data) // BLOCK_BYTES):
        reading.take(number, data)
    return reading.changes, reading.damages


def content(path: Path) -> bytes:
    """The content of a log that may be written meanwhile: what counts of it is as it was at one moment. Raises OSError."""
    data = _read_backwards(path)
    while not _is_whole(data) and data != (data := _read_backwards(path)):
        pass  # A block was just being written.
    return data


def _read_backwards(path: Path) -> bytes:
    """Read the last block first: they are written the other way, so whatever came before one that is found is found, too."""
    with path.open("rb", buffering=0) as file:
        places = range(0, os.fstat(file.fileno()).st_size, BLOCK_BYTES)
        blocks = [os.pread(file.fileno(), BLOCK_BYTES, place) for place in reversed(places)]
    return b"".join(reversed(blocks))


def _is_whole(data: bytes) -> bool:
    return len(data) == BLOCKS * BLOCK_BYTES and all(_is_block(data, number) for number in range(BLOCKS))


class _Reading:
    """What is found block by block."""

    def __init__(self, generation: int) -> None:
        self.changes: Final[list[Change]] = []
        self.damages: Final[list[str]] = []
        self._generation: Final = generation.to_bytes(_GENERATION_BYTES, "big")
        self._pieces: list[bytes] = []
        self._expected: int = 0
        """The next block, if all are there."""

    def take(self, number: int, data: bytes) -> None:
        """Look at the block of this number in the file's content."""
        at = number * BLOCK_BYTES
        generation, used, flags = _HEAD.unpack_from(data, at + _CRC.size)
        if not _is_block(data, number):
            self.damages.append(f"{FILE}: block {number} is damaged, or was being written when the machine stopped")
        elif generation == self._generation:
            if number != self._expected:
                self.damages.append(f"{FILE}: blocks {self._expected} to {number - 1} are lost")
                self._pieces = []
            self._expected = number + 1
            self._add(data[at + _HEAD_BYTES : at + _HEAD_BYTES + used], flags)

    def _add(self, piece: bytes, flags: int) -> None:
        if flags & _BEGINS:
            self._pieces = [piece]
        elif self._pieces:
            self._pieces.append(piece)
        if flags & _ENDS and self._pieces:
            together = b"".join(self._pieces)
            self._pieces = []
            try:
                self.changes.extend(_decode(together))
            except Corrupt as error:
                self.damages.append(f"{FILE}: {error}")


def _is_block(data: bytes, number: int) -> bool:
    at = number * BLOCK_BYTES
    (crc,) = _CRC.unpack_from(data, at)
    _, used, _ = _HEAD.unpack_from(data, at + _CRC.size)
    covered = data[at + _CRC.size : at + _HEAD_BYTES + used]
    return bool(used <= _ROOM and crc32(covered, crc32(_NUMBER.pack(number))) == crc)


def _blocks(data: bytes, number: int, generation: bytes) -> Iterator[bytes]:
    """The blocks that hold the data, the first of which has this number."""
    last = len(data) - _ROOM
    for start in range(0, len(data), _ROOM):
        flags = (_BEGINS if start == 0 else 0) | (_ENDS if start >= last else 0)
        yield _block(data[start : start + _ROOM], number, generation, flags)
        number += 1


def _block(piece: bytes, number: int, generation: bytes, flags: int) -> bytes:
    content = _HEAD.pack(generation, len(piece), flags) + piece
    return (_CRC.pack(crc32(content, crc32(_NUMBER.pack(number)))) + content).ljust(BLOCK_BYTES, b"\0")


def _encode(changes: list[Change]) -> bytes:
    pieces: list[bytes] = []
    for table, key, value in changes:
        if value is None:
            pieces += (_CHANGE.pack(table | _GONE, len(key), 0), key)
        else:
            pieces += (_CHANGE.pack(table, len(key), len(value)), key, value)
    return b"".join(pieces)


def _decode(data: bytes) -> Iterator[Change]:
    at = 0
    while at < len(data):
        try:
            table, key_length, value_length = _CHANGE.unpack_from(data, at)
        except StructError as error:
            raise Corrupt(str(error)) from error
        at += _CHANGE_BYTES
        key, value = data[at : at + key_length], data[at + key_length : at + key_length + value_length]
        at += key_length + value_length
        if at > len(data) or table & ~_GONE >= len(NAMES):
            raise Corrupt(f"a change of table {table} that ends at {at} of {len(data)}")
        yield table & ~_GONE, key, None if table & _GONE else value

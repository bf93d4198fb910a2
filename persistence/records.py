"""The stored form of records, chunks, marks, references and shared bodies (layout version 1, all integers big-endian).

Every CRC-32 begins with the key: a value that was moved under another one fails it, too.

* key of a chunk, of its marks and of a reference: queue id u32, lane u8, sequence u64 (a chunk: of its first record);
* chunk: version u8, number of records u16, last sequence u64, size u64, first deadline u64 (milliseconds since the epoch,
  0: none), CRC-32 u32 of the key and these, CRC-32 u32 of all of it and the records, then the records;
* record: its head (`head`), then address, header and, unless the body is shared, body;
* marks: CRC-32 u32, then one byte a record, see `store.READY`; a chunk without marks has only ready records;
* reference: key → CRC-32 u32, then the id u64 of the shared body; shared body: id u64 → CRC-32 u32, then the body;
* row of a calendar: owner id u32, lane u8, time u64, sequence u64 → CRC-32 u32, then the row; with time and sequence 0 the
  row is the number u64 of all others.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

from persistence.store import SETTLED, Chunk, Corrupt, StoredRecord

VERSION: Final = 1

REDELIVERED: Final = 1
"""Flag of a record that had been delivered before it was first written."""
PERSISTENT: Final = 2
"""Flag of a record that was published with delivery_mode=2; bits 2 to 7 are the broker's own."""

_KEY: Final = Struct(">IBQ")
_CALENDAR_KEY: Final = Struct(">IBQQ")
_ID: Final = Struct(">Q")
_CRC: Final = Struct(">I")
_CHUNK: Final = Struct(">BHQQQ")
_HEAD: Final = Struct(">QBQQQHII")

KEY_BYTES: Final = 13
HEAD_BYTES: Final = 43
CHUNK_HEADER_BYTES: Final = 35
_CRC_BYTES: Final = 4
_CRC_OFFSET: Final = 27
_PAYLOAD_CRC_OFFSET: Final = 31
_MAX_U64: Final = 0xFFFF_FFFF_FFFF_FFFF

FIRST_KEY: Final = bytes(KEY_BYTES)
LAST_KEY: Final = b"\xff" * KEY_BYTES
LAST_CALENDAR_KEY: Final = b"\xff" * _CALENDAR_KEY.size


def key(queue_id: int, lane: int, sequence: int) -> bytes:
    """Key of a chunk that starts with, or of a reference by, the record with this sequence."""
    return _KEY.pack(queue_id, lane, sequence)


def queue_keys(queue_id: int) -> tuple[bytes, bytes]:
    """The least and the greatest key that a queue can have."""
    return _KEY.pack(queue_id, 0, 0), _KEY.pack(queue_id, 0xFF, _MAX_U64)


def split_key(stored: bytes) -> tuple[int, int, int]:
    """Queue id, lane and sequence of a key. Raises Corrupt."""
    if len(stored) != KEY_BYTES:
        raise Corrupt(f"key {stored.hex()}: {len(stored)} bytes instead of {KEY_BYTES}")
    queue_id, lane, sequence = _KEY.unpack(stored)
    return queue_id, lane, sequence


def calendar_key(owner_id: int, lane: int, time: int, sequence: int) -> bytes:
    """Key of a calendar's row."""
    return _CALENDAR_KEY.pack(owner_id, lane, time, sequence)


def calendar_keys(owner_id: int, lane: int) -> tuple[bytes, bytes]:
    """The least key that a calendar can have, and one that is greater than any."""
    return _CALENDAR_KEY.pack(owner_id, lane, 0, 0), _CALENDAR_KEY.pack(owner_id, lane, _MAX_U64, _MAX_U64)


def split_calendar_key(stored: bytes) -> tuple[int, int, int, int]:
    """Owner id, lane, time and sequence of a key. Raises Corrupt."""
    if len(stored) != _CALENDAR_KEY.size:
        raise Corrupt(f"key {stored.hex()}: {len(stored)} bytes instead of {_CALENDAR_KEY.size}")
    owner_id, lane, time, sequence = _CALENDAR_KEY.unpack(stored)
    return owner_id, lane, time, sequence


def pack_id(body_id: int) -> bytes:
    """Key of a shared body, content of a reference, and number of a calendar's rows."""
    return _ID.pack(body_id)


def unpack_id(stored: bytes) -> int:
    """What `pack_id` packed. Raises Corrupt."""
    if len(stored) != _ID.size:
        raise Corrupt(f"id {stored.hex()}: {len(stored)} bytes instead of {_ID.size}")
    body_id: int = _ID.unpack(stored)[0]
    return body_id


def head(
    sequence: int, flags: int, received_at: int, expires_at: int, body_id: int,
    address_length: int, header_length: int, body_length: int,
) -> bytes:  # fmt: skip
    """Packed head of one record; flags are 0 to 255, times are unsigned 64-bit integers of any unit, lengths are bytes.

    Address, header and body follow it; the body does not if body_id is not 0.
    """
    return _HEAD.pack(
        sequence, flags, received_at, expires_at, body_id, address_length, header_length, body_length
    )  # fmt: skip


def encode_chunk(stored_key: bytes, pieces: list[bytes], count: int, last: int, size: int, expires_at: int = 0) -> bytes:
    """The value to store under a key: a chunk whose count records, the last one with sequence last, consist of pieces.

    expires_at is the first deadline among them, 0 if none has one.
    """
    payload = b"".join(pieces)
    start = _CHUNK.pack(VERSION, count, last, size, expires_at)
    begun = crc32(start, crc32(stored_key))
    return b"".join((start, _CRC.pack(begun), _CRC.pack(crc32(payload, begun)), payload))


def chunk_header(stored_key: bytes, value: bytes) -> tuple[int, int, int]:
    """Number of records, last sequence and size of a chunk, from its first bytes alone. Raises Corrupt."""
    if len(value) < CHUNK_HEADER_BYTES:
        raise Corrupt(f"chunk of {len(value)} bytes is shorter than its header")
    version, count, last, size, _ = _CHUNK.unpack_from(value, 0)
    if version != VERSION:
        raise Corrupt(f"chunk of layout version {version}")
    if crc32(value[:_CRC_OFFSET], crc32(stored_key)) != _CRC.unpack_from(value, _CRC_OFFSET)[0]:
        raise Corrupt("chunk fails its checksum")
    if count == 0:
        raise Corrupt("chunk without records")
    return count, last, size


def chunk_deadline(value: bytes) -> int:
    """The first deadline of a chunk whose header is sound, in milliseconds since the epoch; 0 if it has none."""
    deadline: int = _CHUNK.unpack_from(value, 0)[4]
    return deadline


def verify_chunk(stored_key: bytes, value: bytes) -> tuple[int, int]:
    """Compare a chunk with its checksums; return its number of records and last sequence. Raises Corrupt."""
    count, last, _ = chunk_header(stored_key, value)
    begun = _CRC.unpack_from(value, _CRC_OFFSET)[0]
    if crc32(memoryview(value)[CHUNK_HEADER_BYTES:], begun) != _CRC.unpack_from(value, _PAYLOAD_CRC_OFFSET)[0]:
        raise Corrupt("chunk fails its checksum")
    return count, last


def measure(value: bytes, offset: int) -> tuple[int, int, int]:
    """Sequence, deadline and length of the record with its own body that begins there. Raises Corrupt."""
    if offset + HEAD_BYTES > len(value):
        raise Corrupt(f"the record at {offset} is cut short")
    fields = _HEAD.unpack_from(value, offset)
    length: int = HEAD_BYTES + fields[5] + fields[6] + fields[7]
    if offset + length > len(value):
        raise Corrupt(f"the record at {offset} is cut short")
    return fields[0], fields[3], length


def decode(value: bytes, chunk: Chunk) -> list[StoredRecord]:
    """The records of a stored chunk that its marks do not call settled, shared bodies left empty. Raises Corrupt."""
    log = chunk.log
    count, last = verify_chunk(key(log.queue_id, log.lane, chunk.first), value)
    marks = chunk.marks
    if len(marks) != count:
        raise Corrupt(f"{len(marks)} marks for {count} records")
    out: list[StoredRecord] = []
    end = len(value)
    offset = CHUNK_HEADER_BYTES
    previous = chunk.first - 1
    for slot in range(count):
        if offset + HEAD_BYTES > end:
            raise Corrupt(f"record {slot} is cut short")
        fields = _HEAD.unpack_from(value, offset)
        sequence: int = fields[0]
        body_id: int = fields[4]
        header_at: int = offset + HEAD_BYTES + fields[5]
        body_at: int = header_at + fields[6]
        stop: int = body_at if body_id else body_at + fields[7]
        if stop > end:
            raise Corrupt(f"record {slot} is cut short")
        if sequence <= previous or (slot == 0 and sequence != chunk.first):
            raise Corrupt(f"record {slot} has sequence {sequence} after {previous}")
        mark = marks[slot]
        if mark != SETTLED:
            address = value[offset + HEAD_BYTES : header_at]
            out.append(
                StoredRecord(
                    sequence, chunk, slot, mark, fields[1], fields[2], fields[3],
                    address, value[header_at:body_at], value[body_at:stop], body_id,
                )
            )  # fmt: skip
        previous = sequence
        offset = stop
    if offset != end:
        raise Corrupt(f"{end - offset} bytes after the last record")
    if previous != last:
        raise Corrupt(f"last sequence is {previous}, not {last}")
    return out


def protect(stored_key: bytes, content: bytes) -> bytes:
    """The value to store under a key for marks, a reference, a shared body or a row: the content behind its checksum."""
    return _CRC.pack(crc32(content, crc32(stored_key))) + content


def unprotect(stored_key: bytes, value: bytes) -> bytes:
    """The content of a value that `protect` made for this key. Raises Corrupt."""
    content = value[_CRC_BYTES:]
    if len(value) < _CRC_BYTES or crc32(content, crc32(stored_key)) != _CRC.unpack_from(value, 0)[0]:
        raise Corrupt("marks or shared body fail their checksum")
    return content

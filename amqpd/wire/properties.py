"""The content header (specification 4.2.6.1): class u16, weight u16, body size u64, property flags u16, property list.

A header's bytes are stored and sent on as they came; `parse` reads the few properties that the broker acts on.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from amqpd.errors import BadSyntax
from amqpd.wire import tables

BASIC: Final = 60
"""The only class with content."""
FIXED_SIZE: Final = 14
"""Octets before the property list."""

CONTENT_TYPE: Final = 1 << 15
CONTENT_ENCODING: Final = 1 << 14
HEADERS: Final = 1 << 13
DELIVERY_MODE: Final = 1 << 12
PRIORITY: Final = 1 << 11
CORRELATION_ID: Final = 1 << 10
REPLY_TO: Final = 1 << 9
EXPIRATION: Final = 1 << 8
MESSAGE_ID: Final = 1 << 7
TIMESTAMP: Final = 1 << 6
TYPE: Final = 1 << 5
USER_ID: Final = 1 << 4
APP_ID: Final = 1 << 3
CLUSTER_ID: Final = 1 << 2

_ORDER: Final = (
    ("content_type", CONTENT_TYPE), ("content_encoding", CONTENT_ENCODING), ("headers", HEADERS),
    ("delivery_mode", DELIVERY_MODE), ("priority", PRIORITY), ("correlation_id", CORRELATION_ID), ("reply_to", REPLY_TO),
    ("expiration", EXPIRATION), ("message_id", MESSAGE_ID), ("timestamp", TIMESTAMP), ("type", TYPE), ("user_id", USER_ID),
    ("app_id", APP_ID), ("cluster_id", CLUSTER_ID),
)  # fmt: skip
_FIXED: Final = Struct(">HHQH")
_U32: Final = Struct(">I")
_U64: Final = Struct(">Q")


class Properties:
    """The properties of one message; a property that is absent is None. `headers` is the table as bytes."""

    def __init__(self) -> None:
        self.content_type: str | None = None
        self.content_encoding: str | None = None
        self.headers: bytes | None = None
        self.delivery_mode: int | None = None
        self.priority: int | None = None
        self.correlation_id: str | None = None
        self.reply_to: str | None = None
        self.expiration: str | None = None
        self.message_id: str | None = None
        self.timestamp: int | None = None
        self.type: str | None = None
        self.user_id: str | None = None
        self.app_id: str | None = None
        self.cluster_id: str | None = None


def body_size(header: bytes) -> int:
    """The announced size of the body in octets."""
    size: int = _FIXED.unpack_from(header)[2]
    return size


def parse(header: bytes) -> Properties:
    """The properties of a content header's payload. Raises BadSyntax."""
    found = Properties()
    if len(header) < FIXED_SIZE:
        raise BadSyntax("content header is cut short")
    flags = header[12] << 8 | header[13]
    if flags & 1:
        raise BadSyntax("content header has more than one word of flags")
    position = FIXED_SIZE
    if flags & CONTENT_TYPE:
        found.content_type, position = _short(header, position)
    if flags & CONTENT_ENCODING:
        found.content_encoding, position = _short(header, position)
    if flags & HEADERS:
        found.headers, position = _table(header, position)
    if flags & DELIVERY_MODE:
        found.delivery_mode, position = _octet(header, position)
    if flags & PRIORITY:
        found.priority, position = _octet(header, position)
    if flags & CORRELATION_ID:
        found.correlation_id, position = _short(header, position)
    if flags & REPLY_TO:
        found.reply_to, position = _short(header, position)
    if flags & EXPIRATION:
        found.expiration, position = _short(header, position)
    if flags & MESSAGE_ID:
        found.message_id, position = _short(header, position)
    if flags & TIMESTAMP:
        _within(header, position + 8)
        found.timestamp, position = _U64.unpack_from(header, position)[0], position + 8
    if flags & TYPE:
        found.type, position = _short(header, position)
    if flags & USER_ID:
        found.user_id, position = _short(header, position)
    if flags & APP_ID:
        found.app_id, position = _short(header, position)
    if flags & CLUSTER_ID:
        found.cluster_id, position = _short(header, position)
    if position != len(header):
        raise BadSyntax("content header does not match its flags")
    return found


def headers_of(header: bytes) -> bytes:
    """The table of headers in the payload of a content header, empty if there is none. Raises BadSyntax."""
    if not header[12] << 8 & HEADERS:
        return b""
    return _table(header, _headers_at(header))[0]


def with_headers(header: bytes, table: bytes) -> bytes:
    """The payload of a content header that has headers, with this table in their place. Raises BadSyntax."""
    start = _headers_at(header)
    stop = _table(header, start)[1]
    return b"".join((header[:start], _U32.pack(len(table)), table, header[stop:]))


def _headers_at(header: bytes) -> int:
    flags = header[12] << 8
    position = FIXED_SIZE
    for flag in (CONTENT_TYPE, CONTENT_ENCODING):
        if flags & flag:
            position = _within(header, position + 1 + header[position])
    return position


def _short(header: bytes, position: int) -> tuple[str, int]:
    start = _within(header, position + 1)
    stop = _within(header, start + header[position])
    return header[start:stop].decode("utf-8", "surrogateescape"), stop


def _octet(header: bytes, position: int) -> tuple[int, int]:
    stop = _within(header, position + 1)
    return header[position], stop


def _table(header: bytes, position: int) -> tuple[bytes, int]:
    start = _within(header, position + 4)
    stop = _within(header, start + _U32.unpack_from(header, position)[0])
    return header[start:stop], stop


def _within(header: bytes, stop: int) -> int:
    if stop > len(header):
        raise BadSyntax("content header is cut short")
    return stop


def encode(found: Properties, size: int) -> bytes:
    """The payload of a content header with these properties, for a body of size octets."""
    flags, pieces = 0, [b""]
    for name, flag in _ORDER:
        value: object = getattr(found, name)
        if value is None:
            continue
        flags |= flag
        pieces.append(_encoded(flag, value))
    pieces[0] = _FIXED.pack(BASIC, 0, size, flags)
    return b"".join(pieces)


def _encoded(flag: int, value: object) -> bytes:
    if isinstance(value, str):
        octets = value.encode("utf-8", "surrogateescape")
        if len(octets) > 255:
            raise BadSyntax("a property is longer than 255 octets")
        return bytes((len(octets),)) + octets
    if isinstance(value, bytes):
        return _U32.pack(len(value)) + value
    assert isinstance(value, int)
    return _U64.pack(value) if flag == TIMESTAMP else bytes((value,))


def decoded_headers(found: Properties) -> dict[str, object]:
    """The headers by name, empty if there are none. Raises BadSyntax."""
    return tables.decode(found.headers) if found.headers is not None else {}

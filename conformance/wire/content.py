"""Content headers: the class, the body's size and the basic properties of a message."""

import struct
from typing import Any, Final

from conformance.wire.values import FIXED, Field, Reader, encode_shortstr, encode_table, plain_table

BASIC: Final = 60
# The basic properties, from flag bit 15 downwards (specification 4.2.6.1).
PROPERTIES: Final = {
    "content_type": "shortstr",
    "content_encoding": "shortstr",
    "headers": "table",
    "delivery_mode": "octet",
    "priority": "octet",
    "correlation_id": "shortstr",
    "reply_to": "shortstr",
    "expiration": "shortstr",
    "message_id": "shortstr",
    "timestamp": "timestamp",
    "type": "shortstr",
    "user_id": "shortstr",
    "app_id": "shortstr",
    "cluster_id": "shortstr",
}


def encode_header(body_size: int, properties: dict[str, Any], class_id: int = BASIC, weight: int = 0) -> bytes:
    """A header frame's payload; raises KeyError for a property that does not exist."""
    flags, values = 0, b""
    for position, (name, kind) in enumerate(PROPERTIES.items()):
        if name in properties:
            flags |= 1 << (15 - position)
            values += _encode_property(kind, properties[name])
    if unknown := properties.keys() - PROPERTIES.keys():
        raise KeyError(f"no properties {sorted(unknown)}")
    return struct.pack(">HHQH", class_id, weight, body_size, flags) + values


def _encode_property(kind: str, value: Any) -> bytes:
    if kind == "table":
        return encode_table(value)
    if kind == "shortstr":
        return encode_shortstr(value)
    return bytes([value]) if kind == "octet" else FIXED["T"].pack(value)


class Header:
    """A decoded content header."""

    def __init__(self, payload: bytes) -> None:
        reader = Reader(payload)
        self.class_id = reader.number("H")
        self.weight = reader.number("H")
        self.body_size = reader.number("Q")
        self.properties: dict[str, Any] = {}
        self.typed_headers: dict[str, Field] = {}
        self._read_properties(reader, reader.number("H"))

    def _read_properties(self, reader: Reader, flags: int) -> None:
        for position, (name, kind) in enumerate(PROPERTIES.items()):
            if flags & 1 << (15 - position):
                self.properties[name] = self._read_property(reader, kind)

    def _read_property(self, reader: Reader, kind: str) -> Any:
        if kind == "table":
            self.typed_headers = reader.typed_table()
            return plain_table(self.typed_headers)
        if kind == "shortstr":
            return reader.shortstr()
        return reader.number("B" if kind == "octet" else "Q")

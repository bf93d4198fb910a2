"""Field tables (specification 4.2.5.5) with RabbitMQ's value types: decode, encode, and edit without decoding.

A table travels as bytes for as long as possible: what a client sent is stored and sent on as it came. `decode` gives Python
values; octets that are not UTF-8 survive in strings as surrogate escapes.
"""

from __future__ import annotations

from decimal import Decimal
from struct import Struct
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.errors import BadSyntax

DEPTH_LIMIT: Final = 64
"""Tables and arrays nest at most this deep: a deeper one is an attack on the reader's stack."""

TYPE_NAMES: Final = {
    "t": "bool", "b": "byte", "B": "unsignedbyte", "s": "short", "u": "unsignedshort", "I": "signedint",
    "i": "unsignedint", "l": "long", "L": "long", "f": "float", "d": "double", "D": "decimal", "S": "longstr",
    "A": "array", "T": "timestamp", "F": "table", "V": "void", "x": "binary",
}  # fmt: skip
"""What RabbitMQ calls each value type in its error texts."""

_FIXED: Final = {
    "b": Struct(">b"), "B": Struct(">B"), "s": Struct(">h"), "u": Struct(">H"), "I": Struct(">i"), "i": Struct(">I"),
    "l": Struct(">q"), "L": Struct(">q"), "f": Struct(">f"), "d": Struct(">d"), "T": Struct(">Q"),
}  # fmt: skip
_U32: Final = Struct(">I")
_DECIMAL: Final = Struct(">Bi")
_INT32_MAX: Final = 2**31 - 1
_INT64_MAX: Final = 2**63 - 1


@mypyc_attr(native_class=False)
class Timestamp(int):
    """Seconds since the epoch, told apart from plain integers so that it is encoded as type T."""


@mypyc_attr(native_class=False)
class Long(int):
    """An integer that is encoded as type l however small it is."""


class Field:
    """One field of a table: its name, the letter of its type, its Python value, and where its bytes lie."""

    def __init__(self, name: str, tag: str, value: object, start: int, end: int) -> None:
        self.name: Final = name
        self.tag: Final = tag
        self.value: Final = value
        self.start: Final = start
        self.end: Final = end

    @property
    def type_name(self) -> str:
        """The type as RabbitMQ names it in error texts."""
        return TYPE_NAMES[self.tag]


def decode(table: bytes) -> dict[str, object]:
    """The table's values by name; table is without its length prefix. Raises BadSyntax."""
    return {field.name: field.value for field in fields(table)}


def fields(table: bytes, depth: int = 0) -> list[Field]:
    """The table's fields in order; of a name given twice the last one counts in `decode`. Raises BadSyntax."""
    found: list[Field] = []
    position, end = 0, len(table)
    while position < end:
        start = position
        stop = position + 1 + table[position]
        if stop >= end:
            raise BadSyntax("field table is cut short")
        name = table[position + 1 : stop].decode("utf-8", "surrogateescape")
        tag = chr(table[stop])
        value, position = _value(table, tag, stop + 1, depth)
        found.append(Field(name, tag, value, start, position))
    return found


def _value(data: bytes, tag: str, position: int, depth: int) -> tuple[object, int]:
    fixed = _FIXED.get(tag)
    if fixed is not None:
        stop = _within(data, position + fixed.size)
        number = fixed.unpack_from(data, position)[0]
        return (Timestamp(number) if tag == "T" else number), stop
    if tag == "S" or tag == "x" or tag == "F" or tag == "A":
        start = _within(data, position + 4)
        stop = _within(data, start + _U32.unpack_from(data, position)[0])
        return _sized(data[start:stop], tag, depth), stop
    if tag == "t":
        stop = _within(data, position + 1)
        return data[position] != 0, stop
    if tag == "V":
        return None, position
    if tag == "D":
        stop = _within(data, position + 5)
        scale, unscaled = _DECIMAL.unpack_from(data, position)
        return Decimal(unscaled).scaleb(-scale), stop
    raise BadSyntax(f"field table has a value of unknown type {ord(tag)}")


def _sized(data: bytes, tag: str, depth: int) -> object:
    if tag == "S":
        return data.decode("utf-8", "surrogateescape")
    if tag == "x":
        return data
    if depth >= DEPTH_LIMIT:
        raise BadSyntax(f"field table nests deeper than {DEPTH_LIMIT} levels")
    if tag == "F":
        return {field.name: field.value for field in fields(data, depth + 1)}
    values: list[object] = []
    position = 0
    while position < len(data):
        value, position = _value(data, chr(data[position]), position + 1, depth + 1)
        values.append(value)
    return values


def _within(data: bytes, stop: int) -> int:
    if stop > len(data):
        raise BadSyntax("field table is cut short")
    return stop


def encode(table: dict[str, object]) -> bytes:
    """The table without its length prefix, each value in the type that fits it: the inverse of `decode` by value."""
    return b"".join([_name(name) + _encoded(value) for name, value in table.items()])


def _name(name: str) -> bytes:
    octets = name.encode("utf-8", "surrogateescape")
    if len(octets) > 255:
        raise BadSyntax("field name is longer than 255 octets")
    return bytes((len(octets),)) + octets


def _encoded(value: object) -> bytes:
    if isinstance(value, bool):
        return b"t\x01" if value else b"t\x00"
    if isinstance(value, str):
        return _long(b"S", value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Timestamp):
        return b"T" + _FIXED["T"].pack(value)
    if isinstance(value, Long):
        return b"l" + _FIXED["l"].pack(value)
    if isinstance(value, int):
        if -_INT32_MAX - 1 <= value <= _INT32_MAX:
            return b"I" + _FIXED["I"].pack(value)
        if -_INT64_MAX - 1 <= value <= _INT64_MAX:
            return b"l" + _FIXED["l"].pack(value)
        raise BadSyntax("integer does not fit 64 bits")
    if isinstance(value, dict):
        return _long(b"F", encode(value))
    if isinstance(value, list):
        return _long(b"A", b"".join([_encoded(item) for item in value]))
    if isinstance(value, float):
        return b"d" + _FIXED["d"].pack(value)
    if value is None:
        return b"V"
    if isinstance(value, bytes):
        return _long(b"x", value)
    if isinstance(value, Decimal):
        return _decimal(value)
    raise BadSyntax(f"a field table cannot hold a value of type {type(value).__name__}")


def _long(tag: bytes, octets: bytes) -> bytes:
    return tag + _U32.pack(len(octets)) + octets


def _decimal(value: Decimal) -> bytes:
    _sign, _digits, exponent = value.as_tuple()
    scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    if value.is_finite() and scale <= 255 and -_INT32_MAX - 1 <= (unscaled := int(value.scaleb(scale))) <= _INT32_MAX:
        return b"D" + _DECIMAL.pack(scale, unscaled)
    raise BadSyntax("decimal does not fit a field table")


def without(table: bytes, name: str) -> bytes:
    """The table less the fields of that name; every other field keeps its bytes. Raises BadSyntax."""
    unwanted = _name(name)
    kept: list[bytes] = []
    start, end = 0, len(table)
    while start < end:
        stop = start + 1 + table[start]
        if stop >= end:
            raise BadSyntax("field table is cut short")
        following = _behind(table, chr(table[stop]), stop + 1)
        if table[start:stop] != unwanted:
            kept.append(table[start:following])
        start = following
    return b"".join(kept)


def _behind(table: bytes, tag: str, position: int) -> int:
    """Where the value at a position ends."""
    fixed = _FIXED.get(tag)
    if fixed is not None:
        return _within(table, position + fixed.size)
    if tag == "S" or tag == "x" or tag == "F" or tag == "A":
        start = _within(table, position + 4)
        return _within(table, start + _U32.unpack_from(table, position)[0])
    return _value(table, tag, position, 0)[1]

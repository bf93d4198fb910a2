"""Field values: encodes Python values as AMQP fields, and decodes fields with or without their type tags."""

import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Table = dict[str, Any]


class Field(NamedTuple):
    """A field value with its type tag, for the cases that care which of the equal-looking types is on the wire."""

    tag: str
    value: Any


FIXED: Final[dict[str, struct.Struct]] = {
    "t": struct.Struct(">?"),
    "b": struct.Struct(">b"),
    "B": struct.Struct(">B"),
    "s": struct.Struct(">h"),
    "u": struct.Struct(">H"),
    "I": struct.Struct(">i"),
    "i": struct.Struct(">I"),
    "l": struct.Struct(">q"),
    "L": struct.Struct(">q"),
    "f": struct.Struct(">f"),
    "d": struct.Struct(">d"),
    "T": struct.Struct(">Q"),
    "D": struct.Struct(">Bi"),
}


def encode_shortstr(value: str | bytes) -> bytes:
    """Up to 255 octets behind their length; raises ValueError when longer."""
    octets = value if isinstance(value, bytes) else value.encode()
    if len(octets) > 255:
        raise ValueError(f"a short string holds 255 octets, not {len(octets)}")
    return bytes([len(octets)]) + octets


def encode_longstr(value: str | bytes) -> bytes:
    """Any number of octets behind their 32-bit length."""
    octets = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">I", len(octets)) + octets


def encode_table(table: Table) -> bytes:
    """A field table, in the order of the dictionary."""
    return encode_longstr(b"".join(encode_shortstr(key) + encode_field(value) for key, value in table.items()))


def encode_field(value: Any) -> bytes:
    """A field with its tag; plain Python values take the tag that most clients use for them."""
    field = value if isinstance(value, Field) else tagged(value)
    return field.tag.encode() + _encode_tagged(field.tag, field.value)


def tagged(value: Any) -> Field:
    """Chooses the tag for a plain Python value; raises TypeError for a value that has none."""
    if value is None:
        return Field("V", None)
    if isinstance(value, bool):
        return Field("t", value)
    if isinstance(value, int):
        return Field("I" if -(2**31) <= value < 2**31 else "l", value)
    for kind, tag in ((float, "d"), ((str, bytes), "S"), (list, "A"), (dict, "F")):
        if isinstance(value, kind):
            return Field(tag, value)
    raise TypeError(f"no field type for {value!r}")


def _encode_tagged(tag: str, value: Any) -> bytes:
    if tag == "V":
        return b""
    if tag == "F":
        return encode_table(value)
    if tag == "A":
        return encode_longstr(b"".join(map(encode_field, value)))
    if tag == "D":
        return FIXED[tag].pack(*value)
    if tag in FIXED:
        return FIXED[tag].pack(value)
    return encode_longstr(value)


class Reader:
    """Reads AMQP values one after the other from octets; raises IndexError or struct.error at their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        if self.offset + count > len(self.data):
            raise IndexError(f"{count} octets wanted, {len(self.data) - self.offset} left")
        self.offset += count
        return self.data[self.offset - count : self.offset]

    def number(self, layout: str) -> int:
        """One integer of the given struct layout."""
        return int(struct.unpack(">" + layout, self.take(struct.calcsize(">" + layout)))[0])

    def shortstr(self) -> str:
        """A short string; octets that are not UTF-8 become escapes."""
        return self.take(self.number("B")).decode(errors="backslashreplace")

    def longstr(self) -> bytes:
        """The octets of a long string."""
        return self.take(self.number("I"))

    def typed_table(self) -> dict[str, Field]:
        """A field table with the type tag of every value."""
        inner, table = Reader(self.longstr()), {}
        while inner.offset < len(inner.data):
            key = inner.shortstr()
            table[key] = inner.field()
        return table

    def table(self) -> Table:
        """A field table as plain Python values."""
        return plain_table(self.typed_table())

    def field(self) -> Field:
        """One field with its tag; raises ValueError for a tag that does not exist."""
        tag = self.take(1).decode("latin-1")
        if tag in FIXED:
            values = FIXED[tag].unpack(self.take(FIXED[tag].size))
            return Field(tag, values if tag == "D" else values[0])
        if tag not in _VARIABLE:
            raise ValueError(f"no field type {tag!r}")
        return Field(tag, _VARIABLE[tag](self))

    def array(self) -> list[Field]:
        """A field array with the type tag of every item."""
        inner, items = Reader(self.longstr()), []
        while inner.offset < len(inner.data):
            items.append(inner.field())
        return items


_VARIABLE: Final[dict[str, Callable[[Reader], Any]]] = {
    "S": Reader.longstr,
    "x": Reader.longstr,
    "A": Reader.array,
    "F": Reader.typed_table,
    "V": lambda _: None,
}


def plain_table(table: dict[str, Field]) -> Table:
    """A typed table without its tags."""
    return {key: plain(field) for key, field in table.items()}


def plain(field: Field) -> Any:
    """A field's value without tags; long strings become text where they are UTF-8."""
    if field.tag == "F":
        return plain_table(field.value)
    if field.tag == "A":
        return [plain(item) for item in field.value]
    if field.tag == "S":
        try:
            return field.value.decode()
        except UnicodeDecodeError:
            return field.value
    return field.value

import struct
from decimal import Decimal

import pytest

from amqpd.errors import BadSyntax
from amqpd.wire import tables
from amqpd.wire.tables import DEPTH_LIMIT, Timestamp

FIELDS: list[tuple[bytes, object]] = [
    (b"t\x01", True),
    (b"t\x00", False),
    (b"b\xfe", -2),
    (b"B\xfe", 254),
    (b"s\xff\xfe", -2),
    (b"u\xff\xfe", 65534),
    (b"I\xff\xff\xff\xfe", -2),
    (b"i\xff\xff\xff\xfe", 4294967294),
    (b"l" + struct.pack(">q", -(2**63)), -(2**63)),
    (b"L" + struct.pack(">q", -5), -5),
    (b"f\x3f\xc0\x00\x00", 1.5),
    (b"d" + struct.pack(">d", 0.1), 0.1),
    (b"D\x02\x00\x00\x00\x7b", Decimal("1.23")),
    (b"D\x00\xff\xff\xff\xff", Decimal(-1)),
    (b"S\x00\x00\x00\x02hi", "hi"),
    (b"x\x00\x00\x00\x02\xff\x00", b"\xff\x00"),
    (b"T\x00\x00\x00\x00\x5f\x5e\x10\x00", 1_600_000_000),
    (b"V", None),
    (b"A\x00\x00\x00\x03t\x01V", [True, None]),
    (b"F\x00\x00\x00\x04\x01nb\x05", {"n": 5}),
]
ALL = b"".join([bytes((2,)) + b"%02d" % number + field for number, (field, _) in enumerate(FIELDS)])


def nested(tag: bytes, depth: int) -> bytes:
    """A table whose only field is an array or a table, nested so deep."""
    inner = b""
    for _ in range(depth):
        name = b"\x01n" if tag == b"F" else b""
        inner = name + tag + len(inner).to_bytes(4, "big") + inner
    return inner if tag == b"F" else b"\x01n" + inner


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_every_type_is_read(field: bytes, value: object) -> None:
    """RabbitMQ's value types, with the letters that it gives them (1.1)."""
    found = tables.decode(b"\x01n" + field)["n"]

    assert value == found
    assert type(value) is type(found) or field[:1] == b"T"


def test_fields_lie_where_they_say() -> None:
    """Each field knows the letter of its type, and start and end of its bytes."""
    found = tables.fields(ALL)

    assert [b"%02d" % number + field for number, (field, _) in enumerate(FIELDS)] == [
        ALL[field.start + 1 : field.end] for field in found
    ]
    assert [field[:1].decode() for field, _ in FIELDS] == [field.tag for field in found]
    assert [found[0].type_name, found[6].type_name, found[14].type_name] == ["bool", "signedint", "longstr"]


def test_every_truncation_is_a_syntax_error() -> None:
    """At each octet that does not end a field; and nothing but BadSyntax comes of it."""
    ends = {field.end for field in tables.fields(ALL)} | {0}
    for stop in range(len(ALL)):
        if stop in ends:
            tables.decode(ALL[:stop])
        else:
            with pytest.raises(BadSyntax):
                tables.decode(ALL[:stop])


@pytest.mark.parametrize("tag", [b"F", b"A"])
def test_depth_is_limited(tag: bytes) -> None:
    """As deep as the limit is read; deeper is refused before any stack overflows."""
    tables.decode(nested(tag, DEPTH_LIMIT))
    for depth in (DEPTH_LIMIT + 1, 10_000):
        with pytest.raises(BadSyntax, match="nests deeper than 64 levels"):
            tables.decode(nested(tag, depth))


def test_unknown_types_are_refused() -> None:
    """The text names the octet."""
    with pytest.raises(BadSyntax, match="unknown type 90"):
        tables.decode(b"\x01nZ")


def test_the_last_of_equal_names_counts() -> None:
    """A dictionary has one value a name; the fields have both."""
    table = b"\x01nb\x01\x01nb\x02"

    assert {"n": 2} == tables.decode(table)
    assert [1, 2] == [field.value for field in tables.fields(table)]


def test_values_are_written_in_the_type_that_fits() -> None:
    """Integers by size, and timestamps, bytes and nothing apart from numbers and text."""
    values = {"i": 1, "l": 1 << 40, "t": True, "T": Timestamp(5), "d": 0.5, "S": "s", "x": b"s", "V": None, "A": [1], "F": {}}

    assert ["I", "l", "t", "T", "d", "S", "x", "V", "A", "F"] == [field.tag for field in tables.fields(tables.encode(values))]


@pytest.mark.parametrize("number", [-(2**31), 2**31 - 1])
def test_decimals_of_every_size(number: int) -> None:
    """Whatever decimal can be read can be written."""
    table = b"\x01nD\x05" + struct.pack(">i", number)

    assert table == tables.encode(tables.decode(table))


@pytest.mark.parametrize(
    "value",
    [2**63, -(2**63) - 1, Decimal("NaN"), Decimal(2**31), Decimal("1E-256"), {"x" * 256: 1}, object(), {1, 2}],
)
def test_what_cannot_be_written(value: object) -> None:
    """BadSyntax, whatever it is."""
    with pytest.raises(BadSyntax):
        tables.encode({"n": value})


def test_without_keeps_every_other_byte() -> None:
    """All fields of the name go, the others stay as they came, in types that would not be written so."""
    table = b"\x03CCCb\x01" + b"\x01nb\x01" + b"\x01mL" + bytes(8) + b"\x01nV"

    assert table.replace(b"\x01nb\x01", b"").replace(b"\x01nV", b"") == tables.without(table, "n")
    assert table == tables.without(table, "other")
    assert b"" == tables.without(b"", "n")


def test_without_passes_over_every_type() -> None:
    """Wherever a value ends, the next field begins."""
    values: dict[str, object] = {
        "i": 1, "l": 1 << 40, "t": True, "V": None, "D": Decimal("1.5"), "S": "text", "A": [1, "a"], "F": {"n": 1}, "x": b"b",
    }  # fmt: skip
    for name in values:
        rest: dict[str, object] = {other: value for other, value in values.items() if other != name}
        assert tables.encode(rest) == tables.without(tables.encode(values), name)


def test_without_needs_whole_fields() -> None:
    """A table that is cut short anywhere but between two fields is refused."""
    table = tables.encode({"n": 1, "other": "text"})
    for length in set(range(len(table))) - {0, len(tables.encode({"n": 1}))}:
        with pytest.raises(BadSyntax):
            tables.without(table[:length], "x")


def test_text_need_not_be_utf_8() -> None:
    """Names and strings of any octets come back as they were."""
    table = b"\x02\xff\xfeS\x00\x00\x00\x02\xfd\xfc"

    assert table == tables.encode(tables.decode(table))

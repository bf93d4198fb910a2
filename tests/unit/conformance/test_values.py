"""The codec of field values that the suite speaks with."""

import pytest

from conformance.wire.values import Field, Reader, encode_field, encode_longstr, encode_shortstr, encode_table, tagged

FIELDS = [
    Field("t", True),
    Field("b", -128),
    Field("B", 255),
    Field("s", -2),
    Field("u", 65535),
    Field("I", -(2**31)),
    Field("i", 2**32 - 1),
    Field("l", -(2**63)),
    Field("f", 1.5),
    Field("d", 0.1),
    Field("D", (2, -314)),
    Field("T", 2**40),
    Field("V", None),
    Field("S", b"\xff"),
    Field("x", b"\x00\x01"),
    Field("A", [Field("t", False), Field("F", {"k": Field("V", None)})]),
]


@pytest.mark.parametrize("field", FIELDS, ids=[field.tag for field in FIELDS])
def test_fields_come_back_with_their_tags(field: Field) -> None:
    """Every type of field is decoded to what was encoded."""
    assert field == Reader(encode_field(field)).field()


def test_layout_of_a_table() -> None:
    """A table is its length, then names as short strings before tagged values."""
    assert b"\x00\x00\x00\x04\x01at\x01" == encode_table({"a": True})


@pytest.mark.parametrize(
    ("value", "tag"),
    [(None, "V"), (False, "t"), (1, "I"), (2**31, "l"), (1.0, "d"), ("x", "S"), (b"x", "S"), ([1], "A"), ({}, "F")],
)
def test_tags_of_plain_values(value: object, tag: str) -> None:
    """Plain Python values take the tags that most clients use."""
    assert tag == tagged(value).tag


def test_values_without_a_type_are_refused() -> None:
    """A value that AMQP has no type for raises TypeError."""
    with pytest.raises(TypeError, match="no field type"):
        tagged(object())


def test_short_strings_are_short() -> None:
    """A short string holds 255 octets and no more."""
    assert b"\xff" + b"x" * 255 == encode_shortstr("x" * 255)
    with pytest.raises(ValueError, match="255"):
        encode_shortstr("x" * 256)


def test_what_ends_early_is_reported() -> None:
    """Octets that end inside a value raise IndexError."""
    with pytest.raises(IndexError, match="left"):
        Reader(encode_longstr("abc")[:-1]).longstr()


def test_unknown_tags_are_reported() -> None:
    """A tag that does not exist raises ValueError."""
    with pytest.raises(ValueError, match="no field type"):
        Reader(b"Z").field()

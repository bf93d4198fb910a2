from datetime import UTC, datetime
from decimal import Decimal

import pytest

from amqpd.wire import tables
from amqpd.wire.tables import Long, Timestamp
from exchanges.values import canonical, term, type_name

SIZES = {"t": 1, "b": 1, "B": 1, "s": 2, "u": 2, "l": 8, "L": 8, "d": 8, "T": 8, "D": 5, "V": 0}
"""How many octets values of a type have; of the others, four."""


@pytest.mark.parametrize(
    ("value", "name", "written"),
    [
        (1, "signedint", "1"),
        (-(2**31), "signedint", "-2147483648"),
        (2**31, "long", "2147483648"),
        (1.5, "double", "1.5"),
        (True, "bool", "true"),
        (None, "void", "undefined"),
        ("a", "longstr", '<<"a">>'),
        (b"", "binary", "<<>>"),
        (bytearray(b"a"), "binary", '<<"a">>'),
        (Decimal("1.5"), "decimal", "1.5"),
        (["a", [1]], "array", '[{longstr,<<"a">>},{array,[{signedint,1}]}]'),
        ({"a": None, "b": 1}, "table", '[{<<"a">>,void,undefined},{<<"b">>,signedint,1}]'),
    ],
)
def test_names_and_terms(value: object, name: str, written: str) -> None:
    """Types and values are written as in RabbitMQ's error texts."""
    assert (name, written) == (type_name(value), term(value))


def test_type_name_of_a_timestamp() -> None:
    """A timestamp has its own type."""
    assert type_name(datetime(2020, 1, 1, tzinfo=UTC)) == "timestamp"
    assert ("timestamp", "5") == (type_name(Timestamp(5)), term(Timestamp(5)))


def test_type_name_of_a_long() -> None:
    """An integer that is sent as a long is one, however small."""
    assert ("long", "5") == (type_name(Long(5)), term(Long(5)))


@pytest.mark.parametrize("tag", tables.TYPE_NAMES)
def test_every_value_of_a_table_has_a_type(tag: str) -> None:
    """Whatever a client can send has one of the names that RabbitMQ has for types."""
    (value,) = tables.decode(b"\x01k" + tag.encode() + bytes(SIZES.get(tag, 4))).values()

    assert type_name(value) in tables.TYPE_NAMES.values()


def test_canonical_values_are_values_of_a_field_table() -> None:
    """What no field table can hold is a mistake of the caller, not a silent match."""
    with pytest.raises(TypeError):
        canonical(object())

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from amqpd.wire import tables
from amqpd.wire.tables import Long, Timestamp
from exchanges.values import canonical, identity, term, type_name

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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 0}, {"a": -0.0}),
        ({"a": 2**53}, {"a": 2.0**53}),
        ({"a": [{"b": 5}]}, {"a": [{"b": Long(5)}]}),
        ({"a": Timestamp(5)}, {"a": 5}),
        ({"a": "x\udcff"}, {"a": b"x\xff"}),
        ({"a": Decimal("1.5")}, {"a": Decimal("1.50")}),
        ({"a": Decimal(0)}, {"a": Decimal("0.000")}),
        ({"a": float("nan")}, {"a": float("nan")}),
    ],
)
def test_identity_of_equal_tables(one: dict[str, object], other: dict[str, object]) -> None:
    """However a table is written, its identity is the same."""
    assert identity(one) == identity(other)


def test_identity_of_different_tables() -> None:
    """Each table that differs in a name, a value or a kind of value has an identity of its own."""
    values: list[object] = [
        0, 1, 2, 1.5, 2**53 + 1, 2.0**53, float("inf"), True, False, None, "1", "None", "", "bool", "'",
        Decimal(1), Decimal("1.5"), [], {}, [1], ["1"], [[1]], {"a": 1}, ["a", 1], ["bool", True], [True],
    ]  # fmt: skip
    found: list[dict[str, object]] = [{}, *[{"a": value} for value in values], {"b": 1}, {"a": 1, "b": 1}]

    assert len(found) == len({identity(table) for table in found})

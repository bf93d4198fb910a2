from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.values import canonical, term, type_name


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


def test_canonical_values_are_values_of_a_field_table() -> None:
    """What no field table can hold is a mistake of the caller, not a silent match."""
    with pytest.raises(TypeError):
        canonical(object())

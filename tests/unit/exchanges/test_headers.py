from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.base import ArgumentError
from exchanges.headers import HeadersExchange

NOW = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "headers", "matches"),
    [
        ({}, {}, True),
        ({}, {"a": 1}, True),
        ({"x-match": "all"}, {"a": 1}, True),
        ({"x-match": "any"}, {"a": 1}, False),
        ({"x-match": "all-with-x"}, {}, True),
        ({"x-match": "any-with-x"}, {}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"x-match": "any", "a": 1, "b": 2}, {"b": 2}, True),
        ({"x-match": "any", "a": 1, "b": 2}, {"a": 2, "b": 1}, False),
        ({"x-match": "any", "x-a": 1}, {"x-a": 1}, False),
        ({"x-match": "all", "x-a": 1}, {}, True),
        ({"x-match": "all-with-x", "x-a": 1}, {}, False),
        ({"x-match": "all-with-x", "x-a": 1}, {"x-a": 1}, True),
        ({"x-match": "any-with-x", "x-a": 1}, {"x-a": 1}, True),
        ({"x-match": "all-with-x", "a": 1, "x-a": 1}, {"a": 1}, False),
        ({"x-match": "any-with-x", "a": 1}, {"x-match": "any-with-x"}, False),
        ({"a": None}, {"a": 5}, True),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {}, False),
        ({"a": 5}, {"a": None}, False),
        ({"x-match": "any", "a": None}, {"a": 1}, True),
        ({"x-match": "any", "a": None}, {"b": 1}, False),
    ],
)
def test_modes(arguments: dict[str, object], headers: dict[str, object], matches: bool) -> None:
    """All four modes, fields that begin with x-, fields without value: each line was seen at RabbitMQ 3.10."""
    exchange = HeadersExchange("x")
    exchange.bind("queue", "ignored", arguments)

    assert matches == ("queue" in exchange.match("", headers))


@pytest.mark.parametrize(
    ("bound", "header", "same"),
    [
        (1, 1, True),
        (1, 2**40, False),
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (False, 0, False),
        (True, True, True),
        ("x", b"x", True),
        ("x", bytearray(b"x"), True),
        ("\udcff", b"\xff", True),
        ([1, "b"], [1, "b"], True),
        ([1, "b"], ["b", 1], False),
        ([1], [True], False),
        ([1], {"a": 1}, False),
        ({"a": [None], "b": 2}, {"b": 2, "a": [None]}, True),
        ({"a": 1}, {"a": 2}, False),
        (Decimal("1.5"), Decimal("1.5"), True),
        (Decimal(1), 1, False),
        (NOW, NOW, True),
        (NOW, int(NOW.timestamp()), True),
    ],
)
def test_values(bound: object, header: object, same: bool) -> None:
    """Values are compared as RabbitMQ does: numbers by value, true is no number, text and octets alike."""
    exchange = HeadersExchange("x")
    exchange.bind("queue", "", {"a": bound})

    assert same == ("queue" in exchange.match("", {"a": header}))


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (23, "field type signedint (value 23); expected longstr"),
        (2**40, "field type long (value 1099511627776); expected longstr"),
        (True, "field type bool (value true); expected longstr"),
        (False, "field type bool (value false); expected longstr"),
        (1.5, "field type double (value 1.5); expected longstr"),
        (None, "field type void (value undefined); expected longstr"),
        (b"all", 'field type binary (value <<"all">>); expected longstr'),
        ([1], "field type array (value [{signedint,1}]); expected longstr"),
        ({"a": 1}, 'field type table (value [{<<"a">>,signedint,1}]); expected longstr'),
        ("some", 'field value <<"some">>; expected all, any, all-with-x, or any-with-x'),
        ("", "field value <<>>; expected all, any, all-with-x, or any-with-x"),
    ],
)
def test_wrong_mode(mode: object, text: str) -> None:
    """An unknown x-match is refused in RabbitMQ's words, and nothing is bound."""
    exchange = HeadersExchange("x")

    with pytest.raises(ArgumentError) as raised:
        exchange.bind("queue", "", {"x-match": mode})
    assert f"Invalid x-match {text}" == str(raised.value)
    assert not exchange.in_use


def test_unbound_patterns_match_no_more() -> None:
    """An unbind takes away its own pattern, not the others of the queue."""
    exchange = HeadersExchange("x")
    exchange.bind("queue", "", {"a": 1})
    exchange.bind("queue", "", {"a": 2})
    exchange.unbind("queue", "", {"a": 1})

    assert list(exchange.match("", {"a": 1})) == []
    assert list(exchange.match("", {"a": 2})) == ["queue"]
    assert not exchange.routes_by_key

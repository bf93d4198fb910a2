import pytest

from exchanges.base import ArgumentError, Exchange, property_header
from exchanges.hashing import (
    MAX_WEIGHT,
    ConsistentHashExchange,
    LocalRandomExchange,
    ModulusHashExchange,
    RandomExchange,
    digest,
    jump,
)


def tally(exchange: Exchange, messages: int = 1000) -> dict[str, int]:
    """How many of the messages, each with its own routing key, went to each queue."""
    counts: dict[str, int] = {}
    for number in range(messages):
        for queue in exchange.match(f"key {number}", {}):
            counts[str(queue)] = counts.get(str(queue), 0) + 1
    return counts


@pytest.mark.parametrize("exchange_type", [ConsistentHashExchange, ModulusHashExchange, RandomExchange])
def test_each_message_goes_to_one_destination(exchange_type: type[Exchange]) -> None:
    """One destination a message, every destination gets some, an exchange may be one; no bindings, no route."""
    exchange = exchange_type("x")
    assert list(exchange.match("key", {})) == []

    target = exchange_type("target")
    exchange.bind("one", "1", {})
    exchange.bind("two", "1", {})
    exchange.bind(target, "1", {})
    assert all(len(list(exchange.match(str(number), {}))) == 1 for number in range(100))
    assert len(tally(exchange)) == 3
    assert not exchange.matches_each_key

    exchange.unbind("one", "1", {})
    exchange.unbind_all(target)
    assert tally(exchange) == {"two": 1000}

    exchange.unbind_all("two")
    assert list(exchange.match("key", {})) == []


@pytest.mark.parametrize("exchange_type", [ConsistentHashExchange, ModulusHashExchange])
def test_a_key_keeps_its_destination(exchange_type: type[Exchange]) -> None:
    """Another exchange with the same bindings, as after a restart, routes each key alike."""
    before, after = exchange_type("x"), exchange_type("x")
    for exchange in (before, after):
        for queue in "abcde":
            exchange.bind(queue, "3", {})

    assert [list(before.match(str(n), {})) for n in range(100)] == [list(after.match(str(n), {})) for n in range(100)]
    assert before.routes_by_key


def test_hash_is_fixed() -> None:
    """The hash and the jump are part of what is promised to stay over releases."""
    assert digest("") == 0xE4A6_A057_7479_B2B4
    assert digest("\udcff") != digest("\udcfe")
    assert [jump(digest(str(n)), 10) for n in range(8)] == [2, 3, 9, 2, 3, 0, 5, 1]


def test_weights() -> None:
    """A destination with weight 3 gets about three times the messages of one with weight 1."""
    exchange = ConsistentHashExchange("x")
    exchange.bind("light", "1", {})
    exchange.bind("heavy", "3", {})
    counts = tally(exchange, 4000)

    assert counts["light"] == pytest.approx(1000, rel=0.15)
    assert counts["heavy"] == pytest.approx(3000, rel=0.15)


def test_only_the_first_binding_of_a_destination_counts() -> None:
    """A second weight for a queue has no effect while the first one stands."""
    exchange = ConsistentHashExchange("x")
    exchange.bind("one", "1", {})
    exchange.bind("two", "1", {})
    before = tally(exchange)
    exchange.bind("one", "50", {})
    assert before == tally(exchange)

    exchange.unbind("one", "1", {})
    assert tally(exchange)["one"] > 900


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        ("", "The binding key must be an integer: <<>>"),
        ("a", 'The binding key must be an integer: <<"a">>'),
        ("1.5", 'The binding key must be an integer: <<"1.5">>'),
        (" 2", 'The binding key must be an integer: <<" 2">>'),
        ("2\n", 'The binding key must be an integer: <<"2\n">>'),
        ("1_0", 'The binding key must be an integer: <<"1_0">>'),
        ("٣", 'The binding key must be an integer: <<"٣">>'),
        ("0", "The binding key must be greater than 0"),
        ("-1", "The binding key must be greater than 0"),
        ("65536", "The binding key must not exceed 65535"),
        ("9" * 255, "The binding key must not exceed 65535"),
    ],
)
def test_wrong_weight(weight: str, text: str) -> None:
    """A binding key that is no weight is refused in RabbitMQ's words."""
    exchange = ConsistentHashExchange("x")

    with pytest.raises(ArgumentError) as raised:
        exchange.bind("queue", weight, {})
    assert text == str(raised.value)
    assert not exchange.in_use


@pytest.mark.parametrize("weight", ["1", "01", "+2", str(MAX_WEIGHT)])
def test_right_weight(weight: str) -> None:
    """Decimal integers from 1 to the greatest weight are accepted, with sign and leading zeros."""
    exchange = ConsistentHashExchange("x")
    exchange.bind("queue", weight, {})

    assert list(exchange.match("key", {})) == ["queue"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"hash-header": "h"}, "h"), ({"hash-property": "message_id"}, property_header("message_id"))],
)
def test_hash_of_a_field(arguments: dict[str, object], field: str) -> None:
    """With hash-header or hash-property the field decides, not the routing key; messages without it go together."""
    exchange = ConsistentHashExchange("x", arguments=arguments)
    for queue in "abc":
        exchange.bind(queue, "1", {})

    assert len({str(*exchange.match("key", {field: n})) for n in range(100)}) == 3
    assert len({str(*exchange.match(str(n), {field: "same"})) for n in range(100)}) == 1
    assert len(tally(exchange)) == 1
    assert not exchange.routes_by_key


def test_wanted_properties() -> None:
    """Only an exchange that hashes a property wants the properties of messages."""
    assert ConsistentHashExchange("x", arguments={"hash-property": "timestamp"}).wants_properties
    assert not ConsistentHashExchange("x", arguments={"hash-header": "timestamp"}).wants_properties
    assert property_header("timestamp") == "\0property:timestamp"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"hash-header": "a", "hash-property": "message_id"}, "hash-header and hash-property are mutually exclusive"),
        ({"hash-property": "priority"}, "Unsupported property: priority"),
        ({"hash-property": ""}, "Unsupported property: "),
        ({"hash-header": 5}, "hash-header must be a string"),
        ({"hash-property": None}, "hash-property must be a string"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], text: str) -> None:
    """Arguments that name nothing hashable are refused at the declare."""
    with pytest.raises(ArgumentError) as raised:
        ConsistentHashExchange("x", arguments=arguments)
    assert text == str(raised.value)


def test_modulus_does_not_depend_on_the_order_of_binding() -> None:
    """Destinations stand in the order of their names, each once, whatever the binding keys."""
    forth, back = ModulusHashExchange("x"), ModulusHashExchange("x")
    for queue in "abc":
        forth.bind(queue, "", {})
    for queue in "cba":
        back.bind(queue, "any", {})
        back.bind(queue, "other", {})

    assert tally(forth) == tally(back)


def test_random_routes_are_not_cacheable() -> None:
    """A random choice is made anew for each message."""
    assert not RandomExchange("x").routes_by_key


def test_a_local_random_exchange_takes_no_binding_key() -> None:
    """Apart from that it is a random exchange."""
    exchange = LocalRandomExchange("x")
    with pytest.raises(ArgumentError, match="Non empty binding 'key' key not permitted"):
        exchange.bind("queue", "key", {})
    exchange.bind("one", "", {})
    exchange.bind("two", "", {})
    assert {"one", "two"} == set(tally(exchange))

import pytest

from exchanges.base import ArgumentError, Exchange, binding_key
from exchanges.default import DefaultExchange
from exchanges.direct import DirectExchange
from exchanges.headers import HeadersExchange


def test_bind_twice_is_one_binding() -> None:
    """A second identical bind changes nothing, whatever the order of its arguments and of tables within them."""
    exchange = DirectExchange("source")
    first = exchange.bind("queue", "key", {"a": 1, "b": {"c": [1], "d": None}})

    assert first is not None
    assert exchange.bind("queue", "key", {"b": {"d": None, "c": [1]}, "a": 1}) is None
    assert [first] == list(exchange.bindings.values())
    assert exchange.generation == 1


@pytest.mark.parametrize(
    ("destination", "routing_key", "arguments"),
    [("other", "key", {}), ("queue", "other", {}), ("queue", "key", {"a": 1}), ("queue", "key", {"a": True})],
)
def test_bindings_differ(destination: str, routing_key: str, arguments: dict[str, object]) -> None:
    """Destination, routing key and arguments each make another binding."""
    exchange = DirectExchange("source")
    exchange.bind("queue", "key", {})
    exchange.bind("queue", "key", {"a": "1"})

    assert exchange.bind(destination, routing_key, arguments) is not None or arguments == {}
    assert exchange.unbind(destination, routing_key, arguments) is not None
    assert len(exchange.bindings) == 2


def test_argument_types_differ() -> None:
    """True, 1 and "1" are different arguments; integers of any width, and text as bytes, are the same."""
    exchange = DirectExchange("source")

    assert exchange.bind("queue", "", {"a": 1}) is not None
    assert exchange.bind("queue", "", {"a": True}) is not None
    assert exchange.bind("queue", "", {"a": "1"}) is not None
    assert exchange.bind("queue", "", {"a": b"1"}) is None


def test_a_queue_and_an_exchange_of_one_name_are_two_destinations() -> None:
    """The kind of a destination is part of a binding's identity."""
    source, target = DirectExchange("source"), DirectExchange("same")

    assert source.bind("same", "key", {}) is not None
    assert source.bind(target, "key", {}) is not None
    assert source.unbind("same", "key", {}) is not None
    assert [target] == list(source.match("key", {}))


def test_binding_tells_its_parts() -> None:
    """A binding holds source, destination, routing key and arguments as they were given."""
    exchange = DirectExchange("source")
    binding = exchange.bind("queue", "key", {"a": [1]})

    assert binding is not None
    assert (exchange, "queue", "key", {"a": [1]}) == (
        binding.source,
        binding.destination,
        binding.routing_key,
        binding.arguments,
    )
    assert binding is exchange.bindings[binding.key]


def test_bindings_with_arguments_of_one_hash() -> None:
    """Numbers whose hashes are known to be the same make keys that do not meet in a dictionary."""
    numbers = [*[2.0 ** (61 * power) for power in range(-16, 17)], *[2**61 + number * (2**61 - 1) for number in range(1, 4)]]
    assert {1} == {hash(number) for number in numbers}

    assert len(numbers) == len({hash(binding_key("queue", "", {"a": number})) for number in numbers})


def test_unbind_of_a_missing_binding() -> None:
    """An unbind that finds nothing returns None and leaves the generation."""
    exchange = DirectExchange("source")
    exchange.bind("queue", "key", {})

    assert exchange.unbind("queue", "other", {}) is None
    assert exchange.unbind_all("other") == []
    assert exchange.generation == 1


def test_unbind_all() -> None:
    """All bindings to one destination go, each grows the generation, and the others stay."""
    exchange = DirectExchange("source")
    first = exchange.bind("going", "a", {})
    exchange.bind("staying", "a", {})
    second = exchange.bind("going", "b", {})

    assert [first, second] == exchange.unbind_all("going")
    assert exchange.generation == 5
    assert list(exchange.match("a", {})) == ["staying"]
    assert list(exchange.match("b", {})) == []
    assert exchange.unbind_all("going") == []


def test_use() -> None:
    """An exchange is in use while it has bindings, and remembers that it had one."""
    exchange = DirectExchange("source")
    assert (exchange.in_use, exchange.was_bound) == (False, False)

    exchange.bind("queue", "", {})
    assert (exchange.in_use, exchange.was_bound) == (True, True)

    exchange.unbind("queue", "", {})
    assert (exchange.in_use, exchange.was_bound) == (False, True)


def test_exchange_destinations() -> None:
    """An exchange is among the exchange destinations while a binding leads to it; queues are not."""
    source, target = DirectExchange("source"), DirectExchange("target")
    source.bind("queue", "", {})
    source.bind(target, "a", {})
    source.bind(target, "b", {})
    source.unbind(target, "a", {})
    assert [target] == list(source.exchange_destinations)

    source.unbind(target, "b", {})
    assert list(source.exchange_destinations) == []

    source.bind(target, "a", {})
    source.unbind_all(target)
    assert list(source.exchange_destinations) == []


def test_properties() -> None:
    """Name and properties are kept as given; the alternate exchange is read from the arguments."""
    exchange = DirectExchange("x", durable=True, auto_delete=True, internal=True, arguments={"alternate-exchange": "y"})

    assert (exchange.name, exchange.durable, exchange.auto_delete, exchange.internal) == ("x", True, True, True)
    assert exchange.arguments == {"alternate-exchange": "y"}
    assert exchange.alternate == "y"


@pytest.mark.parametrize("arguments", [None, {}, {"alternate-exchange": ""}])
def test_no_alternate(arguments: dict[str, object] | None) -> None:
    """No alternate exchange, and one with the empty name, is none: nothing ever goes to the default exchange."""
    assert DirectExchange("x", arguments=arguments).alternate is None


@pytest.mark.parametrize(
    ("alternate", "name"),
    [(5, "signedint"), (2**31, "long"), (True, "bool"), (None, "void"), ([], "array"), ({}, "table"), (b"y", "binary")],
)
def test_alternate_of_a_wrong_type(alternate: object, name: str) -> None:
    """An alternate exchange that is no string is refused in RabbitMQ's words."""
    with pytest.raises(ArgumentError) as raised:
        DirectExchange("x", arguments={"alternate-exchange": alternate})
    assert str(raised.value) == f"invalid type '{name}' for arg 'alternate-exchange' in exchange 'x'"


def test_default_exchange() -> None:
    """The default exchange routes each key to the queue of that name, is cacheable and cannot be bound."""
    exchange = DefaultExchange("", durable=True)

    assert list(exchange.match("some queue", {})) == ["some queue"]
    assert exchange.routes_by_key
    with pytest.raises(ArgumentError, match="operation not permitted on the default exchange"):
        exchange.bind("queue", "key", {})
    assert not exchange.was_bound


def test_a_type_written_elsewhere() -> None:
    """A subclass from outside sets its flags, refuses bindings and keeps an index through its hooks."""

    class Loud(Exchange):
        type = "x-loud"

        def _set_up(self) -> None:
            self.routes_by_key = False
            self.heard: list[str] = []

        def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
            if routing_key.islower():
                raise ArgumentError("louder")

        def _added(self, binding: object) -> None:
            self.heard.append("added")

        def _removed(self, binding: object) -> None:
            self.heard.append("removed")

    exchange = Loud("x")
    with pytest.raises(ArgumentError, match="louder"):
        exchange.bind("queue", "key", {})
    exchange.bind("queue", "KEY", {})
    exchange.unbind_all("queue")

    assert exchange.heard == ["added", "removed"]
    assert not exchange.routes_by_key
    with pytest.raises(NotImplementedError):
        exchange.match("", {})


def test_a_binding_is_checked_without_being_made() -> None:
    """What `bind` would refuse is refused; what it would take leaves no trace."""
    exchange = HeadersExchange("h")
    with pytest.raises(ArgumentError):
        exchange.check_binding("", {"x-match": "bogus"})
    exchange.check_binding("", {"x-match": "any"})

    assert ({}, 0) == (exchange.bindings, exchange.generation)

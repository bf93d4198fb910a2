import pytest

from exchanges import registry
from exchanges.base import ArgumentError, property_header
from exchanges.registry import UnknownType


def test_it_routes_as_the_type_that_it_delays() -> None:
    """Bindings come and go in the inner exchange, with its checks, and its flags are shown."""
    topic = registry.create("x-delayed-message", "x", arguments={"x-delayed-type": "topic"})
    topic.bind("queue", "a.*", {})
    assert ["queue"] == list(topic.match("a.b", {}))
    assert [] == list(topic.match("b", {}))
    topic.unbind("queue", "a.*", {})
    assert [] == list(topic.match("a.b", {}))
    topic.bind("queue", "#", {})
    topic.unbind_all("queue")
    assert ([], True) == (list(topic.match("a.b", {})), topic.routes_by_key)

    arguments: dict[str, object] = {"x-delayed-type": "x-consistent-hash", "hash-property": "message_id"}
    hashing = registry.create("x-delayed-message", "x", arguments=arguments)
    with pytest.raises(ArgumentError, match="The binding key must be an integer"):
        hashing.bind("queue", "no number", {})
    hashing.bind("queue", "1", {})
    assert ["queue"] == list(hashing.match("", {property_header("message_id"): "m"}))
    assert (True, False) == (hashing.wants_properties, hashing.matches_each_key)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "'x-delayed-type' must be an existing exchange type"),
        ({"x-delayed-type": 1}, "'x-delayed-type' must be an existing exchange type"),
        ({"x-delayed-type": "x-delayed-message"}, "'x-delayed-message' can't be used for 'x-delayed-type'"),
    ],
)
def test_its_type_must_be_another(arguments: dict[str, object], problem: str) -> None:
    """The texts are those of RabbitMQ's plugin."""
    with pytest.raises(ArgumentError) as error:
        registry.create("x-delayed-message", "x", arguments=arguments)
    assert f"Invalid argument, {problem}" == str(error.value)


def test_its_type_must_be_known() -> None:
    """An unknown one is refused as it is anywhere else."""
    with pytest.raises(UnknownType, match="unknown exchange type 'nothing'"):
        registry.create("x-delayed-message", "x", arguments={"x-delayed-type": "nothing"})

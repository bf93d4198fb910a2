import pytest

from exchanges.base import ArgumentError
from exchanges.recent_history import DEFAULT_LENGTH, RecentHistoryExchange


def test_it_routes_to_all() -> None:
    """As a fanout exchange, whatever the keys; how much it remembers is told."""
    exchange = RecentHistoryExchange("x", arguments={"x-recent-history-length": 3})
    exchange.bind("one", "a", {})
    exchange.bind("two", "b", {})
    assert ["one", "two"] == sorted(str(queue) for queue in exchange.match("c", {}))
    assert (3, DEFAULT_LENGTH) == (exchange.length, RecentHistoryExchange("x").length)


@pytest.mark.parametrize(
    ("length", "shown"), [(0, "0"), (-1, "-1"), ("5", '<<"5">>'), (True, "true"), (None, "undefined"), (2.5, "2.5")]
)
def test_its_length_is_checked(length: object, shown: str) -> None:
    """In RabbitMQ's words."""
    with pytest.raises(ArgumentError) as error:
        RecentHistoryExchange("x", arguments={"x-recent-history-length": length})
    assert f"Invalid argument {shown}, 'x-recent-history-length' must be a positive integer" == str(error.value)

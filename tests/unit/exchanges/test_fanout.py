from exchanges.fanout import FanoutExchange


def test_everyone() -> None:
    """Every destination matches whatever the routing key, and once for all keys of a message."""
    exchange = FanoutExchange("x")
    target = FanoutExchange("target")
    exchange.bind("one", "a", {})
    exchange.bind("one", "b", {})
    exchange.bind(target, "", {})

    assert list(exchange.match("nobody's", {})) == ["one", target]
    assert not exchange.matches_each_key

    exchange.unbind("one", "a", {})
    exchange.unbind_all(target)
    assert list(exchange.match("", {})) == ["one"]

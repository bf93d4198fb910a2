from exchanges.direct import DirectExchange


def test_exact_key() -> None:
    """Only bindings of exactly the routing key match; wildcards are plain characters, any character may occur."""
    exchange = DirectExchange("x")
    exchange.bind("one", "a.b", {})
    exchange.bind("two", "a.*", {})
    exchange.bind("three", "\udcff", {})

    assert list(exchange.match("a.b", {})) == ["one"]
    assert list(exchange.match("a.*", {})) == ["two"]
    assert list(exchange.match("\udcff", {})) == ["three"]
    assert list(exchange.match("", {})) == []


def test_a_destination_bound_twice_stays_until_both_bindings_are_gone() -> None:
    """Bindings that differ in their arguments alone count each."""
    exchange = DirectExchange("x")
    exchange.bind("queue", "key", {})
    exchange.bind("queue", "key", {"a": 1})

    exchange.unbind("queue", "key", {})
    assert list(exchange.match("key", {})) == ["queue"]

    exchange.unbind("queue", "key", {"a": 1})
    assert list(exchange.match("key", {})) == []

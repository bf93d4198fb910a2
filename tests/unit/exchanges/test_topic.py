import pytest

from exchanges.topic import CACHED_DESTINATIONS, CACHED_ROUTES, TopicExchange, Walk, pattern_of, words_of


@pytest.mark.parametrize(
    ("pattern", "routing_key", "matches"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.b.c", False),
        ("a.b", "a", False),
        ("*", "a", True),
        ("*", "a.b", False),
        ("*", "", False),
        ("*a", "ba", False),
        ("*.*", ".", True),
        ("*.b", ".b", True),
        ("a.*", "a.", True),
        ("a..b", "a..b", True),
        ("a.*.b", "a..b", True),
        ("a.b", "a..b", False),
        ("", "", True),
        ("", ".", False),
        ("#", "", True),
        ("#", "a.b.c", True),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#", "b", False),
        ("#.a", "a", True),
        ("#.a", "b.a", True),
        ("#.a", "a.b", False),
        ("#.a.#", "b.a.c", True),
        ("#.#", "", True),
        ("*.#", "", False),
        ("#.*", "a", True),
        ("#.*.#.*", "a", False),
        ("#.*.#.*", "a.b", True),
        ("a.*", "a.*", True),
        ("a.#", "a.#", True),
        ("a.b", "a.*", False),
        ("a.b", "a.#", False),
        ("\udcff.*", "\udcff.x", True),
    ],
)
def test_patterns(pattern: str, routing_key: str, matches: bool) -> None:
    """AMQP 0-9-1 section 3.1.3.3, with empty words as words and no words in the empty key, as in RabbitMQ."""
    exchange = TopicExchange("x")
    exchange.bind("queue", pattern, {})

    assert matches == ("queue" in exchange.match(routing_key, {}))


def test_a_route_is_forgotten_with_each_change_of_the_bindings() -> None:
    """Cached routes never outlive a bind, an unbind or the going of a queue."""
    exchange = TopicExchange("x")
    assert list(exchange.match("a", {})) == []

    exchange.bind("one", "a", {})
    assert list(exchange.match("a", {})) == ["one"]

    exchange.bind("two", "*", {})
    assert sorted(map(str, exchange.match("a", {}))) == ["one", "two"]

    exchange.unbind("one", "a", {})
    assert list(exchange.match("a", {})) == ["two"]

    exchange.unbind_all("two")
    assert list(exchange.match("a", {})) == []


def test_cached_routes_are_bounded_and_the_least_used_goes_first() -> None:
    """The cache keeps a bounded number of routes, those used last."""
    exchange = TopicExchange("x")
    exchange.bind("queue", "#", {})
    for number in range(CACHED_ROUTES):
        exchange.match(str(number), {})
    kept, dropped = exchange.match("0", {}), exchange.match("1", {})
    for number in range(2, CACHED_ROUTES):
        exchange.match(str(number), {})
    assert kept is exchange.match("0", {})

    exchange.match("one more", {})
    assert kept is exchange.match("0", {})
    assert dropped is not exchange.match("1", {})


def test_a_long_route_is_not_cached() -> None:
    """A route to very many destinations does not stay in memory for each routing key."""
    exchange = TopicExchange("x")
    for number in range(CACHED_DESTINATIONS + 1):
        exchange.bind(str(number), "#", {})

    assert exchange.match("a", {}) is not exchange.match("a", {})
    assert len(list(exchange.match("a", {}))) == CACHED_DESTINATIONS + 1


def test_many_wildcards_do_not_explode() -> None:
    """A pattern of the longest key that fails at its last word is decided, although its `#` match in 2^84 ways."""
    exchange = TopicExchange("x")
    exchange.bind("queue", "#.a." * 60 + "end", {})

    assert list(exchange.match("a." * 100 + "other", {})) == []
    assert list(exchange.match("a." * 100 + "end", {})) == ["queue"]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [("#.#.#", "#"), ("#.*", "*.#"), ("a.#.*.#.*.b.#", "a.*.*.#.b.#"), ("*.#", "*.#"), ("", ""), (".#..", ".#..")],
)
def test_wildcards_in_one_order(key: str, pattern: str) -> None:
    """A run of wildcards is kept as its stars and one `#` (invariant 4)."""
    assert words_of(pattern) == pattern_of(key)


def test_bindings_of_one_pattern() -> None:
    """Keys that match the same share their place, and each is unbound for itself."""
    exchange = TopicExchange("x")
    for pattern in ("#.*", "*.#", "#.*.#"):
        exchange.bind("queue", pattern, {})
    for pattern in ("*.#", "#.*"):
        exchange.unbind("queue", pattern, {})
    assert list(exchange.match("a.b", {})) == ["queue"]

    exchange.unbind("queue", "#.*.#", {})
    assert list(exchange.match("a.b", {})) == []


def test_what_a_later_repeat_covers_is_not_walked_again() -> None:
    """Of patterns with many `#` only what stands between the last one reached and the next one is looked at."""
    exchange = TopicExchange("x")
    for last in "bcd":
        exchange.bind("queue", "#.a.a." * 40 + last, {})
    exchange.bind("side", "#.a.a.side", {})
    walk = Walk(exchange._root)
    looked_at = 0
    for word in ["a"] * 100:
        looked_at = max(looked_at, len(walk.reached) + len(walk.staying))
        walk.advance(word)

    assert looked_at <= 6
    assert list(exchange.match("a." * 100 + "c", {})) == ["queue"]
    assert list(exchange.match("a." * 100 + "side", {})) == ["side"]

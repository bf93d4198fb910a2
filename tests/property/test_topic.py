import re

from hypothesis import given
from hypothesis import strategies as st

from exchanges.topic import Node, TopicExchange

words = st.sampled_from(["a", "b", "", "a\n", "*", "#"])
keys = st.lists(words, max_size=6).map(".".join)


def oracle(pattern: str, routing_key: str) -> bool:
    """Whether a pattern matches, decided by a regular expression over the words, each closed by a dot."""
    if not pattern:
        return not routing_key
    expression = {"*": r"(?:[^.]*\.)", "#": r"(?:[^.]*\.)*"}
    regex = "".join(expression.get(word, re.escape(word) + r"\.") for word in pattern.split("."))
    return re.fullmatch(regex, routing_key + "." if routing_key else "") is not None


def nodes(node: Node) -> int:
    """The size of a trie."""
    return 1 + sum(nodes(child) for child in node.children.values())


@given(st.lists(keys, max_size=8), keys)
def test_trie_matches_as_a_regular_expression_does(patterns: list[str], routing_key: str) -> None:
    """Any set of patterns routes any key to exactly those queues whose pattern's regular expression matches."""
    exchange = TopicExchange("x")
    for number, pattern in enumerate(patterns):
        exchange.bind(str(number), pattern, {})

    expected = {str(number) for number, pattern in enumerate(patterns) if oracle(pattern, routing_key)}
    assert expected == set(exchange.match(routing_key, {}))


@given(st.lists(keys, max_size=8), st.lists(keys, max_size=8), st.lists(keys, min_size=1))
def test_unbound_patterns_leave_no_trace(kept: list[str], gone: list[str], routing_keys: list[str]) -> None:
    """After an unbind the trie routes, and is built, as if the bindings had never been."""
    exchange, fresh = TopicExchange("x"), TopicExchange("x")
    for pattern in kept:
        fresh.bind("kept", pattern, {})
        exchange.bind("kept", pattern, {})
    for pattern in gone:
        exchange.bind("gone", pattern, {})
    for pattern in gone:
        exchange.unbind("gone", pattern, {})

    for routing_key in routing_keys:
        assert set(fresh.match(routing_key, {})) == set(exchange.match(routing_key, {}))
    assert nodes(fresh._root) == nodes(exchange._root)

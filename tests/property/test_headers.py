from hypothesis import given
from hypothesis import strategies as st

from exchanges.headers import HeadersExchange

names = st.sampled_from(["a", "b", "x-a", "x-match", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "1", "all", "any-with-x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=3,
)
tables = st.dictionaries(names, values, max_size=4)
modes = st.sampled_from(["all", "any", "all-with-x", "any-with-x"])


def same(left: object, right: object) -> bool:
    """Whether two values without floats, timestamps or octets are the same in type and value."""
    return repr(ordered(left)) == repr(ordered(right))


def ordered(value: object) -> object:
    """The value with all tables in one order."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def oracle(mode: str, pattern: dict[str, object], headers: dict[str, object]) -> bool:
    """Whether a pattern matches, word by word as the rules are told."""
    if not mode.endswith("-with-x"):
        pattern = {name: value for name, value in pattern.items() if not name.startswith("x-")}
    verdicts = [name in headers and (value is None or same(value, headers[name])) for name, value in pattern.items()]
    return all(verdicts) if mode.startswith("all") else any(verdicts)


@given(modes, tables, tables)
def test_matching_follows_the_rules(mode: str, pattern: dict[str, object], headers: dict[str, object]) -> None:
    """Any pattern in any mode matches exactly as the rules, naively applied, say."""
    pattern.pop("x-match", None)
    exchange = HeadersExchange("x")
    exchange.bind("queue", "", {**pattern, "x-match": mode})

    assert oracle(mode, pattern, headers) == ("queue" in exchange.match("", headers))

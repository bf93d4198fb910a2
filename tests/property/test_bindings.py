from hypothesis import given
from hypothesis import strategies as st

from exchanges.registry import create

types = st.sampled_from(["direct", "fanout", "headers", "topic", "x-consistent-hash", "x-modulus-hash"])
bindings = st.tuples(
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from([{}, {"a": 1}, {"a": True}, {"x-match": "any", "b": None}]),
)
headers_seen: list[dict[str, object]] = [{}, {"a": 1}, {"a": True}, {"b": 2}]
probes = [(key, headers) for key in "123" for headers in headers_seen]


@given(types, st.lists(bindings), st.lists(bindings))
def test_unbind_undoes_bind(
    type_name: str, kept: list[tuple[str, str, dict[str, object]]], more: list[tuple[str, str, dict[str, object]]]
) -> None:
    """Whatever is bound and unbound on top of other bindings leaves each type routing as before."""
    exchange = create(type_name, "x")
    for binding in kept:
        exchange.bind(*binding)
    before = [set(exchange.match(key, headers)) for key, headers in probes]
    keys = list(exchange.bindings)

    added = [binding for binding in more if exchange.bind(*binding) is not None]
    for binding in reversed(added):
        assert exchange.unbind(*binding) is not None

    assert keys == list(exchange.bindings)
    assert before == [set(exchange.match(key, headers)) for key, headers in probes]
    assert exchange.generation == len(keys) + 2 * len(added)


@given(types, st.lists(bindings))
def test_unbind_all_is_unbind_of_each(type_name: str, bound: list[tuple[str, str, dict[str, object]]]) -> None:
    """The going of a queue removes exactly its bindings."""
    exchange, fresh = create(type_name, "x"), create(type_name, "x")
    for binding in bound:
        exchange.bind(*binding)
        if binding[0] != "one":
            fresh.bind(*binding)

    assert {"one"} >= {binding.destination for binding in exchange.unbind_all("one")}
    assert list(fresh.bindings) == list(exchange.bindings)
    for key, headers in probes:
        assert set(fresh.match(key, headers)) == set(exchange.match(key, headers))

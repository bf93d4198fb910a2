"""The PROXY protocol: any bytes give a route, None for "more is needed", or one kind of error."""

from hypothesis import given
from hypothesis import strategies as st

from amqpd.protocol.proxy import LONGEST, SIGNATURE, ProxyError, parse

LINES = st.builds(
    lambda words, end: b"PROXY " + b" ".join(words) + end,
    st.lists(st.sampled_from([b"TCP4", b"TCP6", b"UNKNOWN", b"1.2.3.4", b"::1", b"80", b"99999", b"", b"\xff"]), max_size=7),
    st.sampled_from([b"\r\n", b"\n", b"", b"\r\nAMQP"]),
)
BLOCKS = st.builds(lambda rest: SIGNATURE + rest, st.binary(max_size=300))


def outcome(data: bytes) -> object:
    """What the parser makes of it, as something to compare."""
    try:
        route = parse(data)
    except ProxyError:
        return "refused"
    return route and (route.size, route.source, route.destination)


@given(st.one_of(st.binary(max_size=200), LINES, BLOCKS))
def test_any_bytes(data: bytes) -> None:
    """A route lies within the data, and what is not decided by LONGEST octets is refused."""
    found = outcome(data)
    if isinstance(found, tuple):
        assert 0 < found[0] <= len(data)
    elif found is None:
        assert outcome(data.ljust(LONGEST, b"\xff")) is not None


@given(st.one_of(LINES, BLOCKS), st.binary(max_size=40))
def test_what_follows_changes_nothing(data: bytes, following: bytes) -> None:
    """Once there is a route or a refusal, more octets lead to the same."""
    found = outcome(data)
    if found is not None:
        assert found == outcome(data + following)

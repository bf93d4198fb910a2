from hypothesis import given
from hypothesis import strategies as st

from exchanges.base import Destination
from exchanges.hashing import ConsistentHashExchange, digest, jump

KEYS = [f"key {number}" for number in range(400)]


@given(st.integers(0, 2**64 - 1), st.integers(1, 10_000))
def test_jump_stays_or_goes_to_the_new_bucket(hashed: int, buckets: int) -> None:
    """One bucket more: a hash keeps its bucket or moves to the new one, never to another."""
    assert 0 <= jump(hashed, buckets) < buckets
    assert jump(hashed, buckets + 1) in {jump(hashed, buckets), buckets}


@given(st.text(st.characters(codec=None)))
def test_digest_takes_any_text(text: str) -> None:
    """Every text, lone surrogates too, has a hash of 64 bits."""
    assert 0 <= digest(text) < 2**64


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.integers(1, 20))
def test_one_more_queue_takes_its_share_and_moves_nothing_else(weights: list[int], weight: int) -> None:
    """Keys that move go to the new queue, and these are about its share of the weights."""
    exchange = ConsistentHashExchange("x")
    for number, old in enumerate(weights):
        exchange.bind(str(number), str(old), {})
    before: list[list[Destination]] = [list(exchange.match(key, {})) for key in KEYS]
    exchange.bind("new", str(weight), {})
    after = [list(exchange.match(key, {})) for key in KEYS]

    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    share = len(KEYS) * weight / (sum(weights) + weight)
    assert all(new == ["new"] for new in moved)
    assert abs(share - len(moved)) < 60

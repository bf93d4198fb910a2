import pytest

from amqpd.broker.clock import Clock
from amqpd.broker.pace import Bucket, Pace


def test_a_burst_is_free_and_the_rest_is_owed() -> None:
    """A second's worth may come at once; every message beyond has to be waited for (1, 2)."""
    bucket = Bucket(10, 0)
    assert [0.0] * 10 == [bucket.take(0) for _ in range(10)]
    assert [0.1, 0.2] == [bucket.take(0), bucket.take(0)]
    assert bucket.take(200) == pytest.approx(0.1)


def test_a_bucket_does_not_overflow() -> None:
    """Silence saves up no more than one burst (1)."""
    bucket = Bucket(2, 0)
    bucket.take(0)
    assert [0.0, 0.0, 0.5] == [bucket.take(1_000_000) for _ in range(3)]


def test_user_and_virtual_host_both_limit() -> None:
    """The longer wait counts; others are not limited, and nobody is once the limits are gone."""
    pace = Pace(Clock())
    limited = [pace.is_limited]
    pace.limit_user("u", 2)
    pace.limit_vhost("v", 1)
    assert [0.0, 1.0, 2.0] == [pace.published("u", "v") for _ in range(3)]
    assert [0.0, 0.0] == [pace.published("x", "y"), pace.published("x", "y")]
    pace.limit_user("u", -1)
    limited.append(pace.is_limited)
    pace.limit_vhost("v", -1)
    limited.append(pace.is_limited)
    assert [False, True, False] == limited
    assert pace.published("u", "v") == 0


def test_the_same_limit_again_changes_nothing() -> None:
    """Whoever owes goes on owing."""
    pace = Pace(Clock())
    for _ in range(2):
        pace.limit_user("u", 1)
        pace.published("u", "v")
    assert pace.published("u", "v") == 2

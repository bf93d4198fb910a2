import random

import pytest
from torture.steadiness import Growth, Limit, Sample, by_minute, growth, troughs, warm

HOUR = 55
NOISE = Limit(0.05, 2.0)


def noisy(level: float) -> float:
    """A value within two hundredths of a level."""
    return level * random.uniform(0.98, 1.02)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(7)


def judged(values: list[float], limit: Limit = NOISE) -> Growth:
    """The growth of one value a minute."""
    return growth([(float(minute), value) for minute, value in enumerate(values)], limit)


def test_noise_is_no_growth() -> None:
    """What only goes up and down stays within its limit."""
    found = judged([noisy(100) for _ in range(HOUR)])
    assert not found.has_grown
    assert abs(found.by_line) < found.allowed == pytest.approx(5, rel=0.05)


def sawtooth(leak: float) -> list[Sample]:
    """A backlog that grows for 3.5 minutes and is drained, and what leaks in an hour."""
    times = [5.0 * at for at in range(HOUR * 12)]
    return [{"seconds": time, "bytes": 100 + time % 210 + leak * time / 3600} for time in times]


def test_a_sawtooth_is_judged_by_its_troughs() -> None:
    """A backlog that comes and goes is no growth, and hides none."""
    assert not growth(troughs(sawtooth(0), "bytes"), NOISE).has_grown
    assert growth(troughs(sawtooth(10), "bytes"), NOISE).has_grown


def test_a_leak_is_growth() -> None:
    """A tenth more over the run is found by both ways of looking."""
    found = judged([noisy(100 + 10 * minute / HOUR) for minute in range(HOUR)])
    assert found.has_grown
    assert min(found.last - found.first, found.by_line) > found.allowed


def test_a_late_step_is_growth() -> None:
    """What grew only in the last quarter is seen, although there is hardly a slope."""
    found = judged([100.0] * 47 + [106.0] * 8)
    assert found.has_grown
    assert found.by_line < found.allowed < found.last - found.first


def test_growth_that_ends_before_the_last_quarter_is_growth() -> None:
    """It does not matter when it grew."""
    assert judged([100.0] * 20 + [110.0] * 35).has_grown


def test_growth_between_equal_ends_is_growth_by_line() -> None:
    """The line finds what the quarters hide: more and more until half of the last quarter."""
    values = [100.0] * 14 + [100.0 + 2 * minute for minute in range(34)] + [100.0] * 7
    assert judged(values).has_grown


def test_less_is_not_growth() -> None:
    """Whatever shrinks is welcome."""
    assert not judged([100.0 - minute for minute in range(HOUR)]).has_grown


def test_nothing_may_grow_where_nothing_is_allowed() -> None:
    """A limit of no noise finds a single thread more."""
    assert judged([5.0] * 30 + [6.0] * 25, Limit(0, 0.5)).has_grown
    assert not judged([5.0] * HOUR, Limit(0, 0.5)).has_grown


def test_a_run_of_three_minutes_is_not_judged() -> None:
    """There are no quarters."""
    with pytest.raises(ValueError, match="too short"):
        judged([1.0, 1.0, 1.0])


def test_a_minute_is_the_median_of_its_samples() -> None:
    """One peak in a minute is not its value; a minute of which there is a second, or nothing, is passed over."""
    samples = [{"seconds": 5.0 * at, "ms": 900.0 if at == 3 else float(at // 12)} for at in range(24)]
    samples += [{"seconds": 120.0, "ms": 900.0}, {"seconds": 121.0}]
    assert [(0.0, 0.0), (1.0, 1.0)] == by_minute(samples, "ms")


def test_the_first_fifth_is_not_judged() -> None:
    """A quarter of an hour, which leaves an hour."""
    samples = [{"seconds": float(minute * 60)} for minute in range(76)]
    assert (900.0, 4500.0) == (warm(samples)[0]["seconds"], warm(samples)[-1]["seconds"])

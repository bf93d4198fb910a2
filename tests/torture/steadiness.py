"""Whether what was sampled grew: judged twice, by a line through all of the run and by its first and last quarter."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

Sample = dict[str, float]
MINUTE: Final = 60.0
WARM_UP: Final = 1 / 5
"""The share of a run that is not judged, a quarter of an hour before an hour: histories of ten minutes fill, files take the
size of the highest backlog."""


class Limit(NamedTuple):
    """How much more of something at the end of a run is noise: a share of what it was, or so much of it if that is more."""

    share: float
    least: float


class Growth(NamedTuple):
    """What became of one thing over a run, in its own unit."""

    first: float
    """The median of the first quarter."""
    last: float
    """The median of the last quarter."""
    by_line: float
    """How much it grew from begin to end by least squares."""
    allowed: float

    @property
    def has_grown(self) -> bool:
        """Whether either way of looking finds more than is allowed."""
        return max(self.last - self.first, self.by_line) > self.allowed


def growth(minutes: Sequence[tuple[float, float]], limit: Limit) -> Growth:
    """Judge the (minute, value) pairs of a run, in order; ValueError if there are fewer than four."""
    if len(minutes) < 4:
        raise ValueError("too short to tell")
    quarter = len(minutes) // 4
    values = [value for _, value in minutes]
    first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
    slope = statistics.linear_regression(*zip(*minutes, strict=True)).slope
    by_line = slope * (minutes[-1][0] - minutes[0][0])
    return Growth(first, last, by_line, max(limit.share * abs(first), limit.least))


def by_minute(samples: Iterable[Sample], name: str) -> list[tuple[float, float]]:
    """The median of each minute in which something was sampled, without those that a run only touches."""
    return _by_window(samples, name, MINUTE, statistics.median)


def troughs(samples: Iterable[Sample], name: str) -> list[tuple[float, float]]:
    """The least of each five minutes in which something was sampled: what is left of a backlog that comes and goes faster."""
    return _by_window(samples, name, 5 * MINUTE, min)


def _by_window(
    samples: Iterable[Sample], name: str, seconds: float, of: Callable[[list[float]], float]
) -> list[tuple[float, float]]:
    windows: defaultdict[float, list[float]] = defaultdict(list)
    for sample in samples:
        if name in sample:
            windows[sample["seconds"] // seconds * seconds / MINUTE].append(sample[name])
    enough = max(map(len, windows.values()), default=0) / 2
    return [(minute, of(values)) for minute, values in sorted(windows.items()) if len(values) >= enough]


def warm(samples: Sequence[Sample]) -> list[Sample]:
    """The samples after the warm-up."""
    begin, end = samples[0]["seconds"], samples[-1]["seconds"]
    return [sample for sample in samples if sample["seconds"] >= begin + WARM_UP * (end - begin)]

import re
from xml.etree import ElementTree as ET

import pytest
from benchmarks.chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, axis, short

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: Chart) -> ET.Element:
    """The chart, read back."""
    return ET.fromstring(chart.svg())  # noqa: S314 - written a moment ago


def dots(chart: Chart) -> list[tuple[float, float]]:
    """Where its points stand."""
    return [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawn(chart).iter(f"{SVG}circle")]


def test_every_point_is_a_dot_inside_the_frame() -> None:
    """All points of all lines are drawn, none outside of the axes."""
    chart = Chart("t", "x", "y", {"a": [(1, 5), (1000, 99)], "b": [(30, 0)]})
    assert 3 == len(dots(chart))
    assert [] == [dot for dot in dots(chart) if not (LEFT <= dot[0] <= WIDTH - RIGHT and TOP <= dot[1] <= HEIGHT)]


def test_more_is_higher_and_further_right() -> None:
    """A larger value stands above a smaller one, on either kind of axis."""
    for is_logarithmic in (False, True):
        chart = Chart("t", "x", "y", {"a": [(1, 2), (10, 4000)]}, is_logarithmic, is_logarithmic)
        (x1, y1), (x2, y2) = dots(chart)
        assert (True, True) == (x1 < x2, y1 > y2)


def test_logarithmic_axis_gives_each_power_the_same_room() -> None:
    """From 1 to 10 is as far as from 10 to 100."""
    xs = [x for x, _ in dots(Chart("t", "x", "y", {"a": [(1, 1), (10, 1), (100, 1)]}))]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.11)


def test_names_are_in_the_legend_and_escaped() -> None:
    """Titles and names come back as they were, whatever is in them."""
    texts = [each.text for each in drawn(Chart("a < b", "x", "y", {"p & q": [(1, 1)]})).iter(f"{SVG}text")]
    assert {"a < b", "p & q", "x", "y"} <= set(texts)


def test_colours_do_without_a_background() -> None:
    """Nothing is black or white, which would vanish on one kind of page."""
    text = Chart("t", "x", "y", {"a": [(1, 1)]}).svg()
    assert set() == {"#000000", "#ffffff", "#000", "#fff"} & set(re.findall(r"#[0-9a-f]+", text))


def test_a_chart_without_points() -> None:
    """There is nothing to draw."""
    with pytest.raises(ValueError, match="without points"):
        Chart("t", "x", "y", {"a": []}).svg()


@pytest.mark.parametrize(
    ("values", "is_logarithmic", "expected"),
    [
        ([0, 93], False, [0, 20, 40, 60, 80, 100]),
        ([400_000], False, [0, 100_000, 200_000, 300_000, 400_000]),
        ([0], False, [0, 1]),
        ([16, 262_144], True, [10, 100, 1_000, 10_000, 100_000, 1_000_000]),
        ([100], True, [100, 1_000]),
    ],
)
def test_ticks(values: list[float], is_logarithmic: bool, expected: list[float]) -> None:
    """An axis begins at zero or a power of ten and reaches its largest value."""
    assert expected == pytest.approx(axis(values, is_logarithmic))


@pytest.mark.parametrize(("value", "expected"), [(0, "0"), (0.5, "0.5"), (20_000, "20k"), (1_500_000, "1.5M")])
def test_short_numbers(value: float, expected: str) -> None:
    """Thousands and millions are letters."""
    assert expected == short(value)

"""Line charts as SVG, readable on light and dark pages: no background, middle colours."""

import math
from collections.abc import Callable
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 720
HEIGHT: Final = 360
LEFT: Final = 76
RIGHT: Final = 16
TOP: Final = 64
BOTTOM: Final = 48
INK: Final = "#808890"
COLOURS: Final = ("#3b82f6", "#d97706", "#16a34a", "#c026d3", "#0891b2", "#dc2626")
DASHES: Final = ("", "6 4", "2 3", "10 4 2 4", "1 4", "8 2")
TICKS: Final = 5
PREFIXES: Final = ((1e6, "M"), (1e3, "k"))

Points = list[tuple[float, float]]
Position = Callable[[float], float]


class Chart(NamedTuple):
    """What a chart shows: lines by name over one axis each way, which begin at zero unless they are logarithmic."""

    title: str
    x_label: str
    y_label: str
    lines: dict[str, Points]
    is_x_logarithmic: bool = True
    is_y_logarithmic: bool = False

    def svg(self) -> str:
        """The chart as a document; ValueError if there is not one point."""
        xs = [x for points in self.lines.values() for x, _ in points]
        ys = [y for points in self.lines.values() for _, y in points]
        if not xs:
            raise ValueError("a chart without points")
        x_axis, y_axis = axis(xs, self.is_x_logarithmic), axis(ys, self.is_y_logarithmic)
        across = position(x_axis, self.is_x_logarithmic, LEFT, WIDTH - RIGHT)
        upward = position(y_axis, self.is_y_logarithmic, HEIGHT - BOTTOM, TOP)
        parts = [text(LEFT, 20, self.title, size=15), text((LEFT + WIDTH) / 2, HEIGHT - 8, self.x_label, anchor="middle")]
        parts += [text(4, TOP - 10, self.y_label)]
        parts += [grid(LEFT, upward(tick), WIDTH - RIGHT, upward(tick)) for tick in y_axis]
        parts += [text(LEFT - 6, upward(tick) + 4, short(tick), anchor="end") for tick in y_axis]
        parts += [text(across(tick), HEIGHT - BOTTOM + 18, short(tick), anchor="middle") for tick in x_axis]
        for number, (name, points) in enumerate(self.lines.items()):
            parts += [legend(number, name, len(self.lines)), line(number, [(across(x), upward(y)) for x, y in points])]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'role="img" font-family="sans-serif" font-size="12" fill="{INK}">\n<title>{escape(self.title)}</title>\n'
            + "\n".join(parts)
            + "\n</svg>\n"
        )


def axis(values: list[float], is_logarithmic: bool) -> list[float]:
    """The ticks of an axis that has room for the values: powers of ten, or even steps from zero."""
    if is_logarithmic:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return [10.0**power for power in range(low, max(high, low + 1) + 1)]
    step = round_up(max(values) / TICKS or 1)
    return [step * number for number in range(math.ceil(max(values) / step) + 1)] if any(values) else [0.0, step]


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= value * 0.999)


def position(ticks: list[float], is_logarithmic: bool, begin: float, end: float) -> Position:
    """Where a value of an axis stands on the page, whose first and last tick stand at begin and end."""
    scale: Position = math.log10 if is_logarithmic else float
    low, high = scale(ticks[0]), scale(ticks[-1])
    return lambda value: begin + (scale(value) - low) / (high - low) * (end - begin)


def short(value: float) -> str:
    """A number as people write it on an axis: 20k, 1.5M."""
    for size, prefix in PREFIXES:
        if value >= size:
            return f"{value / size:g}{prefix}"
    return f"{value:g}"


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    """Words on the page."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def grid(x1: float, y1: float, x2: float, y2: float) -> str:
    """A faint line."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{INK}" stroke-opacity="0.3"/>'


def line(number: int, points: Points) -> str:
    """A line with a dot at each point."""
    colour = COLOURS[number % len(COLOURS)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed(number)}/>{dots}' if points else ""


def legend(number: int, name: str, count: int) -> str:
    """A line's name behind a piece of it."""
    room = (WIDTH - LEFT - RIGHT) / count
    x = LEFT + room * number
    colour = COLOURS[number % len(COLOURS)]
    piece = f'<path d="M{x:.1f} 36H{x + 22:.1f}" stroke="{colour}" stroke-width="2"{dashed(number)}/>'
    return piece + text(x + 27, 40, name, size=12 if count < 4 else 10)


def dashed(number: int) -> str:
    """How a line is dashed, so that it is known without its colour."""
    dash = DASHES[number % len(DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""

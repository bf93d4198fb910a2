"""Writes docs/performance.md and its charts from the figures of a run.

As a program (`python -m benchmarks.report`, in tests/) it does so from the figures that the last run left.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.cells import CELLS
from benchmarks.chart import Chart
from benchmarks.reasons import REASONS
from benchmarks.results import AMQPD, NAMES, RABBITMQ, Results
from benchmarks.targets import TARGETS

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
FIGURES: Final = ROOT / "build" / "performance.json"
TEMPLATE: Final = Path(__file__).with_name("performance.md.template")

RATE: Final = "messages/s"
LINES: Final = (
    ("size", "rate", "Throughput against message size", "octets in a body", RATE),
    ("connections", "rate", "Throughput against connections", "connections, half of them publishers", RATE),
    ("depth", "rate", "Publishing into a growing backlog", "messages in the queue", RATE),
    ("depth", "memory_mb", "Memory with a growing backlog", "messages in the queue", "MB"),
    ("queues", "rate", "Declaring durable queues", "queues", "queues/s"),
    ("queues", "all_rate", "Publishing over all queues", "queues", RATE),
    ("queues", "kb_each", "Memory of a queue", "queues", "KB"),
    ("bindings", "cached_rate", "Topic bindings with wildcards, known routing keys", "bindings", RATE),
    ("bindings", "cold_rate", "Topic bindings with wildcards, new routing keys", "bindings", RATE),
    ("consumers", "rate", "Consumers of one queue", "consumers", RATE),
)
"""Charts: group, figure, title, label of each axis."""
LINEAR_X: Final = {"depth"}
LOGARITHMIC_Y: Final = {"size", "bindings"}

TABLES: Final = {
    "size": {"rate": "messages/s"},
    "connections": {"rate": "messages/s"},
    "depth": {"rate": "messages/s", "memory_mb": "MB of memory"},
    "depth-drain": {
        "rate": "messages/s drained",
        "memory_mb": "MB after",
        "data_mb": "MB on disk before",
        "restart_s": "s to restart",
    },
    "deepest": {"rate": "messages/s", "memory_mb": "MB of memory"},
    "deepest-drain": {
        "rate": "messages/s drained",
        "memory_mb": "MB after",
        "data_mb": "MB on disk before",
        "restart_s": "s to restart",
    },
    "queues": {
        "rate": "declared/s",
        "kb_each": "KB each",
        "one_rate": "messages/s to one",
        "all_rate": "messages/s to all in turn",
        "all_to_one": "all to one",
        "kept_one_rate": "persistent to one",
        "kept_all_rate": "persistent to all in turn",
        "kept_all_to_one": "all to one",
    },
    "queues-restart": {"restart_s": "s to restart"},
    "queues-delete": {"rate": "deleted/s"},
    "bindings": {"rate": "bound/s", "cached_rate": "messages/s, known keys", "cold_rate": "messages/s, new keys"},
    "consumers": {"rate": "messages/s", "consume_rate": "consumers/s", "kb_each": "KB each"},
    "idle": {"kb_each": "KB each"},
}
"""Groups whose points are numbers → their columns, figure by figure."""

LESS_IS_BETTER: Final = ("_ms", "_mb", "_each")
NEITHER_WAY: Final = {"last_to_first", "all_to_one", "kept_all_to_one"}
"""Relations within one broker, which rank none."""

CORES: Final = {"one": "two pairs, one broker", "two": "two pairs, a broker each"}
"""Points of the group `cores` → what they are."""


def write(results: Results, docs: Path) -> None:
    """Write the page and its charts into the docs folder."""
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, chart in charts(results).items():
        (images / name).write_text(chart.svg(), encoding="utf-8")
    (docs / "performance.md").write_text(page(results, TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")


def charts(results: Results) -> dict[str, Chart]:
    """File name → chart, for each of LINES that has figures."""
    found = {}
    for group, figure, title, x_label, y_label in LINES:
        lines = {name: series for name in NAMES if (series := results.series(group, name, figure))}
        if lines:
            found[image(group, figure)] = Chart(title, x_label, y_label, lines, group not in LINEAR_X, group in LOGARITHMIC_Y)
    return found


def image(group: str, figure: str) -> str:
    """The name of a chart's file."""
    return f"performance-{group}-{figure.removesuffix('_rate').removesuffix('_mb').removesuffix('_each')}.svg"


def page(results: Results, template: str) -> str:
    """The template, each {{mark}} in it replaced by what was measured."""
    parts = {
        "facts": facts(results),
        "cells": cells(results),
        "cost": cost(results),
        "targets": targets(results),
        "missed": missed(results),
        "failures": failures(results),
    }
    parts |= {"latency": latency(results), "behind": behind(results), "cores": cores(results)}
    parts |= {group: named(results, group) for group in ("life", "time", "policies", "watching")}
    parts |= {group: sweep(results, group) for group in TABLES}
    for mark, text in parts.items():
        template = template.replace(f"{{{{{mark}}}}}", text.rstrip("\n"))
    return template


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, words: int = 1) -> str:
    """A Markdown table: so many columns of words, then columns of numbers, which stand to the right."""
    names = list(head)
    lines = [names, ["---"] * words + ["--:"] * (len(names) - words), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def facts(results: Results) -> str:
    """The machine, the versions, the command."""
    return table(["", "of this run"], [[name, text] for name, text in results.facts.items()], words=2)


def cells(results: Results) -> str:
    """The rates of each broker, and amqpd's as a multiple of RabbitMQ's."""
    names = results.names("cells")
    rows = [
        [f"`{cell}`", CELLS[cell].what, *values(results, "cells", cell, "rate", names), multiple(results, cell, "rate")]
        for cell in at_full_speed(results)
    ]
    return table(["cell", "traffic", *names, "x RabbitMQ"], rows, words=2)


def cost(results: Results) -> str:
    """What the same cells cost each broker."""
    names = results.names("cells")
    figures = {"per_cpu_s": "for a CPU second", "memory_mb": "MB"}
    rows = [
        [f"`{cell}`", *(text for figure in figures for text in values(results, "cells", cell, figure, names))]
        for cell in at_full_speed(results)
    ]
    return table(["cell", *(f"{name}: {words}" for words in figures.values() for name in names)], rows)


def at_full_speed(results: Results) -> list[str]:
    """The measured cells that have no rate given."""
    return [cell for cell in CELLS if cell in results.figures.get("cells", {}) and not cell.startswith("lat")]


def latency(results: Results) -> str:
    """The cells at a fixed rate: milliseconds from publish to delivery."""
    names = results.names("cells")
    rows = [
        [
            f"`{cell}`",
            f"{CELLS[cell].what}, {word}",
            *values(results, "cells", cell, figure, names),
            multiple(results, cell, figure),
        ]
        for cell in ("lat", "latd", "latd8")
        for figure, word in (("p50_ms", "p50 ms"), ("p99_ms", "p99 ms"), ("max_ms", "longest ms"))
        if cell in results.figures.get("cells", {})
    ]
    return table(["cell", "traffic", *names, "x RabbitMQ"], rows, words=2)


def values(results: Results, group: str, point: str, figure: str, names: Iterable[str]) -> list[str]:
    """A figure of each broker."""
    return [number(results.value(group, point, name, figure)) for name in names]


def multiple(results: Results, cell: str, figure: str) -> str:
    """Amqpd's figure divided by RabbitMQ's."""
    ours, theirs = (results.value("cells", cell, name, figure) for name in (AMQPD, RABBITMQ))
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "–"


def targets(results: Results) -> str:
    """What was meant to be reached beside what was."""
    rows = [
        [
            each.what,
            f"{each.relation} {number(each.limit)} {each.unit}".rstrip(),
            number(each.measure(results)),
            each.verdict(results),
        ]
        for each in TARGETS
    ]
    return table(["", "target", "measured", ""], rows)


def missed(results: Results) -> str:
    """Why targets were missed, one after the other, each with its profile."""
    found = [each for each in TARGETS if each.is_missed(results)]
    parts = [
        f"**{each.what}**, {number(each.measure(results))} {each.unit}".rstrip() + f": {why(each.what)}\n" for each in found
    ]
    return "\n".join(parts) or "None was missed.\n"


def why(what: str) -> str:
    """The reason for a missed target, and its profile as a table."""
    reason = REASONS.get(what)
    if reason is None:
        return "not looked into yet."
    profile = table([reason.profiled, "part"], [[place, f"{part:.0%}"] for place, part in reason.profile.items()])
    return f"{reason.text}\n\n{profile}" if reason.profile else reason.text


def sweep(results: Results, group: str) -> str:
    """The charts of a group and its figures over its points."""
    shown = [f"![{chart.title}](images/{name})\n\n" for name, chart in charts(results).items() if of_group(name, group)]
    names = results.names(group)
    columns = [(name, figure) for name in names for figure in TABLES[group] if results.series(group, name, figure)]
    head = [group.partition("-")[0], *(f"{name}: {TABLES[group][figure]}" for name, figure in columns)]
    points = sorted(results.figures.get(group, {}), key=float)
    rows = [
        [number(float(point)), *(number(results.value(group, point, name, figure)) for name, figure in columns)]
        for point in points
    ]
    return "".join(shown) + (table(head, rows) if rows else "Not measured.\n")


def of_group(name: str, group: str) -> bool:
    """Whether a chart's file belongs to a group."""
    return any(name == image(each, figure) for each, figure, *_ in LINES if each == group)


def named(results: Results, group: str) -> str:
    """All figures of a group whose points have names."""
    names = results.names(group)
    rows = [
        [point, figure.replace("_", " "), *values(results, group, point, figure, names)]
        for point, brokers in results.figures.get(group, {}).items()
        for figure in next(iter(brokers.values()))
    ]
    return table(["", "figure", *names], rows, words=2) if rows else "Not measured.\n"


def cores(results: Results) -> str:
    """The sum of two pairs' rates, over one broker and over two."""
    names = results.names("cores")
    rows = [[words, *values(results, "cores", point, "rate", names)] for point, words in CORES.items()]
    return table(["messages/s", *names], rows) if names else "Not measured.\n"


def behind(results: Results) -> str:
    """Every figure in which RabbitMQ is ahead of amqpd."""
    rows = [
        [f"{group} {point}", figure.replace("_", " "), number(brokers[AMQPD][figure]), number(brokers[RABBITMQ][figure])]
        for group, points in results.figures.items()
        for point, brokers in points.items()
        if AMQPD in brokers and RABBITMQ in brokers
        for figure in brokers[AMQPD].keys() & brokers[RABBITMQ].keys() - NEITHER_WAY
        if is_better(figure, brokers[RABBITMQ][figure], brokers[AMQPD][figure])
    ]
    return table(["", "figure", AMQPD, RABBITMQ], sorted(rows), words=2) if rows else "Nowhere, or it was not measured.\n"


def is_better(figure: str, value: float, other: float) -> bool:
    """Whether one value of a figure is better than another."""
    return value < other if figure.endswith(LESS_IS_BETTER) else value > other


def failures(results: Results) -> str:
    """What came to no figure, and why."""
    return "".join(f"* {failure}\n" for failure in results.failures) or "None.\n"


def number(value: float | None) -> str:
    """A figure to three or four digits."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    write(Results.load(FIGURES), DOCS)

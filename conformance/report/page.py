"""The report as one self-contained HTML page."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any, Final

from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED

STATUSES: Final = (PASSED, FAILED, DEVIATION, SKIPPED)
STYLE: Final = Path(__file__).with_name("page.css")
SCRIPT: Final = Path(__file__).with_name("page.js")


def page(report: dict[str, Any]) -> str:
    """The page of a report as `Run.as_dict` gives it."""
    cases = report["cases"]
    grouped = [(name, title, [case for case in cases if case["area"] == name]) for name, title in report["areas"].items()]
    contents = "".join(_entry(*group) for group in grouped)
    areas = "".join(_area(*group) for group in grouped)
    title = f"AMQP 0-9-1 conformance of {escape(report['broker'])}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE.read_text()}</style>'
        f"<header><h1>{title}</h1><p>{len(cases)} cases at {escape(report['url'])} in {report['seconds']:.0f} s</p>"
        f'{_tiles(cases)}<nav aria-label="areas">{contents}</nav>{_filters()}</header>'
        f"<main>{areas}</main><script>{SCRIPT.read_text()}</script></html>"
    )


def _tiles(cases: list[dict[str, Any]]) -> str:
    return '<div class="tiles">' + "".join(_tile(status, _count(cases, status)) for status in STATUSES) + "</div>"


def _tile(status: str, count: int) -> str:
    return f'<label class="tile {status}"><input type="checkbox" value="{status}" checked><b>{count}</b>{status}</label>'


def _filters() -> str:
    levels = "".join(f"<option>{level}" for level in ("must", "should", "rabbitmq-extension", "beyond"))
    return (
        '<input id="words" type="search" aria-label="filter by words" placeholder="filter by words">'
        f'<select id="level" aria-label="level"><option value="">all levels{levels}</select>'
    )


def _entry(name: str, title: str, cases: list[dict[str, Any]]) -> str:
    return f'<a href="#{name}">{escape(title)}<span>{_count(cases, PASSED)}/{_ran(cases)}</span>{_bar(cases)}</a>'


def _area(name: str, title: str, cases: list[dict[str, Any]]) -> str:
    head = f"<h2>{escape(title)}<span>{_count(cases, PASSED)} of {_ran(cases)}</span></h2>{_bar(cases)}"
    return f'<section id="{name}">{head}{"".join(map(_case, cases))}</section>'


def _bar(cases: list[dict[str, Any]]) -> str:
    parts = "".join(f'<i class="{status}" style="flex:{_count(cases, status)}"></i>' for status in STATUSES)
    return f'<div class="bar">{parts}</div>'


def _case(case: dict[str, Any]) -> str:
    remark = _row("Known deviation", case["remark"]) if case["remark"] else ""
    facts = _row("Reference", case["reference"]) + _row("Expected", case["expected"]) + _row("Observed", case["observed"])
    return (
        f'<details class="case {case["status"]}" data-level="{case["level"]}">'
        f"<summary><code>{escape(case['id'])}</code><span>{escape(case['title'])}</span><em>{case['level']}</em></summary>"
        f"<dl>{facts}{remark}</dl>{_frames(case['frames'])}</details>"
    )


def _row(name: str, text: str) -> str:
    return f"<dt>{name}<dd>{escape(text)}"


def _frames(lines: Iterable[str]) -> str:
    shown = "\n".join(f'<span class="{_direction(line)}">{escape(line)}</span>' for line in lines)
    return f"<pre>{shown}</pre>" if shown else ""


def _direction(line: str) -> str:
    return "in" if "←" in line[:24] else "out"


def _ran(cases: list[dict[str, Any]]) -> int:
    return len(cases) - _count(cases, SKIPPED)


def _count(cases: list[dict[str, Any]], status: str) -> int:
    return sum(case["status"] == status for case in cases)

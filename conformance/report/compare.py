"""Two reports side by side, as Markdown."""

from typing import Any, Final

from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED

MARKS: Final = {PASSED: "pass", FAILED: "**fail**", DEVIATION: "deviation", SKIPPED: "skipped", "absent": "–"}
Report = dict[str, Any]


def compare(left: Report, right: Report) -> str:
    """Totals by area, then every case on which the two brokers differ or one of them does not pass."""
    names = left["broker"], right["broker"]
    lines = [f"| area | {names[0]} | {names[1]} |", "|---|---|---|"]
    for area, title in {**left["areas"], **right["areas"]}.items():
        lines.append(f"| {title} | {tally(left, area)} | {tally(right, area)} |")
    lines.append(f"| **all** | {tally(left)} | {tally(right)} |")
    lines += ["", f"| case | level | rule | {names[0]} | {names[1]} |", "|---|---|---|---|---|"]
    for case, first, second in pairs(left, right):
        if {first["status"], second["status"]} != {PASSED} and {first["status"], second["status"]} != {SKIPPED}:
            lines.append(f"| `{case['id']}` | {case['level']} | {cell(case['title'])} | {shown(first)} | {shown(second)} |")
    return "\n".join(lines) + "\n"


def tally(report: Report, area: str | None = None) -> str:
    """Passed of all that ran, with the number of known deviations and of skipped cases."""
    found = [case["status"] for case in report["cases"] if area in (None, case["area"])]
    ran = len(found) - found.count(SKIPPED)
    notes = [f"{found.count(status)} {status}" for status in (DEVIATION, SKIPPED) if status in found]
    return f"{found.count(PASSED)}/{ran}" + (f" ({', '.join(notes)})" if notes else "")


def pairs(left: Report, right: Report) -> list[tuple[Report, Report, Report]]:
    """Every case of either report with its outcome in both."""
    firsts, seconds = ({case["id"]: case for case in report["cases"]} for report in (left, right))
    absent = {"status": "absent", "observed": "", "remark": ""}
    return [(case, firsts.get(name, absent), seconds.get(name, absent)) for name, case in {**seconds, **firsts}.items()]


def shown(outcome: Report) -> str:
    """One cell: the verdict, and for all but passes what was observed or why it is known."""
    mark = MARKS[outcome["status"]]
    if outcome["status"] in (PASSED, "absent"):
        return mark
    return f"{mark}: {cell(outcome['remark'] or outcome['observed'])}"


def cell(text: str) -> str:
    """Text that fits a cell of a Markdown table."""
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= 240 else flat[:239] + "…"

"""Reports: the JSON, the page, and two brokers side by side."""

import re
from pathlib import Path
from typing import Any

from conformance.catalogue import EXTENSION, MUST, Area, Level
from conformance.cli import insert
from conformance.mutation.proof import PROVEN, SURVIVED, UNJUDGED
from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED, Outcome, Run
from conformance.report.compare import cell, compare, tally
from conformance.report.page import page
from conformance.report.proof import proof

AREA = Area("reported", "Reported <things>")


def outcome(id: str, status: str, level: Level = MUST, observed: str = "channel.close 404") -> Outcome:
    """An outcome of a case of this level."""
    AREA.case(id, f"title of {id}", "reference", level)(print)
    return Outcome(
        AREA.cases[-1], status, observed, ["  0.001s  1 →  ch 1  <tx.select>", "  0.002s  1 ←  ch 1  tx.select-ok"], 0.1
    )


def report(broker: str, *outcomes: Outcome) -> dict[str, Any]:
    """A run as it is written to a file."""
    run = Run(broker, "amqp://127.0.0.1:1")
    run.outcomes += outcomes
    return run.as_dict()


def test_only_a_failed_must_is_no_conformance() -> None:
    """Failed extensions, deviations and skipped cases leave a run conforming; a failed MUST does not."""
    run = Run("broker", "url")
    run.outcomes += [outcome("a.1", PASSED), outcome("a.2", DEVIATION), outcome("a.3", FAILED, EXTENSION)]
    assert run.is_conforming
    run.outcomes.append(outcome("a.4", FAILED))
    assert not run.is_conforming


def test_page_needs_nothing_else() -> None:
    """The page loads no script, style, image or font from anywhere."""
    text = page(report("broker 1", outcome("b.1", FAILED)))
    assert not re.search(r"<(link|img|script src)|url\(|@import", text)


def test_page_shows_what_happened() -> None:
    """Id, title, reference, observation and frames are on the page, escaped."""
    text = page(report("broker <1>", outcome("c.1", FAILED, observed="<observed>")))
    for expected in ("c.1", "title of c.1", "reference", "&lt;observed&gt;", "&lt;tx.select&gt;", "broker &lt;1&gt;"):
        assert expected in text


def test_tally_counts_what_ran() -> None:
    """Skipped cases are not counted as run; deviations are told apart."""
    found = report("broker", outcome("d.1", PASSED), outcome("d.2", DEVIATION), outcome("d.3", SKIPPED))
    assert "1/2 (1 deviation, 1 skipped)" == tally(found)


def test_comparison_lists_differences_only() -> None:
    """A case that both brokers pass is not listed; one that only one of them passes is."""
    left = report("left", outcome("e.1", PASSED), outcome("e.2", PASSED))
    right = {**left, "broker": "right", "cases": [left["cases"][0], {**left["cases"][1], "status": FAILED}]}
    text = compare(left, right)
    assert "| `e.2` | must | title of e.2 | pass | **fail**: channel.close 404 |" in text
    assert "e.1" not in text


def test_proof_names_what_is_not_proven() -> None:
    """The share is of all cases, also of those that nobody could lie to."""
    cases = [outcome(f"f.{number}", PASSED).case for number in range(4)]
    text = proof(cases, {"f.0": PROVEN, "f.1": SURVIVED, "f.2": UNJUDGED})
    assert text.startswith("1 of 4 cases (25.0 %) fail when the broker lies.")
    assert ["f.1", "f.2", "f.3"] == re.findall(r"^\| `(.*)` \|", text, re.MULTILINE)


def test_what_is_inserted_ends_at_the_next_heading(tmp_path: Path) -> None:
    """The text behind a mark is replaced, once and again; what stands before it and below the next heading stays."""
    document = tmp_path / "page.md"
    document.write_text("# Page\n\n<!-- mark -->\n\nold\n\n## Next\n\nkept\n")
    for _ in range(2):
        insert(document, "<!-- mark -->", "new\n")
        assert "# Page\n\n<!-- mark -->\n\nnew\n\n## Next\n\nkept\n" == document.read_text()


def test_cells_stay_in_their_row() -> None:
    """Line breaks and bars do not break a table."""
    assert "a \\| b c" == cell("a | b\nc")

import re
from pathlib import Path

import pytest
from benchmarks import report
from benchmarks.cells import CELLS
from benchmarks.reasons import REASONS
from benchmarks.results import AMQPD, INTERPRETED, NAMES, RABBITMQ, Results
from benchmarks.targets import TARGETS


@pytest.fixture
def results() -> Results:
    """Figures of a run that never was: amqpd does six times what RabbitMQ does, interpreted three times."""
    made = Results()
    made.facts = {"CPU": "2 x Abacus", "Run": "`bench.py`"}
    for name, speed in ((AMQPD, 6.0), (INTERPRETED, 3.0), (RABBITMQ, 1.0)):
        for cell in CELLS:
            latencies = {"p50_ms": 1 / speed, "p99_ms": 2 / speed, "max_ms": 9.0}
            made.add("cells", cell, name, {"rate": 1000 * speed, "per_cpu_s": 100 * speed, "memory_mb": 50.0, **latencies})
        for group, columns in report.TABLES.items():
            for point in ("1000", "200", "10"):
                made.add(group, point, name, {figure: float(point) * speed for figure in columns})
    return made


def test_the_page_has_a_place_for_everything(results: Results, tmp_path: Path) -> None:
    """No mark is left in the page, and every picture that it shows is there."""
    report.write(results, tmp_path)
    text = (tmp_path / "performance.md").read_text()
    shown = set(re.findall(r"\]\((images/\S+\.svg)\)", text))
    assert "{{" not in text
    assert {f"images/{path.name}" for path in (tmp_path / "images").iterdir()} == shown
    assert len(report.LINES) == len(shown)


def test_tables_are_square(results: Results) -> None:
    """Every row of every table has as many columns as its head."""
    text = report.page(results, report.TEMPLATE.read_text())
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert 1 == len({line.count("|") for line in block.splitlines()}), block


def test_a_cell_beside_rabbitmq(results: Results) -> None:
    """A row has the rate of each broker and amqpd's as a multiple of RabbitMQ's."""
    row = next(line for line in report.cells(results).splitlines() if line.startswith("| `t16`"))
    assert ["6,000", "3,000", "1,000", "6.00"] == row.strip("| ").split(" | ")[2:6]


def test_points_stand_in_the_order_of_their_numbers(results: Results) -> None:
    """Ten comes before two hundred, and that before a thousand."""
    rows = [line.split(" | ")[0] for line in report.sweep(results, "size").splitlines() if line.startswith("|")]
    assert ["| 10", "| 200", "| 1,000"] == rows[2:]


@pytest.mark.parametrize(
    ("what", "verdict"),
    [("`t16`", "met"), ("`c1k1`", "**missed**"), ("`lat`, p99", "met"), ("SIGTERM to exit under load", "not measured")],
)
def test_targets(results: Results, what: str, verdict: str) -> None:
    """A target is met at its limit or better, missed below it, and says so if nobody measured it."""
    target = next(each for each in TARGETS if each.what == what)
    assert verdict == target.verdict(results)


def test_a_missed_target_has_its_reason(results: Results) -> None:
    """A reason is told while its target is missed, with its profile, and every reason belongs to a target."""
    text = report.missed(results)
    assert "**`c1k1`**, 6 x RabbitMQ: " in text
    assert "**`t16`**" not in text
    assert set(REASONS) <= {each.what for each in TARGETS}
    assert all(sum(reason.profile.values()) <= 1 for reason in REASONS.values())


def test_where_rabbitmq_is_ahead(results: Results) -> None:
    """Higher is better for rates, lower for milliseconds and memory; only what RabbitMQ does better is listed."""
    results.add("cells", "sync1", AMQPD, {"rate": 10.0})
    results.add("cells", "lat", AMQPD, {"p50_ms": 2.0, "rate": 9000.0})
    found = [line.split(" | ") for line in report.behind(results).splitlines()]
    assert ["10", "1,000 |"] in [line[-2:] for line in found if line[0] == "| cells sync1"]
    assert [["p50 ms", "2", "1 |"]] == [line[1:] for line in found if line[0] == "| cells lat"]
    assert [] == [line for line in found if line[0] == "| cells t16" and line[1] == "rate"]


def test_a_run_without_rabbitmq(tmp_path: Path) -> None:
    """What was not measured is a dash, and the page is whole."""
    made = Results()
    made.add("cells", "t16", AMQPD, {"rate": 5.0})
    report.write(made, tmp_path)
    text = (tmp_path / "performance.md").read_text()
    assert "| `t16` | transient 16 B, auto-ack | 5 | – |" in text
    assert "{{" not in text


def test_figures_survive_on_disk(results: Results, tmp_path: Path) -> None:
    """Results are read back as they were written."""
    results.failures.append("size: why not")
    results.save(tmp_path / "folder" / "figures.json")
    found = Results.load(tmp_path / "folder" / "figures.json")
    assert (results.facts, results.figures, results.failures) == (found.facts, found.figures, found.failures)


def test_a_sweep_measured_anew(results: Results) -> None:
    """Forgetting a sweep drops its figures and failures alone."""
    results.failures += ["size: one", "depth: two"]
    results.forget("size", ["size"])
    assert ([], ["depth: two"]) == (results.names("size"), results.failures)
    assert list(NAMES) == results.names("depth")


def test_a_cell_measured_anew(results: Results) -> None:
    """Forgetting a cell keeps the other cells."""
    results.forget("t16", ["cells"])
    assert [cell for cell in CELLS if cell != "t16"] == list(results.figures["cells"])

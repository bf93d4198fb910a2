"""Progress and summary on the terminal."""

import sys
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED, Outcome, Run

STYLES: Final = {PASSED: "green", FAILED: "bold red", DEVIATION: "yellow", SKIPPED: "dim"}


class Progress:
    """A progress bar that prints failures as they happen."""

    def __init__(self, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=Console(file=sys.stderr))
        self._task = self._bar.add_task("conformance", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def note(self, outcome: Outcome) -> None:
        """Counts an outcome; prints it when it failed."""
        self._bar.advance(self._task)
        if outcome.status == FAILED:
            self._bar.console.print(f"{outcome.case.id} ({outcome.case.level.value})", style="red", markup=False)
            self._bar.console.print(f"    {outcome.expected}\n    observed: {outcome.observed}", markup=False)


def summary(run: Run) -> None:
    """Prints the results by area."""
    statuses = (PASSED, FAILED, DEVIATION, SKIPPED)
    table = Table(title=f"{run.broker} at {run.url} in {run.seconds:.0f} s")
    table.add_column("area")
    for status in statuses:
        table.add_column(status, justify="right", style=STYLES[status])
    for title in dict.fromkeys(outcome.case.area.title for outcome in run.outcomes):
        found = [outcome.status for outcome in run.outcomes if outcome.case.area.title == title]
        table.add_row(title, *(str(found.count(status) or "") for status in statuses))
    table.add_section()
    table.add_row("all", *(str(run.count(status)) for status in statuses))
    Console().print(table)

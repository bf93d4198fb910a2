"""Progress and summary on the terminal, with nothing but the standard library."""

import shutil
import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED, Outcome, Run

STATUSES: Final = (PASSED, FAILED, DEVIATION, SKIPPED)
COLOURS: Final = {PASSED: 32, FAILED: 31, DEVIATION: 33, SKIPPED: 2}
BAR_WIDTH: Final = 40
CLEAR_LINE: Final = "\r\x1b[K"


def painted(text: str, status: str, stream: TextIO) -> str:
    """Text in the colour of a status, where colours are shown."""
    return f"\x1b[{COLOURS[status]}m{text}\x1b[0m" if stream.isatty() else text


class Progress:
    """A progress bar on standard error that prints failures as they happen; no bar where nobody would see it move."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._started = time.monotonic()
        self._stream = sys.stderr

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._print("\n" if self._stream.isatty() else "")

    def note(self, outcome: Outcome) -> None:
        """Counts an outcome; prints it when it failed."""
        self._done += 1
        if outcome.status == FAILED:
            head = painted(f"{outcome.case.id} ({outcome.case.level.value})", FAILED, self._stream)
            clear = CLEAR_LINE if self._stream.isatty() else ""
            self._print(f"{clear}{head}\n    {outcome.expected}\n    observed: {outcome.observed}\n")
        self._draw()

    def _draw(self) -> None:
        if self._stream.isatty():
            width = min(BAR_WIDTH, shutil.get_terminal_size().columns - 30)
            full = width * self._done // self._total
            bar = painted("━" * full, PASSED, self._stream) + painted("━" * (width - full), SKIPPED, self._stream)
            seconds = int(time.monotonic() - self._started)
            self._print(f"\r{bar} {self._done}/{self._total} {seconds // 60}:{seconds % 60:02}")

    def _print(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def summary(run: Run) -> None:
    """Prints the results by area."""
    titles = dict.fromkeys(outcome.case.area.title for outcome in run.outcomes)
    width = max(map(len, titles))
    print(f"\n{run.broker} at {run.url} in {run.seconds:.0f} s\n")
    print(" " * width, *(f"{status:>9}" for status in STATUSES))
    for title in titles:
        found = [outcome.status for outcome in run.outcomes if outcome.case.area.title == title]
        print(f"{title:{width}}", *(_number(found.count(status), status) for status in STATUSES))
    print("─" * (width + 10 * len(STATUSES)))
    print(f"{'all':{width}}", *(_number(run.count(status), status) for status in STATUSES))


def _number(count: int, status: str) -> str:
    return painted(f"{count or '':>9}", status, sys.stdout)

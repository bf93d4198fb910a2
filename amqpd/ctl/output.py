"""What is shown: tables for people, lines and documents for programs.

1. Standard output has what was asked for and nothing else; what is being done goes to standard error.
2. A table on a terminal is drawn; anywhere else it is lines with tabs between values, as rabbitmqctl writes them.
3. Names are others': no character of theirs controls the terminal, begins another row, or turns the direction of writing.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from amqpd.ctl.failure import USAGE, Failure

FORMATTERS: Final = ("table", "json", "csv")
STATES: Final = {"running": "green", "up": "green", "enabled": "green", "ok": "green", "idle": "cyan", "paused": "yellow"}
ALARMING: Final = "red"
_CONTROLS: Final = (
    *range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A),
)  # fmt: skip
_HARMLESS: Final = {code: f"\\u{code:04x}" for code in _CONTROLS}
"""Each control, of C0, C1 and of the direction of writing, and a separator of lines, as JSON says it."""
_HARMLESS_IN_JSON: Final = {code: said for code, said in _HARMLESS.items() if code >= 0x20}
"""Without those that JSON has said so already: what is left are its own line feeds."""

Row = dict[str, Any]


class Output:
    """Writes in one format."""

    def __init__(self, formatter: str, *, has_headers: bool, is_quiet: bool) -> None:
        self.formatter: Final = formatter
        self.has_headers: Final = has_headers
        self.is_quiet: Final = is_quiet
        self.screen: Final = Console()
        self.remarks: Final = Console(stderr=True)

    def remark(self, text: str) -> None:
        """Say what is being done."""
        if not self.is_quiet:
            self.remarks.print(Text(harmless(text), style="dim"))

    def rows(self, columns: Sequence[str], rows: list[Row]) -> None:
        """A list."""
        if self.formatter == "json":
            self.document([{column: row.get(column) for column in columns} for row in rows])
        elif self.formatter == "csv":
            writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\n")
            if self.has_headers:
                writer.writerow(columns)
            writer.writerows([[shown(row.get(column)) for column in columns] for row in rows])
        elif self.screen.is_terminal:
            self._draw(columns, rows)
        else:
            self._tabbed(columns, rows)

    def document(self, value: object) -> None:
        """A value as JSON."""
        sys.stdout.write(harmless_json(value, 2 if self.screen.is_terminal else None) + "\n")

    def facts(self, facts: Row) -> None:
        """One thing with its properties."""
        if self.formatter == "json":
            self.document(facts)
        else:
            self.rows(("name", "value"), [{"name": name, "value": value} for name, value in facts.items()])

    def _tabbed(self, columns: Sequence[str], rows: list[Row]) -> None:
        if self.has_headers and rows:
            sys.stdout.write("\t".join(columns) + "\n")
        for row in rows:
            sys.stdout.write("\t".join([shown(row.get(column)) for column in columns]) + "\n")

    def _draw(self, columns: Sequence[str], rows: list[Row]) -> None:
        table = Table(box=box.ROUNDED, show_header=self.has_headers, header_style="bold", border_style="dim")
        for column in columns:
            is_number = bool(rows) and all(type(row.get(column)) in {int, float} for row in rows)
            table.add_column(Text(column), justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*[_cell(row.get(column)) for column in columns])
        self.screen.print(table)

    # --- long work -------------------------------------------------------------------------------------------------

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far the work is; the function says how much more of the total is done."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.remarks, disable=self.is_quiet or not self.remarks.is_terminal) as bar:
            task = bar.add_task(what, total=total)
            yield lambda more: bar.advance(task, more)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something takes a while."""
        if self.is_quiet or not self.remarks.is_terminal:
            yield
            return
        with self.remarks.status(what):
            yield

    def confirm(self, what: str) -> None:
        """Ask before something is lost for good, if there is somebody to ask. Raises Failure unless the answer is yes."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return
        self.remarks.print(Text(harmless(f"{what}? [y/N] ")), end="")
        if input().strip().lower() not in {"y", "yes"}:
            raise Failure(USAGE, "not confirmed")


def harmless(text: str) -> str:
    """The text in one line, without controls (3)."""
    return text.translate(_HARMLESS)


def harmless_json(value: object, indent: int | None) -> str:
    """The value as JSON without controls (3)."""
    return json.dumps(value, ensure_ascii=False, indent=indent).translate(_HARMLESS_IN_JSON)


def shown(value: object) -> str:
    """A value as rabbitmqctl writes it, without controls (3)."""
    return harmless(_written(value))


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "[" + ",".join([f"{{{json.dumps(name)},{_nested(member)}}}" for name, member in value.items()]) + "]"
    if isinstance(value, list):
        return "[" + ", ".join([_written(member) for member in value]) + "]"
    return str(value)


def _nested(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _written(value)


def _cell(value: object) -> Text:
    text = shown(value)
    if value is True:
        return Text("yes", style="green")
    if value is False:
        return Text("no", style="dim")
    return Text(text, style=STATES.get(text, ALARMING if text in {"down", "crashed", "failed", "blocked"} else ""))

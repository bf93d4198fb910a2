"""The tutorial's programs, run and compared with what docs/tutorial.md says that they print.

A block after a line with a file's name alone is that file. A block of kind `console` is what a terminal shows: the word after
`console` names the terminal, and lines that begin with `$ ` are typed there. What the nameless terminal runs is waited for.
"""

import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from helpers.broker import BrokerProcess

PAGE: Final = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"(?:^`([\w.]+)`\n\n)?^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BROKER: Final = "broker"
URL: Final = "amqp://127.0.0.1"
SECONDS: Final = 20.0


class Block(NamedTuple):
    """A code block: the file that it is, its language, the terminal that it shows, its text."""

    file: str
    language: str
    terminal: str
    text: str


def chapters() -> dict[str, list[Block]]:
    """The chapters that have code blocks."""
    found = {}
    for chapter in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        blocks = [Block(*match.groups("")) for match in BLOCK.finditer(chapter)]
        if blocks:
            found[chapter.partition("\n")[0]] = blocks
    return found


class Terminal:
    """A terminal in which one program after another runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        self._lines: queue.Queue[str] = queue.Queue()

    def type(self, command: str) -> None:
        """Start a command, which is always a Python program."""
        self.interrupt()
        python, *arguments = shlex.split(command)
        assert "python" == python
        self._lines = queue.Queue()
        self._program = subprocess.Popen(
            [sys.executable, "-u", *arguments], cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._program, self._lines))
        self._reader.start()

    @staticmethod
    def _read(program: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
        assert program.stdout is not None
        with program.stdout as output:
            for line in output:
                lines.put(line.rstrip("\n"))

    def shown(self, expected: list[str]) -> list[str]:
        """As many more lines as are expected."""
        return [self._next() for _ in expected]

    def _next(self) -> str:
        try:
            return self._lines.get(timeout=SECONDS)
        except queue.Empty:
            return "(nothing came)"

    def finish(self) -> None:
        """Wait for a program that ends by itself, with exit code 0 and without another word."""
        assert self._program is not None
        assert 0 == self._program.wait(SECONDS)
        self._reader.join()
        assert [] == list(self._lines.queue)

    def interrupt(self) -> None:
        """Press Ctrl+C if a program runs."""
        if self._program is not None:
            self._program.send_signal(signal.SIGINT)
            self._program.wait(SECONDS)
            self._reader.join()


def show(block: Block, terminal: Terminal) -> None:
    """Do in the terminal what the block shows, and compare what comes."""
    expected: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            terminal.type(line[2:])
        else:
            expected.append(line)
    assert expected == terminal.shown(expected)
    if not block.terminal:
        terminal.finish()


@pytest.mark.parametrize("title", chapters())
def test_chapter_runs_as_shown(title: str, start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """Every program of a chapter runs and prints what the page shows."""
    broker = start_broker()
    blocks = chapters()[title]
    terminals = {block.terminal: Terminal(tmp_path) for block in blocks}
    try:
        for block in blocks:
            if block.language == "python":
                assert URL in block.text
                (tmp_path / block.file).write_text(block.text.replace(URL, broker.url))
            elif block.terminal == BROKER:
                _ = broker.http_url  # The last line of the announcement is out.
                assert without_numbers(block.text.replace("$ amqpd\n", "")) == without_numbers(broker.stdout)
            else:
                show(block, terminals[block.terminal])
    finally:
        for terminal in terminals.values():
            terminal.interrupt()


def without_numbers(announcement: str) -> str:
    """What the broker announces, whatever its ports, version and build are."""
    return re.sub(r"\d+", "N", announcement).replace("(interpreted)", "(compiled)")


def test_every_block_is_run() -> None:
    """There is no block that the test above would pass over."""
    blocks = [block for chapter in chapters().values() for block in chapter]
    assert PAGE.count("\n```") == 2 * len(blocks)
    assert {"python", "console"} == {block.language for block in blocks}
    assert [] == [block.text for block in blocks if block.language == "python" and not block.file]

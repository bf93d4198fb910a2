"""Runs the conformance suite against an amqpd of its own and writes the comparison into docs/conformance.md.

The suite restarts the broker by shell commands; `conformance_run.py restart FOLDER` and `... kill FOLDER` are these commands.
"""
# ruff: noqa: T201  (the program's answers are printed)

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from helpers.broker import ANNOUNCEMENT, MANAGEMENT, environment

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "conformance.md"
RABBITMQ: Final = ROOT / "conformance" / "results" / "rabbitmq-3.10.8.json"
RESULTS: Final = ROOT / "build" / "conformance.json"
REPORT: Final = ROOT / "build" / "conformance.html"
SIGNALS: Final = {"restart": signal.SIGTERM, "kill": signal.SIGKILL}
SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02


class Detached:
    """An amqpd that outlives whoever started it; its folder says which process it is and where it listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid = folder / "pid"
        self._stdout = folder / "stdout.txt"

    def start(self, port: str, management_port: str) -> None:
        """Start it; TimeoutError unless it listens in time."""
        command = [sys.executable, "-m", "amqpd", "--port", port, "--management-port", management_port]
        command += ["--data-dir", str(self.folder / "data"), "--log-level", "warning"]
        with self._stdout.open("wb") as stdout, (self.folder / "stderr.txt").open("ab") as stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        self._pid.write_text(str(process.pid))
        wait_until(lambda: MANAGEMENT.search(self._stdout.read_text()) is not None)

    def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end; TimeoutError if it goes on."""
        pid = int(self._pid.read_text())
        os.kill(pid, number)
        wait_until(lambda: has_ended(pid))

    @property
    def port(self) -> str:
        """Where it listens for AMQP."""
        found = ANNOUNCEMENT.search(self._stdout.read_text())
        assert found is not None
        return found[1]

    @property
    def management_port(self) -> str:
        """Where it listens for HTTP."""
        found = MANAGEMENT.search(self._stdout.read_text())
        assert found is not None
        return str(urlsplit(found[1]).port)

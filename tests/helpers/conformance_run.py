"""Runs the conformance suite against an amqpd of its own and writes the comparison into docs/conformance.md.

The suite restarts the broker by shell commands; `conformance_run.py restart FOLDER` and `... kill FOLDER` are these commands.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from conformance.cli import main
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
        command = [sys.executable, "-m", "amqpd", "--port", port, "--http-port", management_port]
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


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits for its parent to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(holds: Callable[[], bool]) -> None:
    """Return when it holds; TimeoutError after SECONDS."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {SECONDS:g} seconds")
        time.sleep(POLL_SECONDS)


def restart(broker: Detached, number: signal.Signals) -> None:
    """End the broker by a signal and start it again on the same ports and data."""
    port, management_port = broker.port, broker.management_port
    broker.end(number)
    broker.start(port, management_port)


def run(broker: Detached, arguments: list[str]) -> int:
    """Run the suite, with more flags of it if given; its exit code."""
    command = f"{shlex.quote(sys.executable)} {shlex.quote(__file__)} %s {shlex.quote(str(broker.folder))}"
    given = ["--name", "amqpd", "--url", f"amqp://guest:guest@127.0.0.1:{broker.port}/"]
    given += ["--http-url", f"http://guest:guest@127.0.0.1:{broker.management_port}"]
    given += ["--restart-command", command % "restart", "--kill-command", command % "kill"]
    given += ["--json", str(RESULTS), "--report", str(REPORT), "--brief"]
    return main([*given, *arguments])


def whole(arguments: list[str]) -> int:
    """Run the suite against a fresh broker and compare the results with RabbitMQ's; 1 if a MUST failed."""
    RESULTS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="amqpd-conformance-") as folder:
        broker = Detached(Path(folder))
        broker.start("0", "auto")
        try:
            exit_code = run(broker, arguments)
        finally:
            broker.end(signal.SIGTERM)
    if not arguments:
        main(["compare", str(RESULTS), str(RABBITMQ), "--markdown", str(PAGE)])
    return exit_code


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in SIGNALS:
        restart(Detached(Path(sys.argv[2])), SIGNALS[sys.argv[1]])
    else:
        sys.exit(whole(sys.argv[1:]))

"""The brokers that are compared: processes with a port, whose memory and CPU time the system tells."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

ANNOUNCEMENT: Final = re.compile(r"amqp://127\.0\.0\.1:(\d+)")
MANAGEMENT: Final = re.compile(r"management on https?://[^:]+:(\d+)")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.002
MB: Final = 1e6


class Failed(Exception):
    """A measurement came to no figure; the text says why."""


class Contestant:
    """A broker that somebody else runs."""

    pace: float = 0.4
    """The part of the messages that it gets where only its rate counts: with all of them the slower ones would take long."""

    def __init__(self, name: str, host: str, port: int, pid: int) -> None:
        self.name = name
        self.host = host
        self.port = port
        self.pid = pid

    @property
    def management(self) -> tuple[str, int]:
        """Host and port of the management API."""
        return self.host, self.port + 10_000

    def renew(self) -> float:
        """Begin with an empty broker, if it is ours to begin; the seconds until it listens."""
        return 0.0

    def cpu_seconds(self) -> float:
        """CPU time used so far, that of child processes included."""
        ticks = sum(sum(map(int, stat(pid)[11:13])) for pid in family(self.pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident memory of its own: without pages of mapped files, which the system may take back at any time."""
        return sum(anonymous_kb(pid) for pid in family(self.pid)) * 1024 / MB


class Amqpd(Contestant):
    """An amqpd on a free loopback port, with a data folder of its own."""

    pace = 1.0

    def __init__(self, name: str, command: Path, folder: Path) -> None:
        self.command = command
        self.data = folder / "data"
        self._announcements = folder / "stdout.txt"
        self._log = folder / "stderr.txt"
        folder.mkdir()
        self._process = self._spawn(0)
        super().__init__(name, "127.0.0.1", self._announced(), self._process.pid)

    @property
    def management(self) -> tuple[str, int]:
        found = self._announces(MANAGEMENT)
        return self.host, int(found[1])

    def renew(self) -> float:
        self.stop()
        shutil.rmtree(self.data)
        return self.start()

    def start(self) -> float:
        """Start on the same port and data folder; the seconds until it listens."""
        before = time.monotonic()
        self._process = self._spawn(self.port)
        self._announced()
        self.pid = self._process.pid
        return time.monotonic() - before

    def stop(self) -> float:
        """Send SIGTERM; the seconds until the process has ended."""
        before = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - before

    def kill_and_start(self) -> float:
        """Send SIGKILL, then start; the seconds that the start took."""
        self._process.kill()
        self._process.wait()
        return self.start()

    def stop_and_start(self) -> float:
        """Stop, then start; the seconds that the start took."""
        self.stop()
        return self.start()

    def twin(self) -> "Amqpd":
        """Another one of its kind, in a folder below this one's."""
        return Amqpd(self.name, self.command, self.data.parent / "twin")

    def discard(self) -> None:
        """Stop for good and delete everything."""
        self.stop()
        shutil.rmtree(self.data.parent)

    def data_mb(self) -> float:
        """What the data folder takes of the disk."""
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file()) / MB

    def _spawn(self, port: int) -> "subprocess.Popen[bytes]":
        command = [str(self.command), "--port", str(port), "--data-dir", str(self.data), "--log-level", "warning"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMQPD_", "RABBITMQ_", "PYTHON"))}
        with self._announcements.open("wb") as stdout, self._log.open("ab") as stderr:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=kept, cwd=self.data.parent
            )

    def _announced(self) -> int:
        return int(self._announces(ANNOUNCEMENT)[1])

    def _announces(self, pattern: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := pattern.search(self._announcements.read_text()):
                return found
            time.sleep(POLL_SECONDS)
        self._process.kill()
        self._process.wait()
        raise Failed(f"{self.command} does not start: {self._log.read_text()[-400:]}")


def family(pid: int) -> list[int]:
    """A process and all its descendants that still run."""
    found, ahead = [], [pid]
    while ahead:
        each = ahead.pop()
        try:
            lists = [task.joinpath("children").read_text() for task in Path(f"/proc/{each}/task").iterdir()]
        except OSError:
            continue
        found.append(each)
        ahead += [int(child) for text in lists for child in text.split()]
    return found


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, zeroes for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def anonymous_kb(pid: int) -> int:
    """RssAnon of a process, 0 if it has ended."""
    try:
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0

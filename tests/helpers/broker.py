"""A broker to speak to over TCP: one that the tests start as a user would, or one that already runs."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

AMQP_PORT: Final = 5672
ANNOUNCEMENT: Final = re.compile(r"amqp://[0-9.]+:(\d+)")
MANAGEMENT: Final = re.compile(r"management on (https?://\S+)")
START_SECONDS: Final = 100.0
STOP_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.02


class Broker:
    """A broker at a URL. Somebody else runs it, so tests that stop or restart their broker skip."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.host = address.hostname or "127.0.0.1"
        self.port = address.port or AMQP_PORT

    @property
    def url(self) -> str:
        """AMQP URL of the default virtual host for user guest."""
        return f"amqp://guest:guest@{self.host}:{self.port}"

    @property
    def http_url(self) -> str:
        """URL of the management."""
        return f"http://{self.host}:{self.port + 10000}"

    def require_restart(self) -> None:
        """Skip the test unless it may stop, kill and restart this broker."""
        pytest.skip("the tests have not started this broker, so they must not stop it")

    def stop(self) -> int:
        """Stop the broker in good order and return its exit code."""
        raise NotImplementedError

    def kill(self) -> None:
        """End the broker at once, as a crash would."""
        raise NotImplementedError

    def restart(self) -> None:
        """Start the broker again on the same port and data folder, after stopping it if it runs."""
        raise NotImplementedError


class BrokerProcess(Broker):
    """An amqpd process on a free loopback port, with a data folder and a log of its own below `folder`."""

    def __init__(
        self, folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, within: Sequence[str] = ()
    ) -> None:
        """Start it with these arguments; `within` is a command that becomes the broker's, in other surroundings."""
        super().__init__("amqp://127.0.0.1")
        self.data_folder = folder / "data"
        self._folder = folder
        self._stdout_path = folder / "stdout.txt"
        self._stderr_path = folder / "stderr.txt"
        self._arguments = arguments
        self._variables = {} if variables is None else variables
        self._within = within
        self._process = self._start(port=0)

    @property
    def pid(self) -> int:
        """Process id of the broker's present life."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def stdout(self) -> str:
        """What the broker has announced in its present life."""
        return self._stdout_path.read_text()

    @property
    def stderr(self) -> str:
        """All that the broker has logged in all its lives."""
        return self._stderr_path.read_text()

    @property
    def http_url(self) -> str:
        """URL of the management, which starts a moment after the broker."""
        return self._announced(self._process, MANAGEMENT)

    def require_restart(self) -> None:
        """Go on: this broker may be stopped, killed and restarted."""

    def stop(self) -> int:
        """Send SIGTERM, wait for the end and return the exit code; TimeoutExpired after STOP_SECONDS."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code; TimeoutExpired after STOP_SECONDS."""
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start again on the same port and data folder, after stopping the process if it runs."""
        self.stop()
        self._process = self._start(self.port)

    def _start(self, port: int) -> "subprocess.Popen[bytes]":
        command = [*self._within, sys.executable, "-m", "amqpd", "--port", str(port), "--data-dir", str(self.data_folder)]
        command += ["--log-level", "warning", *self._arguments]
        variables = environment() | dict(self._variables)
        with self._stdout_path.open("wb") as stdout, self._stderr_path.open("ab") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=variables, cwd=self._folder
            )
        try:
            self.port = int(self._announced(process, ANNOUNCEMENT))
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def _announced(self, process: "subprocess.Popen[bytes]", pattern: re.Pattern[str]) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            has_ended = process.poll() is not None
            announcement = pattern.search(self._stdout_path.read_text())
            if announcement:
                return announcement[1]
            if has_ended:
                break
            time.sleep(POLL_SECONDS)
        message = f"amqpd did not announce its port (exit code {process.returncode}):\n{self.stderr}"
        raise RuntimeError(message)


def environment() -> dict[str, str]:
    """The environment for a broker: no settings of the caller's, and the same amqpd package that the caller imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMQPD_", "RABBITMQ_"))}
    return kept | {"PYTHONPATH": str(package_folder())}


def package_folder() -> Path:
    """The folder that amqpd is imported from: the checkout or site-packages."""
    spec = importlib.util.find_spec("amqpd")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("amqpd")
    return Path(spec.origin).parent.parent


def resident_peak(pid: int) -> int:
    """Bytes of memory that a process has had resident at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024

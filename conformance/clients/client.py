"""One client program: what builds it, and the walk through the scenario."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from conformance.target import Address

HERE: Final = Path(__file__).parent
PYTHON: Final = ("pika", "aio_pika", "kombu", "celery", "amqpstorm")
OTHERS: Final = ("java", "go", "node", "rust", "ruby", "php", "c")
ALL: Final = (*PYTHON, *OTHERS)
# A program that takes longer is killed.
SECONDS: Final = 240.0


class Client:
    """A folder with build.sh and run.sh, or a Python file; ValueError for a name that there is no program of."""

    def __init__(self, name: str, programs: Path = HERE) -> None:
        if name not in ALL:
            raise ValueError(f"there is no client {name}, only {', '.join(ALL)}")
        self.name = name
        self._programs = programs
        self._folder = programs / name
        self._ready = self._folder / "build" / "ready"

    @property
    def is_built(self) -> bool:
        """Whether it can run as its sources are now."""
        if self.name in PYTHON:
            return True
        sources = [path for path in self._folder.iterdir() if path.is_file()]
        return self._ready.exists() and self._ready.stat().st_mtime >= max(path.stat().st_mtime for path in sources)

    def build(self) -> None:
        """Fetches and compiles what it needs; CalledProcessError if that fails."""
        if not self.is_built:
            self._ready.parent.mkdir(exist_ok=True)
            command = ["bash", "build.sh"]
            subprocess.run(command, cwd=self._folder, check=True, stdout=sys.stderr)  # noqa: S603 - one of the scripts here
            self._ready.touch()

    def walk(self, address: Address, restart: Callable[[], None]) -> list[str]:
        """Walks the scenario, restarting the broker where the program asks for it; returns the lines that it printed."""
        self.build()
        process = subprocess.Popen(  # noqa: S603 - one of the programs in this folder
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "AMQP_URL": url(address), "PREFIX": f"conformance.{self.name}.{time.time_ns():x}"},
        )
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            return _listen(process, restart)
        finally:
            timer.cancel()
            process.kill()
            process.wait()

    def _command(self) -> list[str]:
        if self.name in PYTHON:
            return [sys.executable, str(self._programs / "python" / f"with_{self.name}.py")]
        return ["bash", str(self._folder / "run.sh")]


def _listen(process: subprocess.Popen[str], restart: Callable[[], None]) -> list[str]:
    assert process.stdin is not None
    assert process.stdout is not None
    lines = []
    with contextlib.suppress(BrokenPipeError), process.stdin, process.stdout:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == "restart":
                restart()
                process.stdin.write("\n")
                process.stdin.flush()
    return lines


def url(address: Address) -> str:
    """The URL with the virtual host spelt out, as some libraries take `/` at the end for one without a name."""
    login = f"{quote(address.user, safe='')}:{quote(address.password, safe='')}"
    return f"amqp://{login}@{address.host}:{address.port}/{quote(address.path or '/', safe='')}"

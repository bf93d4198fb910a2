"""Runs the client programs and compares their lines: `python -m conformance.clients --url … --restart-command …`."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from conformance.cli import run_parser
from conformance.runner import restart
from conformance.target import Target

HERE: Final = Path(__file__).parent
EXPECTED: Final = (
    "topology",
    "confirmed 100",
    "returned 312 NO_ROUTE",
    "prefetch 5",
    "acked 100",
    "dead rejected",
    "reply QUESTION",
    "messages 10000 in order",
    "restart",
    "recovered survivor",
    "done",
)
PYTHON: Final = ("pika", "aio_pika", "kombu", "amqpstorm")
OTHERS: Final = ("java", "go", "node", "rust", "ruby", "php", "c")


class Client:
    """One program: a folder with a run.sh, or a Python file."""

    def __init__(self, name: str) -> None:
        self.name = name
        script = HERE / "python" / f"with_{name}.py"
        self._command = [sys.executable, str(script)] if name in PYTHON else ["bash", str(HERE / name / "run.sh")]

    def walk(self, target: Target, url: str) -> list[str]:
        """Walks the scenario, restarting the broker where the program asks for it; returns the lines that it printed."""
        prefix = f"conformance.{self.name}.{time.time_ns():x}"
        process = subprocess.Popen(  # noqa: S603 - one of the programs in this folder
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "AMQP_URL": url, "PREFIX": prefix},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == "restart":
                restart(target, "restart")
                process.stdin.write("\n")
                process.stdin.flush()
        process.stdin.close()
        process.wait()
        return lines


def differences(lines: list[str]) -> list[str]:
    """How printed lines differ from those expected, line by line."""
    found = [*lines, *["(nothing)"] * (len(EXPECTED) - len(lines))]
    pairs = zip(EXPECTED, found, strict=False)
    return [f"    expected {expected!r}, printed {line!r}" for expected, line in pairs if expected != line]


def main() -> int:
    """Runs the clients named on the command line, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m conformance.clients", parents=[run_parser()], add_help=False)
    parser.add_argument("clients", nargs="*", default=[*PYTHON, *OTHERS], help=", ".join((*PYTHON, *OTHERS)))
    options = parser.parse_args()
    target, failed = Target(options), 0
    for name in options.clients:
        started = time.monotonic()
        wrong = differences(Client(name).walk(target, options.url))
        failed += bool(wrong)
        print("\n".join([f"{name:10} {'FAILED' if wrong else 'ok'} in {time.monotonic() - started:.0f} s", *wrong]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

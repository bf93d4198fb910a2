"""Runs loadgen.c, which is fast enough never to be the slow part."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.contestants import Contestant, Failed

SOURCE: Final = Path(__file__).with_name("loadgen.c")
PROGRAM: Final = Path(__file__).parents[2] / "build" / "loadgen"
LONGEST_SECONDS: Final = 300.0

Role = dict[str, Any]
"""What one role reports: msgs, seconds, rate; a publisher also quarters, a consumer p50_ms, p99_ms and max_ms."""


def build() -> None:
    """Compile it if its source is newer than the program; CalledProcessError without a C compiler."""
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < SOURCE.stat().st_mtime:
        PROGRAM.parent.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", PROGRAM, SOURCE], check=True)


def begin(contestant: Contestant, arguments: str) -> "subprocess.Popen[str]":
    """Start one beside what else happens."""
    command = [str(PROGRAM), *arguments.split(), "--host", contestant.host, "--port", str(contestant.port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: "subprocess.Popen[str]") -> dict[str, Role]:
    """Wait for one and return its reports by role; Failed if it failed or came to no end."""
    try:
        stdout, stderr = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Failed(f"no end after {LONGEST_SECONDS:.0f} s") from error
    if process.returncode:
        raise Failed(stderr.strip() or f"loadgen ended with {process.returncode}")
    return {role["role"]: role for role in map(json.loads, stdout.splitlines())}


def run(contestant: Contestant, arguments: str) -> dict[str, Role]:
    """Run one to its end and return its reports by role; Failed if it failed."""
    return end(begin(contestant, arguments))

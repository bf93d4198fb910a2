"""What the figures were measured on: machine, system, versions."""

import os
import platform
import subprocess
import time
from pathlib import Path

from benchmarks.client import Client
from benchmarks.contestants import Amqpd, Contestant


def facts(contestants: list[Contestant]) -> dict[str, str]:
    """Name of each fact → the fact."""
    found = {
        "Date": time.strftime("%Y-%m-%d", time.gmtime()),
        "CPU": f"{os.cpu_count()} x {first_of('/proc/cpuinfo', 'model name')}",
        "Memory": f"{int(first_of('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB",
        "Kernel": platform.release(),
        "System": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "C compiler": first_line(["cc", "--version"]),
    }
    for contestant in contestants:
        found |= {contestant.name: version(contestant)}
    return found


def version(contestant: Contestant) -> str:
    """What a broker is: amqpd says it on its command line, with its Python and libraries, another by its greeting."""
    if isinstance(contestant, Amqpd):
        python = contestant.command.with_name("python")
        code = (
            "import lmdb, platform as p; print('Python', p.python_version(), 'with LMDB', '.'.join(map(str, lmdb.version())))"
        )
        return f"{first_line([str(contestant.command), '--version'])}, {first_line([str(python), '-c', code])}"
    client = Client(contestant)
    client.close()
    return f"{told(client.greeting, 'product')} {told(client.greeting, 'version')} ({told(client.greeting, 'platform')})"


def told(greeting: bytes, name: str) -> str:
    """A text among the server-properties of connection.start."""
    value = greeting.partition(bytes([len(name)]) + name.encode() + b"S")[2]
    return value[4 : 4 + int.from_bytes(value[:4], "big")].decode()


def first_of(path: str, name: str) -> str:
    """The first value under a name in a file of the system's."""
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def first_line(command: list[str]) -> str:
    """The first line that a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\n")[0]

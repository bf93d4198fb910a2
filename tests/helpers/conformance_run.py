"""Runs the conformance suite against an amqpd of its own.

`conformance_run.py [FLAG…]` runs the cases, and without flags compares the results with RabbitMQ's in docs/conformance.md;
`… prove [FLAG…]` proves the cases and without flags says so there; `… clients [NAME…]` runs the clients. The suite restarts
the broker by shell commands, which are `… restart FOLDER` and `… kill FOLDER`.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from conformance.cli import main
from conformance.clients.__main__ import main as clients
from helpers.broker import environment
from helpers.certificates import CertificateAuthority

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "conformance.md"
RABBITMQ: Final = ROOT / "conformance" / "results" / "rabbitmq-3.10.8.json"
RESULTS: Final = ROOT / "build" / "conformance.json"
REPORT: Final = ROOT / "build" / "conformance.html"
SIGNALS: Final = {"restart": signal.SIGTERM, "kill": signal.SIGKILL}
SCHEMES: Final = ("amqp", "amqps", "http")
PROOF_JOBS: Final = 8
"""A case that is lied to mostly waits for what does not come."""
SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02


class Detached:
    """An amqpd that outlives whoever started it; its folder says which process it is and where it listens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid = folder / "pid"
        self._stdout = folder / "stdout.txt"
        self._certificate = folder / "server.pem"

    def prepare(self) -> None:
        """Make the certificate that it shows."""
        CertificateAuthority(self.folder).issue("server", "/CN=localhost")

    def start(self, ports: dict[str, str]) -> None:
        """Start it on a port for each of SCHEMES; TimeoutError unless it listens in time."""
        command = [sys.executable, "-m", "amqpd", "--port", ports["amqp"], "--http-port", ports["http"]]
        command += ["--tls-port", ports["amqps"], "--tls-certificate", str(self._certificate)]
        command += ["--mechanisms", "PLAIN AMQPLAIN ANONYMOUS", "--log-level", "warning"]
        command += ["--data-dir", str(self.folder / "data")]
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
        wait_until(lambda: set(self.ports) == set(SCHEMES))

    def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end; TimeoutError if it goes on."""
        pid = int(self._pid.read_text())
        os.kill(pid, number)
        wait_until(lambda: has_ended(pid))

    @property
    def ports(self) -> dict[str, str]:
        """Where it listens, by scheme, as far as it has said so."""
        return dict(re.findall(r"(amqps?|http)://127\.0\.0\.1:(\d+)", self._stdout.read_text()))


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
    ports = broker.ports
    broker.end(number)
    broker.start(ports)


def flags(broker: Detached) -> list[str]:
    """The suite's flags that say where the broker is and how to do what cases need."""
    ports = broker.ports
    command = f"{shlex.quote(sys.executable)} {shlex.quote(__file__)} %s {shlex.quote(str(broker.folder))}"
    http_url = f"http://guest:guest@127.0.0.1:{ports['http']}"
    amqpctl = f"{shlex.quote(sys.executable)} -m amqpd.ctl.main --url http://127.0.0.1:{ports['http']}"
    limit = f"{amqpctl} set_vm_memory_high_watermark"
    return [
        *("--name", "amqpd", "--url", f"amqp://guest:guest@127.0.0.1:{ports['amqp']}/", "--http-url", http_url),
        *("--tls-url", f"amqps://127.0.0.1:{ports['amqps']}"),
        *("--restart-command", command % "restart", "--kill-command", command % "kill"),
        *("--alarm-command", f"{limit} 0.00001", "--clear-command", f"{limit} 0.6"),
    ]


def carry_out(broker: Detached, arguments: list[str]) -> int:
    """Run the cases, prove them or run the clients; the exit code."""
    if arguments[:1] == ["clients"]:
        return clients([*flags(broker), *arguments[1:]])
    if arguments[:1] == ["prove"]:
        page = [] if arguments[1:] else ["--markdown", str(PAGE)]
        return main(["prove", *flags(broker), "--jobs", str(PROOF_JOBS), *page, *arguments[1:]])
    return main([*flags(broker), "--json", str(RESULTS), "--report", str(REPORT), "--brief", *arguments])


def whole(arguments: list[str]) -> int:
    """Do what the arguments say with a fresh broker; 1 if a MUST failed."""
    RESULTS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="amqpd-conformance-") as folder:
        broker = Detached(Path(folder))
        broker.prepare()
        broker.start({"amqp": "0", "amqps": "0", "http": "auto"})
        try:
            exit_code = carry_out(broker, arguments)
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

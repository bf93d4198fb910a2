"""Runs cases: those that stand alone in parallel, those that disturb the whole broker one by one, restarts in bulk.

1. A case never sees another case's objects: it has its own connections and names, cleaned up when it ends.
2. Whatever a case raises becomes an outcome; the run goes on.
3. A case that needs a restart is a generator: it yields where the broker must be restarted, so that all of them
   share one restart.
"""

import subprocess
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from conformance.broker import Broker, pause
from conformance.catalogue import Case
from conformance.mismatch import Mismatch, Unsupported
from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED, Outcome, Run
from conformance.target import Target

STARTUP_SECONDS: Final = 120.0
Report = Callable[[Outcome], None]


class Runner:
    """Runs a selection of cases against a target and reports every outcome as it comes."""

    def __init__(self, target: Target, jobs: int, report: Report) -> None:
        self._target = target
        self._jobs = jobs
        self._report = report
        self._run = Run(identify(target), f"amqp://{target.amqp.host}:{target.amqp.port}")

    def run(self, cases: list[Case]) -> Run:
        """Runs the cases; outcomes are in the order of the cases."""
        started = time.monotonic()
        met = [case for case in cases if case.needs <= self._target.offers]
        for case in cases:
            if case not in met:
                missing = ", ".join(sorted(case.needs - self._target.offers))
                self._note(Outcome(case, SKIPPED, f"needs {missing}", [], 0))
        self._run_parallel([case for case in met if not case.needs & {"restart", "kill", "alarm"}])
        for case in met:
            if "alarm" in case.needs:
                self._run_one(case)
        for command in ("restart", "kill"):
            self._run_across(command, [case for case in met if command in case.needs])
        position = {case.id: index for index, case in enumerate(cases)}
        self._run.outcomes.sort(key=lambda outcome: position[outcome.case.id])
        self._run.seconds = time.monotonic() - started
        return self._run

    def _run_parallel(self, cases: Iterable[Case]) -> None:
        with ThreadPoolExecutor(self._jobs) as pool:
            for future in [pool.submit(self._run_one, case) for case in cases]:
                future.result()

    def _run_one(self, case: Case) -> None:
        broker, started = Broker(self._target), time.monotonic()
        self._conclude(case, broker, started, lambda: case.body(broker, *case.arguments))

    def _run_across(self, command: str, cases: list[Case]) -> None:
        prepared: list[tuple[Case, Broker, float, Generator[Any, None, None]]] = []
        for case in cases:
            broker, started = Broker(self._target), time.monotonic()
            body: Generator[Any, None, None] = case.body(broker, *case.arguments)
            try:
                next(body)
                prepared.append((case, broker, started, body))
            except Exception as error:  # noqa: BLE001 - invariant 2
                self._conclude(case, broker, started, _raiser(error))
        if prepared:
            restart(self._target, command)
        for case, broker, started, body in prepared:
            broker.forget_connections()
            self._conclude(case, broker, started, lambda body=body: next(body, None))  # type: ignore[misc]

    def _conclude(self, case: Case, broker: Broker, started: float, body: Callable[[], Any]) -> None:
        status, observed, expected = PASSED, "", case.title
        try:
            body()
            observed = broker.transcript.observation()
        except Unsupported as lack:
            status, observed = SKIPPED, str(lack)
        except Mismatch as mismatch:
            status, observed = FAILED, mismatch.observed
            expected = f"{case.title} — expected {mismatch.expected}"
        except Exception as error:  # noqa: BLE001 - invariant 2
            status, observed = FAILED, "".join(traceback.format_exception(error)[-3:])
        outcome = Outcome(case, status, observed, broker.transcript.lines(), time.monotonic() - started)
        outcome.expected = expected
        broker.clean()
        self._judge(outcome)

    def _judge(self, outcome: Outcome) -> None:
        deviation = outcome.case.deviation_of(self._run.broker)
        if outcome.status == FAILED and deviation:
            outcome.status = DEVIATION
        outcome.remark = deviation or ""
        self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        self._run.outcomes.append(outcome)
        self._report(outcome)


def _raiser(error: Exception) -> Callable[[], None]:
    def again() -> None:
        raise error

    return again


def restart(target: Target, command: str) -> None:
    """Runs the caller's command of this name and waits until the broker takes connections again."""
    subprocess.run(target.commands[command], shell=True, check=True)  # noqa: S602 - the caller's own command
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            Broker(target).connect().close()
            return
        except (OSError, Mismatch):
            if time.monotonic() > deadline:
                raise
            pause(0.2)


def identify(target: Target) -> str:
    """Product and version of the broker, as it names itself in connection.start."""
    broker = Broker(target)
    connection = broker.connect()
    connection.close()
    return f"{connection.server.get('product', 'unknown')} {connection.server.get('version', '')}".strip()

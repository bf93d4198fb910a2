"""Runs cases: those that stand alone in parallel, those that disturb the whole broker one by one, restarts in bulk.

1. A case never sees another case's objects: it has its own connections and names, cleaned up when it ends.
2. Whatever a case raises becomes an outcome; the run goes on.
3. A case that needs a restart is a generator: it yields where the broker must be restarted, so that all of them
   share one restart.
"""

import subprocess
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from conformance.broker import Broker, pause
from conformance.catalogue import Case
from conformance.mismatch import Mismatch
from conformance.outcome import SKIPPED, Outcome, Run
from conformance.target import Target
from conformance.verdict import Verdict

STARTUP_SECONDS: Final = 120.0
RESTARTS: Final = ("restart", "kill")
Report = Callable[[Outcome], None]


class Runner:
    """Runs a selection of cases against a target and reports every outcome as it comes."""

    def __init__(self, target: Target, jobs: int, report: Report) -> None:
        self._target = target
        self._jobs = jobs
        self._report = report
        self._verdict = Verdict(target)
        self._run = Run(self._verdict.broker, f"amqp://{target.amqp.host}:{target.amqp.port}")

    def run(self, cases: list[Case]) -> Run:
        """Runs the cases; outcomes are in the order of the cases."""
        started = time.monotonic()
        ready = [case for case in cases if case.needs <= self._target.offers]
        for case in cases:
            if missing := case.needs - self._target.offers:
                self._note(Outcome(case, SKIPPED, f"needs {', '.join(sorted(missing))}", [], 0))
        with ThreadPoolExecutor(self._jobs) as pool:
            for outcome in pool.map(self._run_one, [case for case in ready if not case.needs & {*RESTARTS, "alarm"}]):
                self._run.outcomes.append(outcome)
        self._run.outcomes += [self._run_one(case) for case in ready if "alarm" in case.needs]
        for command in RESTARTS:
            self._run_across(command, [case for case in ready if command in case.needs])
        position = {case.id: index for index, case in enumerate(cases)}
        self._run.outcomes.sort(key=lambda outcome: position[outcome.case.id])
        self._run.seconds = time.monotonic() - started
        return self._run

    def _run_one(self, case: Case) -> Outcome:
        outcome = self._verdict.of(case)
        self._report(outcome)
        return outcome

    def _run_across(self, command: str, cases: list[Case]) -> None:
        halves = [Half(case, Broker(self._target)) for case in cases]
        for half in halves:
            half.prepare()
        if cases:
            restart(self._target, command)
        for half in halves:
            self._note(half.conclude(self._verdict))

    def _note(self, outcome: Outcome) -> None:
        self._run.outcomes.append(outcome)
        self._report(outcome)


class Half:
    """A case that was begun before a restart and ends after it."""

    def __init__(self, case: Case, broker: Broker) -> None:
        self._case = case
        self._broker = broker
        self._started = time.monotonic()
        self._body: Generator[Any, None, None] = case.body(broker, *case.arguments)
        self._error: Exception | None = None

    def prepare(self) -> None:
        """Runs the case as far as the restart."""
        try:
            next(self._body)
        except Exception as error:  # noqa: BLE001 - it becomes the outcome
            self._error = error

    def conclude(self, verdict: Verdict) -> Outcome:
        """Runs what comes after the restart."""
        self._broker.forget_connections()
        return verdict.conclude(self._case, self._broker, self._started, self._rest)

    def _rest(self) -> None:
        if self._error:
            raise self._error
        next(self._body, None)


def restart(target: Target, command: str) -> None:
    """Runs the caller's command of this name and waits until the broker takes connections again."""
    subprocess.run(target.commands[command], shell=True, check=True)  # noqa: S602 - the caller's own command
    deadline = time.monotonic() + STARTUP_SECONDS
    while not _answers(target):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the broker did not come back within {STARTUP_SECONDS:g} seconds")
        pause(0.2)


def _answers(target: Target) -> bool:
    try:
        Broker(target).connect().close()
    except (OSError, Mismatch):
        return False
    return True

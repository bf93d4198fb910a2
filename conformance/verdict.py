"""The verdict on one case: runs its body, cleans up, and says how it ended."""

import time
import traceback
from collections.abc import Callable
from typing import Any

from conformance.broker import Broker
from conformance.catalogue import Case
from conformance.mismatch import Mismatch, Unsupported
from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED, Outcome
from conformance.target import Target


def identify(target: Target) -> str:
    """Product and version of the broker, as it names itself in connection.start."""
    connection = Broker(target).connect()
    connection.close()
    return f"{connection.server.get('product', 'unknown')} {connection.server.get('version', '')}".strip()


class Verdict:
    """Judges cases against one target; whatever a case raises becomes an outcome."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.broker = target.name or identify(target)

    def of(self, case: Case) -> Outcome:
        """Runs a case that needs no restart."""
        broker, started = Broker(self._target), time.monotonic()
        return self.conclude(case, broker, started, lambda: case.body(broker, *case.arguments))

    def conclude(self, case: Case, broker: Broker, started: float, rest: Callable[[], Any]) -> Outcome:
        """Runs the rest of a case that has begun, and cleans up after it."""
        outcome = Outcome(case, PASSED, "", [], 0)
        try:
            rest()
            outcome.observed = broker.transcript.observation()
        except Unsupported as lack:
            outcome.status, outcome.observed = SKIPPED, str(lack)
        except Mismatch as mismatch:
            outcome.status, outcome.observed = FAILED, mismatch.observed
            outcome.expected = f"{case.title} — expected {mismatch.expected}"
        except Exception as error:  # noqa: BLE001 - also a broken reply that the case could not read
            outcome.status, outcome.observed = FAILED, "".join(traceback.format_exception(error)[-3:])
        outcome.seconds, outcome.frames = time.monotonic() - started, broker.transcript.lines()
        broker.clean()
        return self._known(outcome)

    def _known(self, outcome: Outcome) -> Outcome:
        outcome.remark = outcome.case.deviation_of(self.broker) or ""
        if outcome.status == FAILED and outcome.remark:
            outcome.status = DEVIATION
        return outcome

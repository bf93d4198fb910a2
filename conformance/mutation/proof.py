"""Proves cases: each runs once as it is, then with the broker's last decisive word replaced by one lie after the other.

1. A case is proven as soon as one lie makes it fail; one that passes them all survives.
2. A case that does not pass without a lie cannot be judged.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from conformance.catalogue import Case
from conformance.mutation.trial import Falsehood, Trial
from conformance.runner import RESTARTS, restart
from conformance.target import Target

PROVEN: Final = "proven"
SURVIVED: Final = "survived"
UNJUDGED: Final = "unjudged"
# How often a case may receive less than the time before, as one that polls does.
ATTEMPTS: Final = 4
# How many restarts of each kind a proof may cost.
ROUNDS: Final = 8
# What the proxies cannot see.
OPAQUE: Final = "tls"


class Proof:
    """Proves cases against one target, and keeps the verdicts by the cases' ids."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._verdicts: dict[str, str] = {}

    def run(self, cases: list[Case], jobs: int) -> dict[str, str]:
        """The verdict on each of the cases that the target can serve: PROVEN, SURVIVED or UNJUDGED."""
        ready = [case for case in cases if case.needs <= self._target.offers - {OPAQUE}]
        alone = [case for case in ready if not case.needs & {*RESTARTS, "alarm"}]
        with ThreadPoolExecutor(jobs) as pool:
            self._verdicts = {case.id: verdict for case, verdict in zip(alone, pool.map(self.verdict, alone), strict=True)}
        self._verdicts |= {case.id: self.verdict(case) for case in ready if "alarm" in case.needs}
        for command in RESTARTS:
            self._across(command, [case for case in ready if command in case.needs])
        return {case.id: self._verdicts[case.id] for case in ready}

    def verdict(self, case: Case) -> str:
        """The verdict on a case that needs no restart."""
        honest = self._tried(case, Falsehood())
        if not honest.passed:
            return UNJUDGED
        return PROVEN if any(self._notices(case, falsehood) for falsehood in honest.falsehoods()) else SURVIVED

    def _notices(self, case: Case, falsehood: Falsehood) -> bool:
        for _ in range(ATTEMPTS):
            trial = self._tried(case, falsehood)
            if not trial.passed:
                return True
            unheard = trial.unheard()
            if unheard is None:
                return False
            falsehood = unheard
        return False

    def _tried(self, case: Case, falsehood: Falsehood) -> Trial:
        trial = Trial(case, self._target, falsehood)
        trial.begin()
        trial.end()
        return trial

    def _across(self, command: str, cases: list[Case]) -> None:
        """Proves cases that need a restart: all of them share one for each lie."""
        honest = self._restarted(command, [Trial(case, self._target, Falsehood()) for case in cases])
        self._verdicts |= {trial.case.id: SURVIVED if trial.passed else UNJUDGED for trial in honest}
        untold = {trial.case.id: trial.falsehoods() for trial in honest if trial.passed}
        for _ in range(ROUNDS):
            suspects = [case for case in cases if self._verdicts[case.id] == SURVIVED and untold[case.id]]
            for trial in self._restarted(command, [Trial(case, self._target, untold[case.id].pop(0)) for case in suspects]):
                if not trial.passed:
                    self._verdicts[trial.case.id] = PROVEN
                elif unheard := trial.unheard():
                    untold[trial.case.id].insert(0, unheard)

    def _restarted(self, command: str, trials: list[Trial]) -> list[Trial]:
        for trial in trials:
            trial.begin()
        if trials:
            restart(self._target, command)
        for trial in trials:
            trial.end()
        return trials

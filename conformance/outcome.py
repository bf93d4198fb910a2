"""The outcome of one case, and of a whole run."""

from typing import Any, Final

from conformance.catalogue import Case, Level

PASSED: Final = "passed"
FAILED: Final = "failed"
DEVIATION: Final = "deviation"
SKIPPED: Final = "skipped"


class Outcome:
    """What happened to one case; frames are lines of its transcript."""

    def __init__(self, case: Case, status: str, observed: str, frames: list[str], seconds: float) -> None:
        self.case = case
        self.status = status
        self.observed = observed
        self.expected = case.title
        self.remark = ""
        self.frames = frames
        self.seconds = seconds

    def as_dict(self, *, with_frames: bool = True) -> dict[str, Any]:
        """The outcome as it is stored in a JSON report."""
        return {
            "id": self.case.id,
            "area": self.case.area.name,
            "title": self.case.title,
            "reference": self.case.reference,
            "level": self.case.level.value,
            "needs": sorted(self.case.needs),
            "status": self.status,
            "expected": self.expected,
            "observed": self.observed,
            "remark": self.remark,
            "seconds": round(self.seconds, 3),
            "frames": self.frames if with_frames else [],
        }


class Run:
    """All outcomes of a run against one broker."""

    def __init__(self, broker: str, url: str) -> None:
        self.broker = broker
        self.url = url
        self.seconds = 0.0
        self.outcomes: list[Outcome] = []

    def count(self, status: str) -> int:
        """How many cases ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def is_conforming(self) -> bool:
        """Whether no MUST failed."""
        return not any(outcome.status == FAILED and outcome.case.level is Level.MUST for outcome in self.outcomes)

    def as_dict(self, *, with_frames: bool = True) -> dict[str, Any]:
        """The run as it is stored in a JSON report."""
        areas = {outcome.case.area.name: outcome.case.area.title for outcome in self.outcomes}
        return {
            "broker": self.broker,
            "url": self.url,
            "seconds": round(self.seconds, 1),
            "areas": areas,
            "cases": [outcome.as_dict(with_frames=with_frames) for outcome in self.outcomes],
        }

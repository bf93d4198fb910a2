"""What a check finds, and what would mend it."""

from __future__ import annotations

from typing import Final

from persistence.tables import Change

Piece = tuple[str, bytes]
"""A name for a file, and what is in it."""


class Remedy:
    """What has to change in the tables of the messages so that a problem is gone."""

    def __init__(self, problem: str, changes: list[Change], lost: list[Piece]) -> None:
        self.problem: Final = problem
        self.changes: Final = changes
        """Nothing, if there is no remedy."""
        self.lost: Final = lost
        """What nobody can get from the tables any more afterwards."""


class Report:
    """What a check found."""

    def __init__(self) -> None:
        self.remedies: Final[list[Remedy]] = []
        """One for each problem; empty if all is well."""
        self.counts: Final[dict[str, int]] = {}
        """How many of each kind of thing there are."""
        self.strangers: Final[set[int]] = set()
        """Ids of queues that have messages, but no definition."""

    @property
    def problems(self) -> list[str]:
        """One sentence each."""
        return [remedy.problem for remedy in self.remedies]

    def problem(self, text: str, changes: list[Change] | None = None, lost: list[Piece] | None = None) -> None:
        """Note a problem, and its remedy if there is one."""
        self.remedies.append(Remedy(text, changes or [], lost or []))

    def count(self, kind: str, number: int = 1) -> None:
        """Add to the number of things of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + number

"""What a consumer does with each of a thousand numbered messages, and what must have come of it."""

from collections.abc import Iterator
from typing import Final

TOTAL: Final = 1000
REJECTED_DIGIT: Final = 7
REQUEUED_DIGIT: Final = 3
SETTLED: Final = {"acked": 900, "requeued": 100, "redelivered": 100, "rejected": 100}


def numbered_bodies() -> Iterator[bytes]:
    """The thousand bodies, b"0" to b"999"."""
    return (b"%d" % number for number in range(TOTAL))


class Tally:
    """Chooses ack, requeue or reject by the last digit of a body's number, and counts.

    Numbers that end in 7 are rejected, numbers that end in 3 are requeued when they come for the first time.
    """

    def __init__(self) -> None:
        self.counts = dict.fromkeys(SETTLED, 0)
        self._settled: set[int] = set()

    @property
    def is_complete(self) -> bool:
        """Whether each message has been acked or rejected."""
        return len(self._settled) == TOTAL

    def choose(self, body: bytes, *, redelivered: bool) -> str:
        """Return "acked", "requeued" or "rejected"; AssertionError for a message that was acked or rejected before."""
        number = int(body)
        assert number not in self._settled
        digit = number % 10
        choice = "acked"
        if digit == REJECTED_DIGIT:
            choice = "rejected"
        elif digit == REQUEUED_DIGIT and not redelivered:
            choice = "requeued"
        if choice != "requeued":
            self._settled.add(number)
        self.counts[choice] += 1
        self.counts["redelivered"] += redelivered
        return choice

"""The time that a consumer has for acknowledging a delivery (x-consumer-timeout).

1. Deliveries of one short stretch of time are noted once, so that the notes are few however many deliveries there are.
2. A delivery is never called late before its time is over, and at most one stretch after that.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from amqpd.broker.agenda import Agenda, Timed
from amqpd.broker.clock import Clock
from amqpd.broker.credit import Credit
from amqpd.broker.ledger import Ledger
from amqpd.broker.limits import NONE

STRETCHES: Final = 64
"""How many stretches a timeout is divided into."""


class Taskmaster:
    """Who has to know of late acknowledgements: the channel."""

    def acknowledgement_late(self, timeout: int) -> None:
        """A delivery was not acknowledged within so many milliseconds."""
        raise NotImplementedError


class Stretch:
    """Deliveries in a short time."""

    def __init__(self, first_tag: int, now: int) -> None:
        self.first_tag: Final = first_tag
        self.begin: Final = now
        self.end: int = now


class Punctuality(Timed):
    """Watches over what one consumer holds."""

    def __init__(self, owner: Taskmaster, ledger: Ledger, credit: Credit, agenda: Agenda, clock: Clock, timeout: int) -> None:
        super().__init__()
        self.timeout: int = timeout
        """Milliseconds; NONE: it does not matter any more."""
        self._owner: Taskmaster | None = owner
        self._ledger: Ledger | None = ledger
        self._credit: Final = credit
        """What tells the entries of the consumer from others in the ledger."""
        self._agenda: Final = agenda
        self._clock: Final = clock
        self._stretches: Final[deque[Stretch]] = deque()

    def delivered(self, tag: int) -> None:
        """The consumer was sent a delivery."""
        now = self._clock.now
        stretches = self._stretches
        if stretches and (now - stretches[-1].begin) * STRETCHES <= self.timeout:
            stretches[-1].end = now
        else:
            stretches.append(Stretch(tag, now))
        if self.timeout != NONE:
            self._agenda.at(stretches[0].end + self.timeout, self)

    def due(self, now: int) -> None:
        """Look at the oldest delivery that is not acknowledged."""
        owner, ledger, stretches = self._owner, self._ledger, self._stretches
        oldest = ledger.oldest(self._credit) if ledger is not None else 0
        if owner is None or not oldest or self.timeout == NONE:
            stretches.clear()
            return
        while len(stretches) > 1 and stretches[1].first_tag <= oldest:
            stretches.popleft()
        deadline = stretches[0].end + self.timeout
        if deadline <= now:
            owner.acknowledgement_late(self.timeout)
        else:
            self._agenda.at(deadline, self)

    def stop(self) -> None:
        """The channel ends, or there is nothing left to watch; let it go, since an appointment may be far away."""
        self._agenda.cancel(self)
        self._owner = None
        self._ledger = None

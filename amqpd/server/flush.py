"""The end of a turn of the loop: deliver, confirm, write each dirty connection once, then commit.

1. Input of any number of connections is handled first, then everything that it led to is finished once.
2. Replies to what must be durable are held until the batch that holds it committed (`Transport.hold`).
3. While a commit is under way, no more than `INPUT_LIMIT` bytes of further input are read.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.broker import Broker
from amqpd.broker.events import NOBODY
from amqpd.protocol.output import Output
from amqpd.server import steady

INPUT_LIMIT: Final = 32 * 1024 * 1024
SETTLE_SECONDS: Final = 0.01
"""How long acknowledgements wait for a commit of their own: nobody is told of it, and mostly they go with the next messages."""
RELIEF_STEP: Final = 8 * 1024 * 1024
"""Bytes that must have come into memory before it is searched again for what can be put away."""


class Throttled:
    """A reader that was paused until the commit under way is done."""

    def resume_input(self) -> None:
        """Read again."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class Committing:
    """Commits what is queued, in the background."""

    def kick(self) -> None:
        """Commit the open batch, unless another one is on its way; perhaps `FlushSet.batch_committed` is called meanwhile."""
        raise NotImplementedError

    def has_work(self) -> bool:
        """True if the open batch holds messages or definitions."""
        raise NotImplementedError

    def is_pressing(self) -> bool:
        """True if the open batch holds more than what became of stored messages."""
        raise NotImplementedError

    def is_busy(self) -> bool:
        """True while a batch is on its way to the disk."""
        raise NotImplementedError


class FlushSet:
    """What the end of the turn has to do; scheduled by whatever gave it something to do."""

    def __init__(self, loop: AbstractEventLoop, broker: Broker) -> None:
        self.loop: Final = loop
        self.broker: Final = broker
        self.committing: Committing | None = None
        self.dirty: Final[list[Output]] = []
        self.held: list[Output] = []
        """Outputs that wait for a batch to become durable."""
        self._scheduled: bool = False
        self._is_inside: bool = False
        """Within a turn whose end is known: nothing has to be put off to a later callback."""
        self._is_kicking: bool = False
        """A batch is being committed: if that is told of before it returns, the next one has to wait for a callback."""
        self._input: int = 0
        self._throttled: list[Throttled] = []
        self._relieved_at: int = 0
        self._settling: TimerHandle | None = None
        """Rings when acknowledgements waited long enough."""
        self._alarm: TimerHandle | None = None
        self._alarm_at: int = 0

    def undurable(self) -> int:
        """The number of the batch with which all that was changed so far is on disk; 0: it is there."""
        committing, number = self.committing, self.broker.store.open_number
        if committing is None:
            return 0
        if committing.has_work():
            return number
        # What is there already, so that nothing is queued, may still be on its way to the disk.
        return number - 1 if committing.is_busy() else 0

    def begin(self) -> None:
        """Something happened: set the clock of the core, and finish the turn later."""
        self.broker.clock.now = steady.milliseconds()
        self.broker.events.actor = NOBODY
        self.schedule()

    def schedule(self) -> None:
        """Finish the turn at its end, or once this iteration of the loop is done."""
        if not self._scheduled:
            self._scheduled = True
            if not self._is_inside:
                self.loop.call_soon(self.flush)

    def enter(self) -> None:
        """A turn begins; `leave` will be called at its end."""
        self._is_inside = True

    def leave(self) -> None:
        """The turn ends: finish it now, unless nothing happened or a callback is already to come."""
        self._is_inside = False
        if self._scheduled:
            self.flush()

    def admit(self, size: int, reader: Throttled) -> bool:
        """Count input; False if the reader has to pause (it will be resumed)."""
        self._input += size
        if self._input < INPUT_LIMIT or self.committing is None or not self.committing.is_busy():
            return True
        self._throttled.append(reader)
        return False

    def flush(self) -> None:
        """Finish the turn, if another call did not do it already."""
        if not self._scheduled:
            return
        self._scheduled = False
        self.broker.turn.finish()
        outputs = self.dirty[:]
        self.dirty.clear()
        for output in outputs:
            output.flush()
        committing = self.committing
        self._watch_agenda()
        if committing is not None:
            self._relieve()
            self._commit(committing)
            if not committing.is_busy():
                self._input = 0

    def _commit(self, committing: Committing) -> None:
        if not committing.has_work():
            return
        if self.held or committing.is_pressing() or self.broker.durability.is_awaited():
            if self._is_kicking:
                self.loop.call_soon(self._settle)
                return
            self._is_kicking = True
            try:
                committing.kick()
            finally:
                self._is_kicking = False
        elif self._settling is None:
            self._settling = self.loop.call_later(SETTLE_SECONDS, self._settle)

    def _settle(self) -> None:
        self._settling = None
        if self.committing is not None and self.committing.has_work():
            self.committing.kick()

    def _watch_agenda(self) -> None:
        """Have one timer ring when the core's next appointment is due."""
        due = self.broker.agenda.next()
        if due and (self._alarm is None or due < self._alarm_at):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = due
            self._alarm = self.loop.call_later(max(0, due - steady.milliseconds()) / 1000, self._agenda_due)

    def _agenda_due(self) -> None:
        self._alarm = None
        self.begin()
        self.broker.agenda.run(self.broker.clock.now)

    def _relieve(self) -> None:
        memory = self.broker.memory
        if not memory.is_pressing():
            self._relieved_at = 0
        elif memory.resident > self._relieved_at + RELIEF_STEP:
            self.broker.relieve_memory()
            self._relieved_at = memory.resident

    def batch_committed(self, number: int) -> None:
        """Everything up to this batch is on disk: let go what waited for it."""
        self.broker.durability.batch_durable(number)
        held = self.held
        self.held = []
        for output in held:
            output.flush()
        self._input = 0
        throttled = self._throttled
        self._throttled = []
        for reader in throttled:
            reader.resume_input()
        self._scheduled = True
        self.flush()

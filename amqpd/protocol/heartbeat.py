"""Heartbeats (specification 4.2.7): what to do at each tick, decided from two counters. No clock: ticks are given."""

from __future__ import annotations

from typing import Final

ALIVE: Final = 0
BEAT: Final = 1
"""Nothing was sent since the last tick: send a heartbeat."""
DEAD: Final = 2
"""Nothing was received for two whole intervals: the peer is gone."""

TICKS_TO_DEATH: Final = 4


class Heartbeat:
    """Counts ticks of half an interval each."""

    def __init__(self) -> None:
        self.received: bool = False
        """Set by the owner with every read."""
        self._writes: int = 0
        """How many writes there will have been at the next tick if the connection stays idle."""
        self._silent_ticks: int = 0

    def tick(self, writes: int) -> int:
        """ALIVE, BEAT or DEAD; call it each half interval, with the number of writes so far."""
        if self.received:
            self._silent_ticks = 0
        else:
            self._silent_ticks += 1
            if self._silent_ticks >= TICKS_TO_DEATH:
                return DEAD
        self.received = False
        if writes != self._writes:
            self._writes = writes
            return ALIVE
        self._writes = writes + 1  # The heartbeat: an idle connection gets one each tick, for some clients wait no longer.
        return BEAT

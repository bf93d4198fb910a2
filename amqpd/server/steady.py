"""The time of day that never jumps: it was the machine's when the program started, and has gone on evenly since.

Deadlines are compared with it, so that nothing expires early, late or twice when somebody sets the machine's clock. After a
restart it is the machine's again.
"""

from __future__ import annotations

from time import monotonic, time
from typing import Final

_STARTED: Final = time() - monotonic()


def milliseconds() -> int:
    """Milliseconds since the epoch."""
    return int((_STARTED + monotonic()) * 1000)


def behind() -> float:
    """Seconds by which somebody has put the machine's clock forward since the start; negative if back."""
    return time() - monotonic() - _STARTED

"""Tells what the broker is doing whenever its loop does not answer for a while: a stall is a defect, or a starved machine."""

from __future__ import annotations

import asyncio
import logging
import selectors
import sys
import threading
import time
from time import monotonic
from typing import Final

from amqpd.logs import WARNING, log

logger = logging.getLogger(__name__)

STALL: Final = 0.1
"""Seconds: every stall that lasts longer is told."""
PAUSE: Final = 0.04
"""Seconds between an answer and the next question; a stall may be that old when the question comes."""
PATIENCE: Final = STALL - PAUSE
"""Seconds within which the loop should answer."""
TURN: Final = asyncio.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # noqa: SLF001 - it waits nowhere else
WAIT: Final = selectors.DefaultSelector.select.__code__
COMPILED: Final = "compiled code"
"""The place of a stall that was over when its place could be looked for."""


class Watchdog:
    """A thread that asks the loop, again and again, to answer; it is started and stopped by the loop's own thread.

    A loop that waits for something to do is left alone: to wake it for each question would be most of what an idle broker does.
    Compiled code lets no other thread run, so that this one may come late to find the loop waiting: then it tells of the time
    that it lost itself, if the loop's thread was computing. If it was not, the whole process was stopped, or starved.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._watched: Final = threading.get_ident()
        self._answered: Final = threading.Event()
        self._stopped: Final = threading.Event()
        self._clock: Final = time.pthread_getcpuclockid(self._watched) if hasattr(time, "pthread_getcpuclockid") else None
        self._looked: float = monotonic()
        """When this thread ran, the last time."""
        self._computed: float = self._computing()
        """Seconds that the loop's thread had computed then."""
        self._thread: Final = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        self._look()
        while not self._stopped.wait(PAUSE):
            self._look()
            if self._is_waiting():
                continue
            self._answered.clear()
            asked = monotonic()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:  # The loop is closed.
                return
            if self._answered.wait(PATIENCE):
                self._look()
                continue
            stack = COMPILED if self._is_waiting() else self._stack()
            while not self._answered.wait(PATIENCE):
                if self._stopped.is_set():
                    return
            self._note()
            self._tell(self._looked - asked, stack)

    def _look(self) -> None:
        """Tell of a stall that kept this thread from running since the last look."""
        looked, computed = self._looked, self._computed
        self._note()
        if self._looked - looked > STALL and self._computed - computed > PATIENCE:
            self._tell(self._looked - looked - PAUSE, COMPILED)

    def _note(self) -> None:
        self._looked = monotonic()
        self._computed = self._computing()

    def _computing(self) -> float:
        """Seconds that the loop's thread has computed so far; where that cannot be told, it is said to compute always."""
        return monotonic() if self._clock is None else time.clock_gettime(self._clock)

    def _tell(self, seconds: float, stack: str) -> None:
        log(logger, WARNING, "the loop stalled", milliseconds=round(seconds * 1000), stack=stack)

    def _is_waiting(self) -> bool:
        """Whether the loop's thread is where the loop waits for events."""
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way
        if frame is None or frame.f_back is None:
            return False
        return frame.f_code is WAIT and frame.f_back.f_code is TURN

    def _stack(self) -> str:
        """The functions that the loop's thread is in, innermost last; compiled ones do not show."""
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way
        found: list[str] = []
        while frame is not None:  # The module traceback would read all source files, and keep them.
            found.append(f"{frame.f_code.co_name} ({frame.f_code.co_filename}:{frame.f_lineno})")
            frame = frame.f_back
        return " > ".join(reversed(found))

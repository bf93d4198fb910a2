"""Tells what the broker is doing whenever its loop does not answer for a while: a stall is a defect, or a starved machine."""

from __future__ import annotations

import asyncio
import logging
import selectors
import sys
import threading
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


class Watchdog:
    """A thread that asks the loop, again and again, to answer; it is started and stopped by the loop's own thread.

    A loop that waits for something to do is left alone: to wake it for each question would be most of what an idle broker does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._watched: Final = threading.get_ident()
        self._answered: Final = threading.Event()
        self._stopped: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(PAUSE):
            if self._is_waiting():
                continue
            self._answered.clear()
            asked = monotonic()
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:  # The loop is closed.
                return
            if self._answered.wait(PATIENCE):
                continue
            stack = self._stack()
            while not self._answered.wait(PATIENCE):
                if self._stopped.is_set():
                    return
            stalled = round((monotonic() - asked) * 1000)
            log(logger, WARNING, "the loop stalled", milliseconds=stalled, stack=stack)

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

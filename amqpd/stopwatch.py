"""Ends searches that take too long, by a signal: the one thing that Python's regular expressions heed while they search.

1. The signal raises only while a search is under way in the main thread, where the event loop runs.
2. The time is what this thread had of the processor: no search is too long because a machine or the committer is busy.
"""

import logging
import signal
import threading
import time
from typing import Final

from amqpd.broker.expression import WATCHED, Overlong, Stopwatch
from amqpd.logs import WARNING, log

logger = logging.getLogger(__name__)


class SignalStopwatch(Stopwatch):
    """Raises Overlong from a signal handler."""

    def __init__(self) -> None:
        self._is_running = False
        self._seconds = 0.0
        self._rang_at: float | None = None
        """The thread's processor time when it rang first; None if it did not."""
        self._thread: Final = threading.get_ident()

    def start(self, seconds: float) -> None:
        """See `Stopwatch.start`; does nothing in other threads (1)."""
        if threading.get_ident() == self._thread:
            self._is_running = True
            self._seconds = seconds
            self._rang_at = None
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)

    def stop(self) -> None:
        """See `Stopwatch.stop`."""
        if self._is_running and threading.get_ident() == self._thread:
            self._is_running = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def tell(self, expression: str) -> None:
        """See `Stopwatch.tell`."""
        log(logger, WARNING, "regular expression takes too long", expression=expression)

    def ring(self, _number: int, _frame: object) -> None:
        """The process had its time. Raises Overlong once this thread has had it, too, unless the search was done just now.

        The timer counts the process as a whole, but costs no look at a clock as long as it does not ring.
        """
        if not self._is_running:
            return
        now = time.thread_time()
        if self._rang_at is None:
            self._rang_at = now
        elif now - self._rang_at >= self._seconds:
            self.stop()
            raise Overlong


def install() -> None:
    """Watch all expressions from now on; to be called in the main thread."""
    stopwatch = SignalStopwatch()
    signal.signal(signal.SIGVTALRM, stopwatch.ring)
    signal.siginterrupt(signal.SIGVTALRM, False)
    WATCHED.stopwatch = stopwatch

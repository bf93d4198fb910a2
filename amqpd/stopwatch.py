"""Ends searches that take too long, by a signal: the one thing that Python's regular expressions heed while they search.

1. The signal raises only while a search is under way in the main thread, where the event loop runs.
2. The time is the processor's: a busy machine makes no search too long.
"""

import logging
import signal
import threading
from typing import Final

from amqpd.broker.expression import WATCHED, Overlong, Stopwatch
from amqpd.logs import WARNING, log

logger = logging.getLogger(__name__)


class SignalStopwatch(Stopwatch):
    """Raises Overlong from a signal handler."""

    def __init__(self) -> None:
        self._is_running = False
        self._thread: Final = threading.get_ident()

    def start(self, seconds: float) -> None:
        """See `Stopwatch.start`; does nothing in other threads (1)."""
        if threading.get_ident() == self._thread:
            self._is_running = True
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds)

    def stop(self) -> None:
        """See `Stopwatch.stop`."""
        if self._is_running and threading.get_ident() == self._thread:
            self._is_running = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def tell(self, expression: str) -> None:
        """See `Stopwatch.tell`."""
        log(logger, WARNING, "regular expression takes too long", expression=expression)

    def ring(self, _number: int, _frame: object) -> None:
        """The time is up. Raises Overlong unless the search was done just now."""
        if self._is_running:
            self._is_running = False
            raise Overlong


def install() -> None:
    """Watch all expressions from now on; to be called in the main thread."""
    stopwatch = SignalStopwatch()
    signal.signal(signal.SIGVTALRM, stopwatch.ring)
    signal.siginterrupt(signal.SIGVTALRM, False)
    WATCHED.stopwatch = stopwatch

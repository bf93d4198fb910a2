"""Regular expressions that users write, over names that other users choose: none of them can hold up the broker.

1. Reading an expression, and searching a name with it, ends after a limit of processor time (`Stopwatch`).
2. A search that took too long found nothing, as with RabbitMQ, whose searches end after so many steps.
"""

from __future__ import annotations

import re
from typing import Final

from mypy_extensions import mypyc_attr

READING_SECONDS: Final = 0.1
SEARCH_SECONDS: Final = 0.005
"""A thousand times what a search of the longest name needs, unless the expression has its alternatives multiply."""


class Overlong(Exception):
    """The time is up."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Stopwatch:
    """Raises Overlong out of what takes too long; base of what the composition root puts in. This one never does."""

    def start(self, seconds: float) -> None:
        """Raise once so many seconds of processor time are used up, unless `stop` comes first."""

    def stop(self) -> None:
        """It was done in time."""

    def tell(self, expression: str) -> None:
        """A search with this expression took too long, for the first time."""


class Watched:
    """What all expressions share."""

    def __init__(self) -> None:
        self.stopwatch: Stopwatch = Stopwatch()


WATCHED: Final = Watched()


class Expression:
    """One regular expression."""

    def __init__(self, text: str, flags: int = 0) -> None:
        """Raise ValueError if it is none, or takes too long to read."""
        self.text: Final = text
        self.is_overlong: bool = False
        """True once a search took too long."""
        self._pattern: Final = _read(text, flags)

    def is_in(self, name: str) -> bool:
        """Whether it is found anywhere in the name (2)."""
        stopwatch = WATCHED.stopwatch
        try:
            stopwatch.start(SEARCH_SECONDS)
            found = self._pattern.search(name) is not None
            stopwatch.stop()
        except Overlong:
            if not self.is_overlong:
                self.is_overlong = True
                stopwatch.tell(self.text)
            return False
        return found


class Malformed(ValueError):
    """Not a regular expression."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position: Final = position
        """Where in the text, as far as that is known."""


def _read(text: str, flags: int) -> re.Pattern[str]:
    stopwatch = WATCHED.stopwatch
    try:
        stopwatch.start(READING_SECONDS)
        pattern = re.compile(text, flags)
        stopwatch.stop()
    except Overlong:
        raise Malformed("it takes too long to read", 0) from None
    except (re.error, OverflowError, RecursionError) as error:
        stopwatch.stop()
        position = error.pos if isinstance(error, re.error) else 0
        raise Malformed(error.msg if isinstance(error, re.error) else str(error), position or 0) from None
    return pattern

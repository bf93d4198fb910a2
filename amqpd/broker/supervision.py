"""The consumers of one channel that have to acknowledge in time (`punctuality`), those that left included.

1. Of consumers that left and hold nothing any more, no more are kept than of others, and `SLACK`.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.consumer import Consumer

SLACK: Final = 64


class Supervision:
    """Who is watched on one channel."""

    def __init__(self) -> None:
        self._consumers: list[Consumer] = []
        self._room: int = SLACK
        """With so many it is time to look who need not be watched any more."""

    def add(self, consumer: Consumer) -> None:
        """One more is watched from now on."""
        if len(self._consumers) >= self._room:
            self._let_go()
        self._consumers.append(consumer)

    def stop(self) -> None:
        """The channel ends."""
        for consumer in self._consumers:
            _stop(consumer)

    def _let_go(self) -> None:
        needed: list[Consumer] = []
        for consumer in self._consumers:
            if consumer.roster is not None or consumer.credit.used:
                needed.append(consumer)
            else:
                _stop(consumer)
        self._consumers = needed
        self._room = 2 * len(needed) + SLACK


def _stop(consumer: Consumer) -> None:
    if consumer.punctuality is not None:
        consumer.punctuality.stop()

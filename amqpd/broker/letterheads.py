"""The letterheads of dead letters, each made once for all messages that are alike and die alike in the same second."""

from __future__ import annotations

from typing import Final

from amqpd.broker.deadletter import Letterhead, letterhead
from amqpd.message import Envelope

MOST: Final = 1024
"""Letterheads that are remembered."""
LONGEST_HEADER: Final = 1024
"""Octets of a content header whose letterhead is remembered."""


class Letterheads:
    """Those of the present second: x-death says when a message died."""

    def __init__(self) -> None:
        self._second: int = 0
        self._made: dict[tuple[str, str, str, str | None, bytes, bytes], Letterhead] = {}

    def find(self, envelope: Envelope, queue: str, reason: str, exchange: str, routing_key: str | None, now: int) -> Letterhead:
        """See `deadletter.letterhead`."""
        second = now // 1000
        if second != self._second or len(self._made) >= MOST:
            self._second = second
            self._made.clear()
        key = (queue, reason, exchange, routing_key, envelope.address, envelope.header)
        made = self._made.get(key)
        if made is None:
            made = letterhead(envelope, queue, reason, exchange, routing_key, now)
            if len(envelope.header) <= LONGEST_HEADER:
                self._made[key] = made
        return made

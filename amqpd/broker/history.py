"""The last messages of a recent history exchange, for those who come late.

They are kept in memory and end with the broker, as RabbitMQ's do.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from amqpd.broker.gate import Gate, GateHost, Passage
from amqpd.message import Message
from exchanges.base import Binding
from exchanges.recent_history import RecentHistoryExchange


class History(Gate):
    """Remembers as many messages as its exchange says, and lets all through."""

    def __init__(self, exchange: RecentHistoryExchange, host: GateHost) -> None:
        self.host: Final = host
        self._messages: Final[deque[Message]] = deque(maxlen=exchange.length)

    def admit(self, passage: Passage) -> bool:
        """See `Gate.admit`."""
        if passage.headers.get("x-recent-history-no-store") is not True:
            self._messages.append(passage.message)
        return True

    def bound(self, binding: Binding) -> None:
        """See `Gate.bound`; the oldest message comes first."""
        for message in list(self._messages):
            self.host.deliver_to(message, binding)

"""Gates: what looks at a message before the exchange that it came to does, to remember it, to hold it back or to drop it.

1. A gate sees a message once at its exchange, whichever way the message came: published, through a binding, as a dead letter.
2. What a gate keeps of a message is in the same batch as what becomes of the message.
3. A message that a gate does not let through counts as routed: it is confirmed, and not returned.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.queue import QueueHost
from amqpd.message import Message
from exchanges.base import Binding, Exchange
from exchanges.router import Gatekeeper


class Gate:
    """Stands before one exchange."""

    def admit(self, passage: Passage) -> bool:
        """Called with each message that comes to the exchange; False if it goes no further for now."""
        raise NotImplementedError

    def rejected(self, passage: Passage) -> None:
        """Called when it let a message through that then no queue took, or that one refused: the publisher may try again."""

    def bound(self, binding: Binding) -> None:
        """Called when a client has made a new binding of the exchange."""


class GateHost(QueueHost):
    """The virtual host of a gate."""

    def forward(self, message: Message, routing_keys: list[str], exchange: Exchange, passed: Exchange | None) -> None:
        """Route a message from an exchange on, with the gates of one exchange behind it."""
        raise NotImplementedError

    def deliver_to(self, message: Message, binding: Binding) -> None:
        """Give a message to the destination of a binding."""
        raise NotImplementedError


class Passage(Gatekeeper):
    """One message on its way through the exchanges, and what became of it at their gates."""

    def __init__(
        self, gates: dict[Exchange, list[Gate]], message: Message, routing_keys: list[str], headers: dict[str, object],
        passed: Exchange | None = None,
    ) -> None:  # fmt: skip
        self.gates: Final = gates
        self.message: Final = message
        self.routing_keys: Final = routing_keys
        self.headers: Final = headers
        self.passed: Final = passed
        """The exchange whose gates are behind it already."""
        self.held: bool = False
        """True if a gate did not let it through."""
        self.stored: bool = False
        """True if a gate keeps something of it on disk."""
        self._passed_gates: Final[list[Gate]] = []

    def admits(self, exchange: Exchange) -> bool:
        """See `Gatekeeper.admits`."""
        if exchange is self.passed:
            return True
        for gate in self.gates.get(exchange, []):
            if not gate.admit(self):
                self.held = True
                return False
            self._passed_gates.append(gate)
        return True

    def reject(self) -> None:
        """The message came to nothing."""
        for gate in self._passed_gates:
            gate.rejected(self)

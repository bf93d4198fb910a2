"""A gate that holds messages back for as long as their header x-delay says (exchanges of type x-delayed-message).

A durable exchange keeps all its messages on disk, transient ones too, so that a restart delays nothing but what happens during
it; what another one holds back is lost with the broker. A message that is due is routed as if it were published then:
its own time to live begins, and what no queue takes is dropped.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Final

from amqpd.broker.gate import Gate, GateHost, Passage
from amqpd.broker.line import Setting
from amqpd.broker.schedule import Receiver, Schedule
from amqpd.message import Envelope, Message
from amqpd.wire import properties, tables
from exchanges.base import Exchange
from persistence.calendar import NEVER

DELAY: Final = "x-delay"


class DelayReceiver(Receiver):
    """Sends what is due on its way."""

    def __init__(self, exchange: Exchange, host: GateHost) -> None:
        self.exchange: Final = exchange
        self.host: Final = host

    def message_due(self, message: Message, routing_keys: list[str]) -> None:
        """See `Receiver.message_due`."""
        self.host.forward(message, routing_keys, self.exchange, self.exchange)


class DelayGate(Gate):
    """Holds back what is to be delayed."""

    def __init__(self, exchange: Exchange, host: GateHost, setting: Setting, exchange_id: int) -> None:
        self.setting: Final = setting
        self.schedule: Final = Schedule(setting, exchange_id, exchange.durable, DelayReceiver(exchange, host))
        self._last: Envelope | None = None
        """The last message's envelope: publishers repeat themselves, and then the next one's is the same object."""
        self._delay: int = 0
        self._delayed: Envelope | None = None
        """What they wait for, in milliseconds, and what becomes of the envelope."""

    def admit(self, passage: Passage) -> bool:
        """See `Gate.admit`."""
        message = passage.message
        if message.envelope is not self._last:
            self._last = message.envelope
            self._delay = milliseconds(passage.headers.get(DELAY))
            self._delayed = _delayed(message.envelope, self._delay) if self._delay > 0 else None
        if self._delayed is None:
            return True
        due = min(self.setting.clock.now + self._delay, NEVER)
        self.schedule.add(due, Message(self._delayed, message.body), passage.routing_keys)
        passage.stored = passage.stored or self.schedule.calendar.kept
        return False


def milliseconds(value: object) -> int:
    """What a header x-delay means: an integer, a number as text, or a fraction, which is cut off; 0 if it is none of them."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        value = int(value) if isfinite(value) else 0
    return min(value, NEVER) if isinstance(value, int) else 0


def _number(text: str) -> int | float:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return 0


def _delayed(envelope: Envelope, delay: int) -> Envelope:
    """The envelope with its delay negated, which tells its receivers that it is over."""
    headers = tables.without(properties.headers_of(envelope.header), DELAY) + tables.encode({DELAY: -delay})
    header = properties.with_headers(envelope.header, headers)
    return Envelope(envelope.address, header, envelope.persistent, envelope.priority, envelope.expiration)

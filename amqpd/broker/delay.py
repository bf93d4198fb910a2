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
from amqpd.message import Message, envelope_of
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

    def admit(self, passage: Passage) -> bool:
        """See `Gate.admit`."""
        delay = milliseconds(passage.headers.get(DELAY))
        if delay <= 0:
            return True
        due = min(self.setting.clock.now + delay, NEVER)
        self.schedule.add(due, _delayed(passage.message, delay), passage.routing_keys)
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


def _delayed(message: Message, delay: int) -> Message:
    """The message with its delay negated, which tells its receivers that it is over."""
    envelope = message.envelope
    found = properties.parse(envelope.header)
    found.headers = tables.without(found.headers or b"", DELAY) + tables.encode({DELAY: -delay})
    return Message(envelope_of(envelope.address, properties.encode(found, len(message.body))), message.body)

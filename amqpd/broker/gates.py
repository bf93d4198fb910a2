"""All gates of one virtual host, by exchange: which an exchange needs, and when they are set up and taken down."""

from __future__ import annotations

from typing import Final

from amqpd.broker import duplicate_gate
from amqpd.broker.delay import DelayGate
from amqpd.broker.duplicate_gate import DuplicateGate
from amqpd.broker.gate import Gate, GateHost, Passage
from amqpd.broker.history import History
from amqpd.broker.line import Setting
from amqpd.broker.schedule import Schedule
from amqpd.message import Message
from exchanges.base import Binding, Exchange
from exchanges.delayed import DelayedExchange
from exchanges.recent_history import RecentHistoryExchange


class Gates:
    """The gates of the exchanges that have any."""

    def __init__(self, host: GateHost, setting: Setting) -> None:
        self.host: Final = host
        self.setting: Final = setting
        self.by_exchange: Final[dict[Exchange, list[Gate]]] = {}
        self._ids: Final[dict[Exchange, int]] = {}

    def set_up(self, exchange: Exchange, exchange_id: int) -> None:
        """An exchange was declared, or recovered; its id is 0 unless `needs_id`. Raises ArgumentError."""
        gates: list[Gate] = []
        if duplicate_gate.is_wanted(exchange):
            gate = DuplicateGate(exchange, self.setting.clock)
            if exchange.durable:
                gate.filter.keep(self.setting.store, exchange_id)
            gates.append(gate)
        if isinstance(exchange, DelayedExchange):
            gates.append(DelayGate(exchange, self.host, self.setting, exchange_id))
        if isinstance(exchange, RecentHistoryExchange):
            gates.append(History(exchange, self.host))
        if gates:
            exchange.gated = True
            self.by_exchange[exchange] = gates
            self._ids[exchange] = exchange_id

    def take_down(self, exchange: Exchange) -> None:
        """The exchange is deleted, and with it all that its gates keep."""
        schedule = self.schedule(exchange)
        if schedule is not None:
            schedule.stop()
        if self.by_exchange.pop(exchange, None) is not None:
            self.setting.store.drop_queue(self._ids.pop(exchange))
            exchange.gated = False

    def bound(self, binding: Binding) -> None:
        """A client has made a new binding."""
        for gate in self.by_exchange.get(binding.source, []):
            gate.bound(binding)

    def passage(self, message: Message, routing_keys: list[str], headers: dict[str, object]) -> Passage:
        """The way of a message through the exchanges."""
        return Passage(self.by_exchange, message, routing_keys, headers)

    def schedule(self, exchange: Exchange) -> Schedule | None:
        """What the exchange holds back; None if it is of a type that never does."""
        for gate in self.by_exchange.get(exchange, []):
            if isinstance(gate, DelayGate):
                return gate.schedule
        return None


def needs_id(exchange: Exchange) -> bool:
    """Whether the exchange keeps something in the store. Raises ArgumentError."""
    return isinstance(exchange, DelayedExchange) or duplicate_gate.is_wanted(exchange)

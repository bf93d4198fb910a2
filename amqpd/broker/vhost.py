"""A virtual host: exchanges, queues and bindings under names of their own (specification 2.1.1).

1. `generation` grows with every change that can alter a route, so that a resolved route is valid while it stays.
2. What is durable is saved with the open batch; a binding is durable if both its ends are.
3. An auto-delete exchange goes with its last binding, an auto-delete queue with its last consumer, never before the first.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from amqpd.broker import facts
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.client import Client
from amqpd.broker.consumer import Consumer
from amqpd.broker.deadletter import Letterhead
from amqpd.broker.gate import GateHost, Passage
from amqpd.broker.gates import Gates, needs_id
from amqpd.broker.headers import headers_for_exchanges
from amqpd.broker.journal import Journal, binding_row, exchange_row, pause_row, queue_row
from amqpd.broker.known_routes import KnownRoutes
from amqpd.broker.letterheads import Letterheads
from amqpd.broker.line import SHARED_BODY, Setting
from amqpd.broker.policies import PolicySet
from amqpd.broker.policy_keys import ALTERNATE_EXCHANGE
from amqpd.broker.queue import Queue
from amqpd.broker.quota import Quota
from amqpd.broker.traffic import Traffic
from amqpd.message import Message
from amqpd.wire import properties, tables
from exchanges import registry
from exchanges.base import Binding, Destination, Exchange
from exchanges.default import DefaultExchange
from exchanges.router import Gatekeeper, Reach, Router

PREDECLARED: Final = (
    ("amq.direct", "direct", False),
    ("amq.fanout", "fanout", False),
    ("amq.topic", "topic", False),
    ("amq.headers", "headers", False),
    ("amq.match", "headers", False),
    ("amq.rabbitmq.trace", "topic", True),
)
"""Name, type and internal flag of the exchanges that every virtual host has."""

LETTERS_AT_ONCE: Final = 10_000
"""How many dead letters may come of one message: queues that all give up to each other would multiply them without end."""


class VHost(GateHost):
    """One virtual host."""

    def __init__(self, name: str, setting: Setting, journal: Journal) -> None:
        self.name: Final = name
        self.setting: Final = setting
        self.journal: Final = journal
        self.generation: int = 0
        self.policies: Final = PolicySet()
        self.operator_policies: Final = PolicySet()
        self.quota: Final = Quota()
        self.default_queue_type: str = ""
        """The type of queues that are declared without one; empty: classic, and their arguments do not say so."""
        self.tracing: bool = False
        """True while copies of all messages go to the firehose (`tracing`)."""
        self._events: Final = setting.events
        self._known_routes: Final = KnownRoutes()
        self._letterheads: Final = Letterheads()
        self._letters: Final[deque[tuple[Letterhead, bytes, Exchange]]] = deque()
        self._routing_letters: bool = False
        self.gates: Final = Gates(self, setting)
        self.queues: Final[dict[str, Queue]] = {}
        self.reply_queues: Final[dict[str, Queue]] = {}
        """The hidden queues of those who wait for direct replies, by their opaque names."""
        self.exchanges: Final[dict[str, Exchange]] = {"": DefaultExchange("", True)}
        self.traffic: Final[dict[str, Traffic]] = {"": Traffic()}
        """Of each exchange, by its name."""
        self.router: Final = Router(self.exchanges)
        self._reaches: dict[tuple[Exchange, Exchange | None], Reach] = {}
        """What `reach` found in the generation `_reached_in`."""
        self._reached_in: int = 0
        self._sources: Final[dict[Destination, dict[Exchange, None]]] = {}
        """The exchanges that a destination was ever bound to."""
        for exchange_name, exchange_type, internal in PREDECLARED:
            self.exchanges[exchange_name] = registry.create(exchange_type, exchange_name, True, False, internal, {})
            self.traffic[exchange_name] = Traffic()

    # --- exchanges -------------------------------------------------------------------------------------------------

    def declare_exchange(
        self, exchange_type: str, name: str, durable: bool, auto_delete: bool, internal: bool, arguments: bytes
    ) -> Exchange:
        """A new exchange. Raises ArgumentError, UnknownType, BadSyntax."""
        exchange = registry.create(exchange_type, name, durable, auto_delete, internal, tables.decode(arguments))
        exchange_id = self.journal.next_queue_id() if needs_id(exchange) else 0
        self.gates.set_up(exchange, exchange_id)
        self.add_exchange(exchange)
        if durable:
            self.journal.save(exchange_row(self.name, exchange, arguments, exchange_id))
        self._events.emit_by_actor("exchange.created", facts.exchange_created(exchange, self.name))
        return exchange

    def add_exchange(self, exchange: Exchange) -> None:
        """An exchange that was declared, or recovered."""
        self.exchanges[exchange.name] = exchange
        self.setting.capacity.exchanges.used += 1
        self.traffic[exchange.name] = Traffic()
        self.generation += 1
        self.govern_exchange(exchange)

    def govern_exchange(self, exchange: Exchange) -> None:
        """Have the exchange obey the policies as they are; its own arguments come first, and the default one never does."""
        if not exchange.name or ALTERNATE_EXCHANGE in exchange.arguments:
            return
        policy = self.policies.of_exchange(exchange.name)
        alternate = policy.definition.get(ALTERNATE_EXCHANGE) if policy is not None else None
        name = alternate if isinstance(alternate, str) and alternate else None
        if name != exchange.alternate:
            exchange.alternate = name
            self.generation += 1

    def delete_exchange(self, exchange: Exchange) -> None:
        """The exchange ends, and all bindings from and to it."""
        del self.exchanges[exchange.name], self.traffic[exchange.name]
        self.setting.capacity.exchanges.used -= 1
        self.generation += 1
        if exchange.durable:
            self.journal.remove(exchange_row(self.name, exchange, b"", 0))
        self.gates.take_down(exchange)
        for binding in list(exchange.bindings.values()):
            exchange.unbind(binding.destination, binding.routing_key, binding.arguments)
            self._sources[binding.destination].pop(exchange, None)
            self._forget(binding)
        self._unbind_everywhere(exchange)
        self._events.emit_by_actor("exchange.deleted", facts.named(exchange.name, self.name))

    # --- queues ----------------------------------------------------------------------------------------------------

    def declare_queue(
        self, name: str, durable: bool, auto_delete: bool, exclusive_to: Client | None, arguments: QueueArguments
    ) -> Queue:
        """A new queue; one that is exclusive is never durable."""
        durable = durable and exclusive_to is None
        queue = Queue(
            self.setting, self, self.journal.next_queue_id(), self.name, name, durable, auto_delete, exclusive_to, arguments
        )
        self.add_queue(queue)
        self.setting.totals.queues_declared += 1
        self.setting.totals.queues_created += 1
        if exclusive_to is not None:
            exclusive_to.exclusive_queues[name] = None
        if durable:
            self.journal.save(queue_row(queue))
        self._events.emit_by_actor("queue.created", facts.queue_created(queue))
        return queue

    def add_queue(self, queue: Queue) -> None:
        """A queue that was declared, or recovered."""
        self.queues[queue.name] = queue
        self.setting.capacity.queues.used += 1
        queue_type = queue.arguments.type
        queue.obey(self.policies.of_queue(queue.name, queue_type), self.operator_policies.of_queue(queue.name, queue_type))
        self.generation += 1

    def govern_queue(self, queue: Queue) -> None:
        """Have the queue obey the policies as they are."""
        policy = self.policies.of_queue(queue.name, queue.arguments.type)
        operator_policy = self.operator_policies.of_queue(queue.name, queue.arguments.type)
        if not queue.deleted and (policy is not queue.policy or operator_policy is not queue.operator_policy):
            queue.obey(policy, operator_policy)
            ruling = operator_policy or policy
            event = "queue.policy.cleared" if ruling is None else "queue.policy.updated"
            self._events.emit_by_actor(event, facts.queue_policy(queue, ruling))

    def delete_queue(self, queue: Queue) -> int:
        """The queue ends with its bindings; its consumers are told. Returns how many ready messages it had."""
        if queue.deleted:
            return 0
        count = queue.ready.count
        del self.queues[queue.name]
        self.setting.capacity.queues.used -= 1
        self.generation += 1
        if queue.exclusive_to is not None:
            del queue.exclusive_to.exclusive_queues[queue.name]
        if queue.durable:
            self.journal.remove(queue_row(queue))
            if queue.dispatch.paused:
                self.journal.remove(pause_row(queue))
        queue.delete()
        self.setting.totals.queue_deleted(queue.arguments.type, queue.counted())
        for consumer in list(queue.dispatch.consumers):
            queue.remove(consumer)
            consumer.owner.consumer_cancelled(consumer)
        self._unbind_everywhere(queue.name)
        self._events.emit_by_actor("queue.deleted", facts.named(queue.name, self.name))
        return count

    def remove_consumer(self, queue: Queue, consumer: Consumer) -> None:
        """A consumer leaves, and perhaps its queue with it (3)."""
        if queue.deleted:
            return
        queue.remove(consumer)
        if self.reply_queues.pop(queue.name, None) is not None:
            self.generation += 1
            queue.delete()
        elif queue.auto_delete and not queue.consumer_count:
            self.delete_queue(queue)

    # --- bindings --------------------------------------------------------------------------------------------------

    def bind(self, source: Exchange, destination: Destination, routing_key: str, arguments: bytes) -> None:
        """Bind, unless it is bound in the same way already. Raises ArgumentError, BadSyntax."""
        binding = self.restore_binding(source, destination, routing_key, arguments)
        if binding is None:
            return
        if self._is_durable(binding):
            self.journal.save(binding_row(self.name, binding))
        self._events.emit_by_actor("binding.created", facts.binding(binding, self.name))
        self.gates.bound(binding)

    def restore_binding(self, source: Exchange, destination: Destination, routing_key: str, arguments: bytes) -> Binding | None:
        """Bind without saving it (it is saved already, or need not be); None if it is bound already."""
        binding = source.bind(destination, routing_key, tables.decode(arguments))
        if binding is not None:
            self.setting.capacity.bindings.used += 1
            self.generation += 1
            self._sources.setdefault(destination, {})[source] = None
        return binding

    def unbind(self, source: Exchange, destination: Destination, routing_key: str, arguments: bytes) -> None:
        """Undo a binding, if there is such one."""
        binding = source.unbind(destination, routing_key, tables.decode(arguments))
        if binding is not None:
            self.generation += 1
            if not source.leads_to(binding.destination):
                self._sources[binding.destination].pop(source, None)
            self._forget(binding)
            self._delete_unused(source)

    def _unbind_everywhere(self, destination: Destination) -> None:
        for source in self._sources.pop(destination, {}):
            for binding in source.unbind_all(destination):
                self._forget(binding)
            self._delete_unused(source)

    def _delete_unused(self, source: Exchange) -> None:
        if source.auto_delete and source.was_bound and not source.in_use and self.exchanges.get(source.name) is source:
            self.delete_exchange(source)

    def _forget(self, binding: Binding) -> None:
        self.setting.capacity.bindings.used -= 1
        self.generation += 1
        if binding.source.durable:
            self.journal.remove(binding_row(self.name, binding))
        self._events.emit_by_actor("binding.deleted", facts.binding(binding, self.name))

    def _is_durable(self, binding: Binding) -> bool:
        destination = binding.destination
        if isinstance(destination, Exchange):
            return binding.source.durable and destination.durable
        queue = self.queues.get(destination)
        return binding.source.durable and queue is not None and queue.durable

    # --- routes ----------------------------------------------------------------------------------------------------

    def push(self, targets: list[Queue], message: Message) -> int:
        """Give a message to several queues; a large body that is to survive is stored once. See `Line.push`."""
        result, body_id = 0, 0
        if len(targets) > 1 and len(message.body) >= SHARED_BODY and message.envelope.persistent:
            body_id = self.setting.store.share(message.body)
        for queue in targets:
            result = max(result, queue.push(message, body_id))
        return result

    def dead_letter(self, message: Message, queue: str, reason: str, exchange: str, routing_key: str | None) -> None:
        """Route what a queue gave up; queues that give up something for it wait until it is done."""
        target = self.exchanges.get(exchange)
        if target is None:
            return
        now = self.setting.clock.now
        head = self._letterheads.find(message.envelope, queue, reason, exchange, routing_key, now)
        self._letters.append((head, message.body, target))
        if self._routing_letters:
            return
        self._routing_letters = True
        try:
            for _ in range(LETTERS_AT_ONCE):
                if not self._letters:
                    break
                self._route_letter(*self._letters.popleft())
            self._letters.clear()
        finally:
            self._routing_letters = False

    def _route_letter(self, head: Letterhead, body: bytes, exchange: Exchange) -> None:
        message = Message(head.envelope, body)
        targets = self._targets(message, head.routing_keys, exchange, None)
        self.push([queue for queue in targets if head.may_enter(queue.name)], message)

    def forward(self, message: Message, routing_keys: list[str], exchange: Exchange, passed: Exchange | None) -> None:
        """See `GateHost.forward`."""
        self.push(self._targets(message, routing_keys, exchange, passed), message)

    def deliver_to(self, message: Message, binding: Binding) -> None:
        """See `GateHost.deliver_to`."""
        destination = binding.destination
        if isinstance(destination, Exchange):
            self.forward(message, [message.envelope.routing_key], destination, None)
        elif destination in self.queues:
            self.queues[destination].push(message, 0)

    def _targets(self, message: Message, routing_keys: list[str], exchange: Exchange, passed: Exchange | None) -> list[Queue]:
        """The queues for a message that no client publishes now."""
        way = (exchange, passed, *routing_keys)
        targets = self._known_routes.find(self.generation, way)
        if targets is None:
            targets = self._find_targets(message, routing_keys, exchange, passed)
            if self.reach(exchange, passed).by_key:
                self._known_routes.keep(way, targets)
        return targets

    def _find_targets(
        self, message: Message, routing_keys: list[str], exchange: Exchange, passed: Exchange | None
    ) -> list[Queue]:
        found = properties.parse(message.envelope.header)
        headers = headers_for_exchanges(found, self.reach(exchange).wants_properties)
        passage = Passage(self.gates.by_exchange, message, routing_keys, headers, passed)
        return self.route(exchange, routing_keys, headers, passage)

    def queue_expired(self, queue: Queue) -> None:
        """The queue was not used for as long as it may be."""
        self.delete_queue(queue)

    def reach(self, exchange: Exchange, passed: Exchange | None = None) -> Reach:
        """See `Router.reach`; found once a generation."""
        if self._reached_in != self.generation:
            self._reaches = {}
            self._reached_in = self.generation
        way = (exchange, passed)
        reach = self._reaches.get(way)
        if reach is None:
            reach = self._reaches[way] = self.router.reach(exchange, passed)
        return reach

    def route(
        self, exchange: Exchange, routing_keys: list[str], headers: dict[str, object], gatekeeper: Gatekeeper | None = None
    ) -> list[Queue]:
        """The queues for a message, each once."""
        queues: list[Queue] = []
        for name in self.router.route(exchange, routing_keys, headers, gatekeeper):
            queue = self.queues.get(name) or self.reply_queues.get(name)
            if queue is not None:
                queues.append(queue)
        return queues

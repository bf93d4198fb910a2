"""A broker that is obviously right: what its queues hold, who gets it, and what a crash leaves, in plain lists and loops.

1. A step is one command of one client, or one event. What comes into a queue within a step has one rank: its order among
   its like is not promised where messages come from several queues at once.
2. A message that is ready stays in its queue until the broker is heard to deliver it; the model then checks that it was
   the next one, and that whoever got it could take it.
"""

from copy import deepcopy
from dataclasses import dataclass, field

Binding = tuple[str, str, str]
"""Source, queue and routing key."""

Durable = tuple[dict[str, tuple[str, bool]], dict[str, "Queue"], set[Binding], dict[str, object]]
"""Exchanges, queues, bindings and the policy that a crash leaves."""

DEAD = "dead"
"""The queue that all dead letters go to, by its name."""


@dataclass
class Item:
    """One message in one queue."""

    number: int
    is_persistent: bool
    level: int
    rank: int
    deadline: int
    redelivered: bool | None = False
    """None if a crash may have made it forgotten."""
    origin: str = ""
    """The queue it died in: there may be a dead letter of each copy of a message."""

    @property
    def key(self) -> tuple[int, int]:
        """Its place among others."""
        return (-self.level, self.rank)


@dataclass
class Consumer:
    """One consumer of one channel."""

    channel: "Channel"
    tag: str
    queue: str
    no_ack: bool
    prefetch: int


@dataclass
class Held:
    """A message that was delivered and not settled."""

    item: Item
    queue: "Queue"
    consumer: str
    """The tag of the consumer that got it; empty if it was got without one."""


@dataclass(eq=False)
class Queue:
    """One queue: its arguments, and what waits in it."""

    name: str
    durable: bool
    auto_delete: bool
    owner: object
    arguments: dict[str, object]
    used_at: int
    policy: dict[str, object] = field(default_factory=dict)
    ready: list[Item] = field(default_factory=list)
    is_deleted: bool = False

    def limit(self, name: str) -> int | None:
        """The least of what its arguments and its policy say."""
        given = [self.arguments.get(f"x-{name}"), self.policy.get(name)]
        found = [value for value in given if isinstance(value, int)]
        return min(found) if found else None

    @property
    def levels(self) -> int:
        """Its greatest priority."""
        return self.limit("max-priority") or 0

    def put(self, item: Item) -> None:
        """To its place."""
        self.ready.append(item)
        self.ready.sort(key=lambda item: item.key)

    def find(self, number: int, origin: str) -> Item | None:
        """The message, if it is one of the next ones."""
        found = [item for item in self.ready if (item.number, item.origin, item.key) == (number, origin, self.ready[0].key)]
        return found[0] if found else None

    def take(self, number: int, origin: str, redelivered: object) -> Item:
        """The message, which must be one of the next ones, and was delivered before or not, as is said."""
        found = self.find(number, origin)
        assert found, f"{number} of {origin} came from {self.name}, whose next are {self.ready[:3]}"
        assert found.redelivered in {None, bool(redelivered)}, found
        self.ready.remove(found)
        return found


@dataclass(eq=False)
class Channel:
    """One channel: what it holds, and what it is about to do."""

    connection: object
    held: dict[int, Held] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)
    prefetch: int = 0
    whole_prefetch: int = 0
    last_tag: int = 0
    is_transactional: bool = False
    publishes: list[tuple[str, str, int, bool, int, int | None, bool]] = field(default_factory=list)
    answers: list[tuple[list[int], str]] = field(default_factory=list)
    """Delivery tags and their fate, of the transaction."""
    is_confirming: bool = False
    published: int = 0
    unconfirmed: dict[int, str] = field(default_factory=dict)
    """Publishes whose confirm is to come: `ack`, `nack`, or `durable` for an ack that has to wait for the disk."""

    def free(self, consumer: Consumer) -> int:
        """How many messages the consumer can take now."""
        held = [one for one in self.held.values() if one.consumer]
        if consumer.no_ack:
            return 0 if self.whole_prefetch and len(held) >= self.whole_prefetch else 1 << 30
        mine = [one for one in held if one.consumer == consumer.tag]
        own = consumer.prefetch - len(mine) if consumer.prefetch else 1 << 30
        whole = self.whole_prefetch - len(held) if self.whole_prefetch else 1 << 30
        return max(0, min(own, whole))

    @property
    def unsettled(self) -> list[int]:
        """The tags that can be answered: those that are held, less those that the open transaction took."""
        answered = {tag for tags, _ in self.answers for tag in tags}
        return [tag for tag in self.held if tag not in answered]


class Model:
    """All of it."""

    def __init__(self) -> None:
        self.now = 0
        self.rank = 0
        self.exchanges: dict[str, tuple[str, bool]] = {
            "amq.direct": ("direct", True),
            "amq.fanout": ("fanout", True),
            "amq.topic": ("topic", True),
        }
        """Type and durability by name."""
        self.queues: dict[str, Queue] = {}
        self.bindings: set[Binding] = set()
        self.policy: dict[str, object] = {}
        """The one policy, for queues whose names begin with `plain`."""
        self.channels: list[Channel] = []
        self.cancelled: list[tuple[Channel, str]] = []
        """Consumers that the broker ended in this step."""
        self.returned: list[tuple[Channel, int]] = []
        """Messages that are to be returned in this step."""
        self._durable: Durable = ({}, {}, set(), {})
        self.committed()

    # --- exchanges, queues, bindings -------------------------------------------------------------------------------

    def declare(self, name: str, durable: bool, auto_delete: bool, owner: object, arguments: dict[str, object]) -> None:
        """A queue is there, perhaps was already."""
        if name in self.queues:
            self.queues[name].used_at = self.now
            return
        queue = Queue(name, durable and owner is None, auto_delete, owner, arguments, self.now)
        self.queues[name] = queue
        self._govern(queue)

    def delete(self, name: str) -> None:
        """A queue goes, and who waits for it is told."""
        queue = self.queues.pop(name)
        queue.is_deleted = True
        self.bindings = {binding for binding in self.bindings if binding[1] != name}
        for consumer in self.consumers(name):
            del consumer.channel.consumers[consumer.tag]
            self.cancelled.append((consumer.channel, consumer.tag))

    def delete_exchange(self, name: str) -> None:
        """An exchange goes, with its bindings."""
        del self.exchanges[name]
        self.bindings = {binding for binding in self.bindings if binding[0] != name}

    def set_policy(self, definition: dict[str, object]) -> None:
        """The policy is this one from now on."""
        self.policy = definition
        for queue in self.queues.values():
            self._govern(queue)

    def _govern(self, queue: Queue) -> None:
        queue.policy = self.policy if queue.name.startswith("plain") else {}
        self._shorten(queue)

    def route(self, exchange: str, routing_key: str) -> list[Queue]:
        """The queues that a message goes to."""
        if not exchange:
            return [self.queues[routing_key]] if routing_key in self.queues else []
        kind = self.exchanges[exchange][0]
        names = {
            queue
            for source, queue, key in self.bindings
            if source == exchange and (kind == "fanout" or key == routing_key or (kind == "topic" and key == "#"))
        }
        return [self.queues[name] for name in sorted(names)]

    def consumers(self, queue: str) -> list[Consumer]:
        """Those of a queue."""
        return [one for channel in self.channels for one in channel.consumers.values() if one.queue == queue]

    def can_be_taken(self, queue: Queue) -> bool:
        """Whether somebody can take another message of the queue."""
        return self._free(queue) > 0

    def _free(self, queue: Queue) -> int:
        return sum(one.channel.free(one) for one in self.consumers(queue.name))

    # --- messages come ---------------------------------------------------------------------------------------------

    def publish(
        self, channel: Channel, exchange: str, key: str, number: int, is_persistent: bool, priority: int,
        expiration: int | None, mandatory: bool,
    ) -> None:  # fmt: skip
        """A message is published, at once or with the transaction."""
        if channel.is_transactional:
            channel.publishes.append((exchange, key, number, is_persistent, priority, expiration, mandatory))
            return
        queues = self.route(exchange, key)
        if not queues and mandatory:
            self.returned.append((channel, number))
        results = [self._enter(queue, number, is_persistent, priority, expiration) for queue in queues]
        if channel.is_confirming:
            channel.published += 1
            kind = "nack" if "nack" in results else "durable" if "durable" in results else "ack"
            channel.unconfirmed[channel.published] = kind

    def _enter(self, queue: Queue, number: int, is_persistent: bool, priority: int, expiration: int | None) -> str:
        longest, taken = queue.limit("max-length"), self._free(queue)
        refuses = queue.arguments.get("x-overflow") == "reject-publish"
        if refuses and longest is not None and len(queue.ready) - taken >= longest:
            return "nack"
        lives = [one for one in (queue.limit("message-ttl"), expiration) if one is not None]
        deadline = self.now + min(lives) if lives else 0
        item = Item(number, is_persistent, min(priority, queue.levels), self.rank, deadline)
        if lives and deadline <= self.now and taken <= len(queue.ready):
            self._give_up(queue, item)
            return "ack"
        queue.put(item)
        self._shorten(queue, taken)
        is_handed = any(one.no_ack for one in self.consumers(queue.name))
        return "durable" if queue.durable and is_persistent and not is_handed else "ack"

    def _shorten(self, queue: Queue, taken: int = 0) -> None:
        """Drop what is too much, but none of the first so many: somebody takes them as they come."""
        longest = queue.limit("max-length")
        if queue.arguments.get("x-overflow") != "reject-publish" and longest is not None:
            while len(queue.ready) - taken > longest:
                self._give_up(queue, queue.ready.pop(taken))

    def _give_up(self, queue: Queue, item: Item) -> None:
        """What a queue does not keep goes to the dead, if the queue says so."""
        if queue.arguments.get("x-dead-letter-routing-key") == DEAD and DEAD in self.queues:
            dead = self.queues[DEAD]
            dead.put(Item(item.number, item.is_persistent, 0, self.rank, 0, origin=queue.name))

    # --- messages go -----------------------------------------------------------------------------------------------

    def deliver(self, channel: Channel, tag: int, item: Item, queue: Queue, consumer: str, no_ack: bool) -> None:
        """A message reached a client."""
        assert tag == channel.last_tag + 1
        channel.last_tag = tag
        if not no_ack:
            channel.held[tag] = Held(item, queue, consumer)

    def answer(self, channel: Channel, tags: list[int], fate: str) -> None:
        """These are acknowledged, rejected or requeued, at once or with the transaction."""
        if channel.is_transactional:
            channel.answers.append((tags, fate))
        else:
            self._settle(channel, tags, fate)

    def requeue(self, channel: Channel, tags: list[int]) -> None:
        """These go back, transaction or not."""
        self._settle(channel, tags, "requeue")

    def _settle(self, channel: Channel, tags: list[int], fate: str) -> None:
        for tag in tags:
            held = channel.held.pop(tag)
            if held.queue.is_deleted or fate == "ack":
                continue
            if fate == "reject" or (held.item.deadline and held.item.deadline <= self.now):
                self._give_up(held.queue, held.item)
            else:
                held.item.redelivered = True
                held.queue.put(held.item)
                self._shorten(held.queue)

    def commit(self, channel: Channel) -> None:
        """tx.commit."""
        publishes, answers = channel.publishes, channel.answers
        channel.publishes, channel.answers, channel.is_transactional = [], [], False
        for publish in publishes:
            self.publish(channel, *publish)
            self.rank += 1
        for tags, fate in answers:
            self._settle(channel, tags, fate)
        channel.is_transactional = True

    def rollback(self, channel: Channel) -> None:
        """tx.rollback."""
        channel.publishes, channel.answers = [], []

    # --- ends ------------------------------------------------------------------------------------------------------

    def cancel(self, channel: Channel, tag: str) -> None:
        """A consumer leaves, and perhaps its queue."""
        consumer = channel.consumers.pop(tag)
        queue = self.queues[consumer.queue]
        queue.used_at = self.now
        if queue.auto_delete and not self.consumers(queue.name):
            self.delete(queue.name)

    def close(self, channel: Channel) -> None:
        """A channel ends, and what it held comes back."""
        for tag in list(channel.consumers):
            if tag in channel.consumers:
                self.cancel(channel, tag)
        channel.is_transactional = False
        self.channels.remove(channel)
        self._settle(channel, list(channel.held), "requeue")

    def disconnect(self, connection: object) -> None:
        """A connection ends, with its channels and its exclusive queues."""
        for channel in [one for one in self.channels if one.connection is connection]:
            self.close(channel)
        for queue in [one for one in self.queues.values() if one.owner is connection]:
            self.delete(queue.name)

    def advance(self, now: int) -> None:
        """It is later: what is too old goes."""
        self.now = now
        for queue in list(self.queues.values()):
            expires = queue.limit("expires")
            if expires is not None and not self.consumers(queue.name) and now - queue.used_at >= expires:
                self.delete(queue.name)
        for queue in self.queues.values():
            for item in [one for one in queue.ready if one.deadline and one.deadline <= now]:
                queue.ready.remove(item)
                self._give_up(queue, item)

    # --- crashes ---------------------------------------------------------------------------------------------------

    def committed(self) -> None:
        """All that happened so far is on disk."""
        held = [one for channel in self.channels for one in channel.held.values()]
        queues = {name: queue for name, queue in self.queues.items() if queue.durable}
        kept: dict[str, Queue] = {}
        for name, queue in queues.items():
            items = [*queue.ready, *[one.item for one in held if one.queue is queue]]
            survivors = sorted((item for item in items if item.is_persistent), key=lambda item: item.key)
            kept[name] = Queue(name, True, queue.auto_delete, None, queue.arguments, 0, ready=deepcopy(survivors))
        exchanges = {name: kind for name, kind in self.exchanges.items() if kind[1]}
        bindings = {one for one in self.bindings if one[0] in exchanges and one[1] in queues}
        self._durable = (exchanges, kept, bindings, self.policy)
        for channel in self.channels:
            for number, kind in channel.unconfirmed.items():
                if kind == "durable":
                    channel.unconfirmed[number] = "ack"

    def crash(self) -> None:
        """Only what is on disk is there; every client is gone."""
        self.channels = []
        self.cancelled, self.returned = [], []
        exchanges, queues, bindings, self.policy = deepcopy(self._durable)
        self.exchanges, self.queues, self.bindings = exchanges, queues, bindings
        for queue in queues.values():
            queue.used_at = self.now
            for item in queue.ready:
                item.redelivered = None
        for queue in list(queues.values()):
            self._govern(queue)
        self.advance(self.now)
        self.committed()

    def drops_in_any_order(self) -> bool:
        """Whether a crash leaves a queue with something that is too old, while it may be too long as well."""
        _, queues, _, policy = self._durable
        limited = [queue for queue in queues.values() if "x-max-length" in queue.arguments or "max-length" in policy]
        return any(item.deadline and item.deadline <= self.now for queue in limited for item in queue.ready)

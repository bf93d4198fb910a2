"""What a broker is doing when it ends, and what must be true of it after its next start."""

import random
from typing import Any, Final

from conformance.client.channel import Channel
from helpers.broker import Broker
from helpers.fates import Fates, Id, identify
from helpers.traffic import PERSISTENT, Client, Consumer, Publisher, connect, contents, publishers

SMALL: Final = 30
EDGE: Final = 4096
"""Bodies of this size and more are stored once for all their queues."""

Target = tuple[dict[str, Any], list[Fates]]


class Workload:
    """Queues, and clients that use them; `chance` draws everything that is random."""

    queues: tuple[str, ...] = ()
    """Durable queues that are declared once."""

    def __init__(self, chance: random.Random) -> None:
        self.chance: Final = chance
        self.fates: Final = {queue: Fates(queue) for queue in self.queues}

    def declare(self, broker: Broker) -> None:
        """Declare what is used, in the broker's first life."""
        connection = connect(broker)
        channel = connection.channel()
        for queue in self.queues:
            channel.call("queue.declare", queue=queue, durable=True, arguments=self.arguments(queue))
        self.bind(channel)
        connection.close()

    def arguments(self, queue: str) -> dict[str, Any]:
        """The arguments of a queue."""
        return {}

    def bind(self, channel: Channel) -> None:
        """Declare what the queues are bound to."""

    def clients(self, broker: Broker) -> list[Client]:
        """Those who work in this life of the broker."""
        raise NotImplementedError

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """Compare what is there in a new life of the broker with what must be there."""
        for fates in self.fates.values():
            fates.check(contents(broker, fates.queue), ended_well=ended_well)

    def publisher(self, broker: Broker, *sizes: int) -> Publisher:
        """A publisher with this workload's targets."""
        return Publisher(broker, self.chance, self.target, *sizes)

    def target(self, message: Id) -> Target:
        """Where a message goes."""
        raise NotImplementedError

    def consumer(self, broker: Broker, queue: str, *habits: str) -> Consumer:
        """A consumer of one of the queues."""
        return Consumer(broker, self.chance, self.fates[queue], *habits)


class ByName(Workload):
    """The default exchange to several queues; one is acked message by message, one many at once, one not at all."""

    queues = ("one", "two", "three")

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        publishers = [self.publisher(broker, SMALL), self.publisher(broker, SMALL, 3000)]
        return [*publishers, self.consumer(broker, "one", "single"), self.consumer(broker, "two", "multiple")]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        queue = self.queues[message.number % 3]
        return {"routing_key": queue}, [self.fates[queue]]


class Fanout(Workload):
    """Bodies that three queues share, or hold for themselves if they are small."""

    queues = ("left", "middle", "right")

    def bind(self, channel: Channel) -> None:
        """See `Workload.bind`."""
        channel.call("exchange.declare", exchange="all", type="fanout", durable=True)
        for queue in self.queues:
            channel.bind(queue, "all")

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [
            self.publisher(broker, SMALL, EDGE - 1, EDGE, 3 * EDGE),
            self.consumer(broker, "left", "single", "requeue"),
            self.consumer(broker, "middle", "multiple", "requeue"),
        ]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"exchange": "all"}, list(self.fates.values())


class Topic(Workload):
    """Keys that match one queue or two."""

    queues = ("odd", "every")

    def bind(self, channel: Channel) -> None:
        """See `Workload.bind`."""
        channel.call("exchange.declare", exchange="numbers", type="topic", durable=True)
        channel.bind("odd", "numbers", "*.odd")
        channel.bind("every", "numbers", "number.#")

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        publishers = [self.publisher(broker, SMALL), self.publisher(broker, SMALL, EDGE)]
        return [*publishers, self.consumer(broker, "odd", "multiple"), self.consumer(broker, "every", "single", "requeue")]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        if message.number % 2:
            return {"exchange": "numbers", "routing_key": "number.odd"}, list(self.fates.values())
        return {"exchange": "numbers", "routing_key": "number.even"}, [self.fates["every"]]


class Priorities(Workload):
    """A queue with priorities, where new messages overtake old ones."""

    queues = ("urgent",)

    def arguments(self, queue: str) -> dict[str, Any]:
        """See `Workload.arguments`."""
        return {"x-max-priority": 3}

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL, EDGE), self.consumer(broker, "urgent", "multiple", "single", "requeue")]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "urgent", "priority": message.number % 4}, list(self.fates.values())


class Transactions(Workload):
    """Each transaction takes a message from one queue and puts one into two others."""

    queues = ("from", "to", "copy")

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.done: list[tuple[Id, Id]] = []
        """What was taken and what was put in this life, with the transaction that may have been cut short at the end."""

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL), Mover(broker, self)]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "from"}, [self.fates["from"]]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        there = {queue: fates.check(contents(broker, queue), ended_well=ended_well) for queue, fates in self.fates.items()}
        for taken, put in self.done:
            observed = taken not in there["from"], put in there["to"], put in there["copy"]
            assert observed in {(True, True, True), (False, False, False)}
        self.done = []


class Mover(Client):
    """Moves messages in transactions, one in four of which it rolls back at first."""

    def __init__(self, broker: Broker, workload: Transactions) -> None:
        super().__init__(broker)
        self._workload: Final = workload
        self._source: Final = workload.fates["from"]
        self._targets: Final = [workload.fates["to"], workload.fates["copy"]]
        self._name: Final = next(publishers)
        self._number = 0

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("tx.select")

    def step(self) -> None:
        """See `Client.step`."""
        message = self.channel.get("from", no_ack=False)
        if message is None:
            return
        taken = identify(message.body)
        if self._workload.chance.random() < 0.25:
            self._put(Id(self._name, self._number + 1))
            self.channel.ack(message.delivery_tag)
            self.channel.call("tx.rollback")
        self._number += 1
        put = Id(self._name, self._number)
        for fates in self._targets:
            fates.published([put])
        self._source.settling([taken])
        self._workload.done.append((taken, put))
        self._put(put)
        self.channel.ack(message.delivery_tag)
        self.channel.call("tx.commit")
        for fates in self._targets:
            fates.confirmed([put])
        self._source.settled([taken])

    def _put(self, message: Id) -> None:
        for fates in self._targets:
            self.channel.publish(message.body(EDGE), routing_key=fates.queue, delivery_mode=PERSISTENT)


class Purges(Workload):
    """A queue that is filled and purged again and again."""

    queues = ("purged",)

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.purged: set[Id] = set()
        """What the last purge has to take, all or nothing."""

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [Purger(broker, self)]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        there = self.fates["purged"].check(contents(broker, "purged"), ended_well=ended_well)
        assert (self.purged & there) in (set(), self.purged)
        self.purged = set()


class Purger(Client):
    """Publishes, and purges when everything is confirmed."""

    def __init__(self, broker: Broker, workload: Purges) -> None:
        super().__init__(broker)
        self._workload: Final = workload
        self._fates: Final = workload.fates["purged"]
        self._name: Final = next(publishers)
        self._number = 0

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("confirm.select")

    def step(self) -> None:
        """See `Client.step`."""
        messages = []
        for _ in range(self._workload.chance.randint(1, 50)):
            self._number += 1
            messages.append(Id(self._name, self._number))
        self._fates.published(messages)
        for message in messages:
            self.channel.publish(message.body(SMALL), routing_key="purged", delivery_mode=PERSISTENT)
        while self.channel.wait("basic.ack").delivery_tag < self._number:
            pass
        self._fates.confirmed(messages)
        purged = self._fates.standing()
        self._workload.purged = purged
        self._fates.settling(purged)
        assert len(purged) == self.channel.call("queue.purge", queue="purged").message_count
        self._fates.settled(purged)


class Definitions(Workload):
    """Queues, exchanges and bindings come and go."""

    names: Final = tuple(f"thing-{number}" for number in range(5))

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.certain: dict[tuple[str, str], bool] = {}
        """Whether a "queue", "exchange" or "binding" of a name exists; absent while that is changing."""

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [Definer(broker, self, self.names[:3]), Definer(broker, self, self.names[3:])]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        connection = connect(broker)
        found = {}
        for name in self.names:
            for kind in ("queue", "exchange"):
                found[kind, name] = self._exists(connection.channel(), kind, name)
            if found["queue", name] and found["exchange", name]:
                found["binding", name] = self._is_routed(connection.channel(), name)
            else:
                found["binding", name] = False
        connection.close()
        assert self.certain == {key: found[key] for key in self.certain}
        self.certain = found

    def _exists(self, channel: Channel, kind: str, name: str) -> bool:
        channel.send(f"{kind}.declare", passive=True, **{kind: name})
        return channel.wait(f"{kind}.declare-ok", "channel.close").name != "channel.close"

    def _is_routed(self, channel: Channel, name: str) -> bool:
        channel.call("confirm.select")
        channel.publish(exchange=name, mandatory=True)
        return bool(channel.wait("basic.return", "basic.ack").name == "basic.ack")


class Definer(Client):
    """Declares, binds and deletes things of its names, which it uses again."""

    def __init__(self, broker: Broker, workload: Definitions, names: tuple[str, ...]) -> None:
        super().__init__(broker)
        self._names: Final = names
        self._chance: Final = workload.chance
        self._certain: Final = workload.certain

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("confirm.select")

    def step(self) -> None:
        """See `Client.step`."""
        name = self._chance.choice(self._names)
        existing = [kind for kind in ("queue", "exchange", "binding") if self._certain.get((kind, name))]
        if len(existing) == 3 and self._chance.random() < 0.5:
            self._fill(name)
            self._delete(self._chance.choice(existing), name)
        else:
            self._declare(name)

    def _declare(self, name: str) -> None:
        is_new = self._certain.pop(("queue", name), None) is False
        count = self.channel.call("queue.declare", queue=name, durable=True).message_count
        assert not is_new or count == 0
        self._certain["queue", name] = True
        self._certain.pop(("exchange", name), None)
        self.channel.call("exchange.declare", exchange=name, type="fanout", durable=True)
        self._certain["exchange", name] = True
        self._certain.pop(("binding", name), None)
        self.channel.bind(name, name)
        self._certain["binding", name] = True

    def _fill(self, name: str) -> None:
        self.channel.publish(b"~" * EDGE, exchange=name, delivery_mode=PERSISTENT)
        self.channel.wait("basic.ack")

    def _delete(self, kind: str, name: str) -> None:
        self._certain.pop((kind, name))
        self._certain.pop(("binding", name), None)
        if kind == "binding":
            self.channel.call("queue.unbind", queue=name, exchange=name)
        else:
            self.channel.call(f"{kind}.delete", **{kind: name})
        self._certain[kind, name] = False
        self._certain["binding", name] = False

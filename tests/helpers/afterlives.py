"""Workloads whose messages go on to another queue: rejected, expired or delayed."""

import random
import time
from typing import Any, Final

from conformance.client.channel import Channel
from helpers.broker import Broker
from helpers.fates import Fates, Id
from helpers.traffic import Client, Consumer, connect, contents
from helpers.workloads import EDGE, SMALL, Target, Workload

TTL: Final = 120
"""Milliseconds that messages live, less than a life of the broker mostly."""
LONGEST_DELAY: Final = 300
"""Milliseconds, about as long as a life of the broker."""
LATEST: Final = 20.0
"""Seconds after which what has to come is missing."""


class DeadLetters(Workload):
    """Some messages are rejected, which moves them: they are in one of both queues, never in none, never in both."""

    queues = ("work", "dead")

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.rejected: set[Id] = set()

    def arguments(self, queue: str) -> dict[str, Any]:
        """See `Workload.arguments`."""
        return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"} if queue == "work" else {}

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL, EDGE), Rejecter(broker, self)]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "work"}, [self.fates["work"]]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        owed = self.rejected & self.fates["work"].durable()
        work, dead = [
            self.fates[queue].check(contents(broker, queue), ended_well=ended_well and queue == "work") for queue in self.queues
        ]
        assert set() == work & dead
        assert set() == owed - work - dead
        self.rejected = set()


class Rejecter(Consumer):
    """Acknowledges some messages, rejects others."""

    def __init__(self, broker: Broker, workload: DeadLetters) -> None:
        super().__init__(broker, workload.chance, workload.fates["work"], "single", "reject")
        self._workload: Final = workload

    def reject(self, tag: int, message: Id) -> None:
        """See `Consumer.reject`."""
        self._workload.rejected.add(message)
        self._workload.fates["dead"].published([message])
        super().reject(tag, message)


class Expiry(Workload):
    """Messages expire after a moment, on the disk or in memory, and are found in another queue."""

    queues = ("short", "expired")

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.fates["expired"] = Fates("expired", ordered=False)

    def arguments(self, queue: str) -> dict[str, Any]:
        """See `Workload.arguments`."""
        letters = {"x-message-ttl": TTL, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "expired"}
        return letters if queue == "short" else {}

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL, EDGE)]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "short"}, [self.fates["expired"]]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        await_count(broker, "short", 0)
        self.fates["expired"].check(contents(broker, "expired"), ended_well=ended_well)


class Delays(Workload):
    """Messages come when they are due, each in its own time and once."""

    queues = ("due",)

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.fates["due"] = Fates("due", ordered=False)

    def bind(self, channel: Channel) -> None:
        """See `Workload.bind`."""
        delayed = {"x-delayed-type": "fanout"}
        channel.call("exchange.declare", exchange="later", type="x-delayed-message", durable=True, arguments=delayed)
        channel.bind("due", "later")

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL, EDGE), self.consumer(broker, "due", "single")]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        delay = {"x-delay": self.chance.randrange(LONGEST_DELAY)}
        return {"exchange": "later", "headers": delay}, [self.fates["due"]]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        await_count(broker, "due", len(self.fates["due"].standing()))
        time.sleep(LONGEST_DELAY / 1000)
        self.fates["due"].check(contents(broker, "due"), ended_well=ended_well)


def await_count(broker: Broker, queue: str, count: int) -> None:
    """Wait until a queue is emptied, or filled, to this many messages."""
    connection = connect(broker)
    channel = connection.channel()
    deadline = time.monotonic() + LATEST
    while (channel.count(queue) > 0 if count == 0 else channel.count(queue) < count) and time.monotonic() < deadline:
        time.sleep(0.05)
    connection.close()

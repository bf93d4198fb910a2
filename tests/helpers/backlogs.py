"""A backlog that its consumers take as a whole, and give back in whole or in parts."""

import random
from itertools import count, islice, repeat
from typing import Final

from conformance.client.channel import Channel
from conformance.client.events import Message
from helpers.broker import Broker
from helpers.fates import Fates, Id, identify
from helpers.traffic import FENCE, PERSISTENT, Client, Consumer, publishers
from helpers.workloads import Target, Workload

BACKLOG: Final = 4500
BURST: Final = 500
SIZE: Final = 2000
MOST_HELD: Final = 4000
"""So many that come back are more than a queue keeps in memory."""


class Backlogs(Workload):
    """A queue that begins with a backlog, of which consumers without a limit take as much as there is."""

    queues = ("backlog",)

    def bind(self, channel: Channel) -> None:
        """Publish the backlog."""
        fates = self.fates["backlog"]
        ids = map(Id, repeat(next(publishers)), count(1))
        channel.call("confirm.select")
        for last in range(BURST, BACKLOG + 1, BURST):
            messages = list(islice(ids, BURST))
            fates.published(messages)
            for message in messages:
                channel.publish(message.body(SIZE), routing_key="backlog", delivery_mode=PERSISTENT)
            while channel.wait("basic.ack").delivery_tag < last:
                pass
            fates.confirmed(messages)

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        holders = [Holder(broker, self.chance, self.fates["backlog"]) for _ in range(2)]
        return [self.publisher(broker, SIZE), *holders]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "backlog"}, [self.fates["backlog"]]


class Holder(Consumer):
    """Takes many messages; then acknowledges a few, or gives back all of them or some between others."""

    def __init__(self, broker: Broker, chance: random.Random, fates: Fates) -> None:
        super().__init__(broker, chance, fates)
        self._most = chance.randint(1, MOST_HELD)

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("confirm.select")
        self.channel.call("queue.declare", queue=FENCE, durable=True)
        self.channel.consume(self._fates.queue)

    def _deliver(self, message: Message) -> None:
        found = identify(message.body)
        assert message.redelivered or found not in self._requeued
        self._fates.delivered(found)
        self._held.append((message.delivery_tag, found))
        if len(self._held) < self._most:
            return
        self._most = self._chance.randint(1, MOST_HELD)
        if self._chance.random() < 0.3:
            few = self._held[: self._chance.randint(1, 100)]
            self._settle(few, multiple=True)
            self._fence()
            self._held = self._held[len(few) :]
        else:
            self._give_back(self._chance.choice((1, 1, 2, 50)))

    def _give_back(self, step: int) -> None:
        """One of so many, in one go if that is all."""
        back = self._held[::step]
        del self._held[::step]
        self._requeued.update(key for _, key in back)
        if step == 1:
            self.channel.nack(back[-1][0], multiple=True)
        else:
            frames = [self.channel.method_frame("basic.nack", delivery_tag=tag, requeue=True) for tag, _ in back]
            self.connection.send_frames(*frames)

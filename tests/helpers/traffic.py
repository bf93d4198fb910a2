"""Clients that load a broker until it ends, and note the fates of their messages."""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count, repeat
from typing import Any, Final

from conformance.client.connection import Connection, plain
from conformance.client.events import Event, Message
from conformance.client.link import Link
from conformance.client.transcript import Transcript
from conformance.wire.frames import Frame
from helpers.broker import Broker
from helpers.fates import Fates, Id, identify

PERSISTENT: Final = 2
FENCE: Final = "fence"
"""The queue whose confirms tell that earlier acknowledgements are durable."""
OUTSTANDING: Final = 60
"""Messages that a publisher has unconfirmed at most."""
PREFETCH: Final = 40
FENCE_DISTANCE: Final = 15
"""Settled messages between two fences."""
PATIENCE: Final = 10.0
"""Seconds after which a reply is missing."""

PROPERTIES: Final = frozenset(("priority", "headers"))
"""What a target may give of a message's properties."""

publishers = count(1)


class NoTranscript(Transcript):
    """Keeps nothing: there is too much traffic to remember."""

    def sent(self, connection: int, what: Frame | str) -> None:
        """See `Transcript.sent`."""

    def received(self, connection: int, what: Frame | str) -> None:
        """See `Transcript.received`."""


def dial(broker: Broker) -> Connection:
    """A TCP connection over which nothing was said yet."""
    return Connection(Link((broker.host, broker.port), NoTranscript(), 1, None), PATIENCE)


def connect(broker: Broker, **tune: int) -> Connection:
    """An open connection of user guest; `tune` overrides channel_max, frame_max and heartbeat (off unless given)."""
    connection = dial(broker)
    try:
        connection.start()
        connection.start_ok(plain("guest", "guest"))
        connection.tune_ok(connection.wait("connection.tune"), **tune)
        connection.open("/")
    except BaseException:
        connection.drop()
        raise
    return connection


def contents(broker: Broker, queue: str) -> list[Message]:
    """All ready messages of a queue, which are then put back."""
    connection = connect(broker)
    channel = connection.channel()
    ready = channel.count(queue)
    channel.consume(queue)
    found = channel.deliveries(ready)
    connection.close()
    return found


class Client:
    """One connection that works in a thread of its own until the broker ends it."""

    def __init__(self, broker: Broker) -> None:
        self.connection: Final = connect(broker)
        self.channel: Final = self.connection.channel()
        self.end: Exception | None = None
        """Why it ended; None as long as it works."""
        self._thread: Final = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def join(self) -> None:
        """Return when the client ended."""
        self._thread.join(2 * PATIENCE)
        self.connection.drop()

    def prepare(self) -> None:
        """What comes before the first step."""

    def step(self) -> None:
        """A little work; raises when the broker is gone."""
        raise NotImplementedError

    def _work(self) -> None:
        try:
            self.prepare()
            while True:
                self.step()
        except Exception as error:  # noqa: BLE001 - whoever ended the broker judges it
            self.end = error
            self.connection.send("connection.close-ok")


class Publisher(Client):
    """Publishes in bursts, with confirms.

    `target` gives the arguments of basic.publish and some properties for a message, and the fates of its queues.
    """

    def __init__(
        self, broker: Broker, chance: random.Random, target: Callable[[Id], tuple[dict[str, Any], list[Fates]]], *sizes: int
    ) -> None:
        super().__init__(broker)
        self._chance: Final = chance
        self._target: Final = target
        self._sizes: Final = sizes
        self._ids: Final[Iterator[Id]] = map(Id, repeat(next(publishers)), count(1))
        self._outstanding: Final[deque[tuple[Id, list[Fates]]]] = deque()
        self._confirmed = 0

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("confirm.select")

    def step(self) -> None:
        """See `Client.step`."""
        frames = []
        for _ in range(self._chance.randint(1, 20)):
            message = next(self._ids)
            arguments, fates = self._target(message)
            for queue in fates:
                queue.published([message])
            self._outstanding.append((message, fates))
            properties: dict[str, Any] = {"delivery_mode": PERSISTENT}
            for name in arguments.keys() & PROPERTIES:
                properties[name] = arguments.pop(name)
            frames += self.channel.content_frames(message.body(self._chance.choice(self._sizes)), properties, **arguments)
        self.connection.send_frames(*frames)
        while len(self._outstanding) > OUTSTANDING:
            self._take(self.channel.wait("basic.ack"))

    def _take(self, ack: Event) -> None:
        assert ack.multiple or ack.delivery_tag == self._confirmed + 1
        while self._confirmed < ack.delivery_tag:
            self._confirmed += 1
            message, fates = self._outstanding.popleft()
            for queue in fates:
                queue.confirmed([message])


class Consumer(Client):
    """Acknowledges one by one, many at once, or requeues; publishes through fences to know what is durable."""

    def __init__(self, broker: Broker, chance: random.Random, fates: Fates, *habits: str) -> None:
        super().__init__(broker)
        self._chance: Final = chance
        self._fates: Final = fates
        self._habits: Final = habits
        self._held: list[tuple[int, Id]] = []
        self._settled: list[Id] = []
        self._fenced: Final[deque[list[Id]]] = deque()
        self._requeued: Final[set[Id]] = set()
        self._confirmed = 0

    def prepare(self) -> None:
        """See `Client.prepare`."""
        self.channel.call("confirm.select")
        self.channel.call("queue.declare", queue=FENCE, durable=True)
        self.channel.call("basic.qos", prefetch_count=PREFETCH)
        self.channel.consume(self._fates.queue)

    def step(self) -> None:
        """See `Client.step`."""
        event = self.channel.wait("basic.deliver", "basic.ack")
        if isinstance(event, Message):
            self._deliver(event)
        else:
            self._pass_fences(event)

    def _deliver(self, message: Message) -> None:
        found = identify(message.body)
        assert message.redelivered or found not in self._requeued
        self._fates.delivered(found)
        self._held.append((message.delivery_tag, found))
        habit = self._chance.choice(self._habits)
        if habit == "single":
            self._settle([self._held.pop()], multiple=False)
        elif habit == "multiple" and len(self._held) > self._chance.randrange(PREFETCH // 2):
            self._settle(self._held, multiple=True)
            self._held = []
        elif habit == "reject":
            self.reject(*self._held.pop())
        elif habit == "requeue":
            self.channel.nack(message.delivery_tag, multiple=True)
            self._requeued.update(key for _, key in self._held)
            self._held = []
        if len(self._settled) >= FENCE_DISTANCE:
            self._fence()

    def reject(self, tag: int, message: Id) -> None:
        """Settle a message by a reject."""
        self._fates.settling([message])
        self._settled.append(message)
        self.channel.reject(tag, requeue=False)

    def _settle(self, held: list[tuple[int, Id]], *, multiple: bool) -> None:
        settled = [key for _, key in held]
        self._fates.settling(settled)
        self._settled += settled
        self.channel.ack(held[-1][0], multiple=multiple)

    def _fence(self) -> None:
        """What was sent before this publish is durable once the publish is confirmed."""
        self._fenced.append(self._settled)
        self._settled = []
        self.channel.publish(routing_key=FENCE, delivery_mode=PERSISTENT)

    def _pass_fences(self, ack: Event) -> None:
        while self._confirmed < ack.delivery_tag:
            self._confirmed += 1
            self._fates.settled(self._fenced.popleft())

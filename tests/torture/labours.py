"""Those who load a broker for hours, each in a thread: publishers whose messages are accounted for, and their readers."""

import random
import threading
import time
from collections import deque
from typing import Any, Final

from torture.accounts import Account

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from conformance.client.events import Message
from conformance.mismatch import Mismatch
from helpers.broker import Broker
from helpers.fates import Id
from helpers.traffic import PERSISTENT, connect

PREFETCH: Final = 50
LOOK_SECONDS: Final = 0.5
"""How long a reader listens before it looks whether its time is over."""
GATHER_SECONDS: Final = 0.02
"""How long it gathers what it settles together, from the first delivery on."""


class Labour:
    """Does its work again and again, with a pause after each time, until it is told to stop or fails."""

    def __init__(self, broker: Broker, pause: float) -> None:
        self.over: Final = threading.Event()
        self.rounds = 0
        self.failure: Exception | None = None
        """Why it ended before its time."""
        self._broker: Final = broker
        self._pause: Final = pause
        self._connections: list[Connection] = []
        self._thread: Final = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Come to an end; AssertionError if that takes longer than so many seconds."""
        self.over.set()
        self._thread.join(patience)
        assert not self._thread.is_alive(), f"{self} does not end"
        for connection in self._connections:
            connection.drop()

    def work(self) -> None:
        """One round."""
        raise NotImplementedError

    def connect(self) -> Connection:
        """A connection that does not outlast this labour."""
        connection = connect(self._broker)
        self._connections = [one for one in self._connections if one.is_open] + [connection]
        return connection

    def _run(self) -> None:
        try:
            while not self.over.is_set():
                self.work()
                self.rounds += 1
                self.over.wait(self._pause)
        except Exception as error:  # noqa: BLE001  (whatever it was, it is told of at the end)
            self.failure = error


class Publisher(Labour):
    """Publishes bursts and waits for their confirms; changes its connection now and then."""

    def __init__(
        self, broker: Broker, accounts: list[Account], pause: float, burst: int, size: int, address: dict[str, Any]
    ) -> None:
        super().__init__(broker, pause)
        self._accounts: Final = accounts
        self._burst: Final = burst
        self._size: Final = size
        self._address: Final = address
        self._left = 0
        self._connection: Connection | None = None
        self._channel: Channel | None = None

    def work(self) -> None:
        """See `Labour.work`."""
        channel = self._open()
        for account in self._accounts[1:]:
            account.publish(self._burst)
        for message in self._accounts[0].publish(self._burst):
            channel.publish(message.body(self._size), **self.address(message))
        channel.confirmed(self._burst)

    def address(self, message: Id) -> dict[str, Any]:
        """Where a message goes, and its properties."""
        return {"delivery_mode": PERSISTENT, **self._address}

    def _open(self) -> Channel:
        if self._left == 0 or self._channel is None:
            if self._connection is not None:
                self._connection.close()
            self._left = random.randint(20, 60)
            self._connection = self.connect()
            self._channel = self._connection.channel()
            self._channel.call("confirm.select")
        self._left -= 1
        return self._channel


class UrgentPublisher(Publisher):
    """Gives its messages priorities."""

    def address(self, message: Id) -> dict[str, Any]:
        """See `Publisher.address`."""
        return {**super().address(message), "priority": message.number % 6}


class LatePublisher(Publisher):
    """Delays its messages by up to five seconds."""

    def address(self, message: Id) -> dict[str, Any]:
        """See `Publisher.address`."""
        return {**super().address(message), "headers": {"x-delay": message.number % 11 * 500}}


class Reader(Labour):
    """Consumes for a stint of some seconds; then cancels and closes, or cuts the connection with messages unsettled."""

    def __init__(self, broker: Broker, account: Account, stint: tuple[float, float], pause: float = 0.2) -> None:
        super().__init__(broker, pause)
        self._account: Final = account
        self._stint: Final = stint

    def work(self) -> None:
        """See `Labour.work`."""
        connection = self.connect()
        channel = connection.channel()
        channel.call("basic.qos", prefetch_count=PREFETCH)
        tag = channel.consume(self._account.queue)
        end = time.monotonic() + random.uniform(*self._stint)
        held: deque[Message] = deque()
        while time.monotonic() < end and not self.over.is_set():
            held += arrivals(channel, LOOK_SECONDS)
            self._treat(channel, held)
        if random.random() < 0.3 and not self.over.is_set():
            connection.drop()
            return
        channel.call("basic.cancel", consumer_tag=tag)
        held += [event for event in channel.inbox if isinstance(event, Message)]
        self._settle(channel, list(held))
        channel.close()
        connection.close()

    def _treat(self, channel: Channel, held: deque[Message]) -> None:
        """Settle most of what is held: one by one, all at once, or after it was put back."""
        habit = random.random()
        if not held or habit < 0.1:
            return
        if habit < 0.2:
            channel.nack(held[-1].delivery_tag, multiple=True)
        elif habit < 0.6:
            self._settle(channel, list(held))
        else:
            for message in held:
                self._settle(channel, [message])
        held.clear()

    def _settle(self, channel: Channel, messages: list[Message]) -> None:
        for message in messages:
            self._account.settle(message.body, redelivered=message.redelivered)
        if messages:
            channel.ack(messages[-1].delivery_tag, multiple=len(messages) > 1)


class Drainer(Reader):
    """Leaves its queue alone until it holds so many messages, then reads all of it."""

    def __init__(self, broker: Broker, account: Account, depth: int) -> None:
        super().__init__(broker, account, (0, 0))
        self._depth: Final = depth

    def work(self) -> None:
        """See `Labour.work`."""
        while self._account.owed < self._depth and not self.over.is_set():
            self.over.wait(LOOK_SECONDS)
        connection = self.connect()
        channel = connection.channel()
        channel.call("basic.qos", prefetch_count=PREFETCH)
        channel.consume(self._account.queue)
        while self._account.owed > PREFETCH and not self.over.is_set():
            self._settle(channel, arrivals(channel, LOOK_SECONDS))
        connection.close()


class Mover(Labour):
    """Moves messages from one queue to another in transactions, and rolls some of these back at first."""

    def __init__(self, broker: Broker, source: Account, target: Account, pause: float) -> None:
        super().__init__(broker, pause)
        self._source: Final = source
        self._target: Final = target
        self._channel: Final = self.connect().channel()
        self._channel.call("tx.select")

    def work(self) -> None:
        """See `Labour.work`."""
        channel = self._channel
        message = channel.get(self._source.queue, no_ack=False)
        if message is None:
            return
        if random.random() < 0.2:
            channel.publish(b"never", routing_key=self._target.queue, delivery_mode=PERSISTENT)
            channel.ack(message.delivery_tag)
            channel.call("tx.rollback")
        (moved,) = self._target.publish(1)
        channel.publish(moved.body(500), routing_key=self._target.queue, delivery_mode=PERSISTENT)
        channel.ack(message.delivery_tag)
        self._source.settle(message.body, redelivered=message.redelivered)
        channel.call("tx.commit")


class Chatter(Labour):
    """Transient messages without confirms, to a consumer of its own that does not acknowledge."""

    def __init__(self, broker: Broker, pause: float, burst: int) -> None:
        super().__init__(broker, pause)
        self._burst: Final = burst
        self._publisher: Final = self.connect().channel()
        self._consumer: Final = self.connect().channel()
        self._queue: Final = self._consumer.queue()
        self._consumer.consume(self._queue, no_ack=True)

    def work(self) -> None:
        """See `Labour.work`."""
        self._publisher.stream.send_frames(
            *(
                frame
                for _ in range(self._burst)
                for frame in self._publisher.content_frames(b"x" * 200, {}, routing_key=self._queue)
            )
        )
        self._consumer.deliveries(self._burst)


def arrivals(channel: Channel, seconds: float) -> list[Message]:
    """The next deliveries of a channel, none if there are none within so many seconds; Mismatch if it was closed."""
    deadline = time.monotonic() + seconds
    try:
        while not channel.inbox:
            channel.stream.pump(deadline)
        deadline = time.monotonic() + GATHER_SECONDS
        while True:
            channel.stream.pump(deadline)
    except TimeoutError:
        pass
    found = list(channel.inbox)
    channel.inbox.clear()
    messages = [event for event in found if isinstance(event, Message)]
    if len(messages) < len(found):
        raise Mismatch("deliveries", repr(found))
    return messages

"""A channel of the suite: methods, messages, the topology that cases need, and waiting without sleeping."""

import contextlib
import itertools
import time
from collections import deque
from typing import Any, Final

from conformance.client.events import Event, Message
from conformance.client.stream import Stream, check_close
from conformance.mismatch import Mismatch, equal
from conformance.wire import frames
from conformance.wire.content import PROPERTIES, encode_header
from conformance.wire.frames import OVERHEAD, Frame
from conformance.wire.methods import encode_method

MOMENT: Final = 0.03
_REPLIES: Final = {"basic.get": ("basic.get-ok", "basic.get-empty")}
_names = itertools.count(1)
_run = f"{time.time_ns():x}"


def unique(noun: str) -> str:
    """A name that nothing else in this broker has."""
    return f"conformance.{_run}.{next(_names)}.{noun}"


class Channel:
    """One channel, whether it was opened or not."""

    def __init__(self, stream: Stream, number: int) -> None:
        self.stream = stream
        self.number = number
        self.published = 0
        self._settled: set[int] = set()

    # Methods

    def send(self, name: str, **arguments: Any) -> None:
        """Sends one method and waits for nothing."""
        self.stream.send_frames(self.method_frame(name, **arguments))

    def method_frame(self, name: str, **arguments: Any) -> Frame:
        """The frame of a method on this channel; declared names are noted for cleaning up."""
        if name in ("queue.declare", "exchange.declare") and not arguments.get("exclusive"):
            kind = name.partition(".")[0]
            self.stream.declared.append((kind, arguments.get(kind, "")))
        return Frame(frames.METHOD, self.number, encode_method(name, arguments))

    def call(self, name: str, **arguments: Any) -> Event:
        """Sends one method and returns its reply."""
        self.send(name, **arguments)
        return self.wait(*_REPLIES.get(name, (f"{name}-ok",)))

    def wait(self, *names: str, timeout: float | None = None) -> Event:
        """The next event of one of these names; others stay in the inbox. Mismatch when it does not come."""
        return self.stream.wait(*names, channel=self.number, timeout=timeout)

    def next(self, timeout: float | None = None) -> Event:
        """The very next event of this channel, whatever it is."""
        deadline = time.monotonic() + (self.stream.timeout if timeout is None else timeout)
        while not self.inbox:
            try:
                self.stream.pump(deadline)
            except TimeoutError:
                raise Mismatch("another method", "nothing") from None
        return self.inbox.popleft()

    @property
    def inbox(self) -> deque[Event]:
        """The events that arrived and were not taken."""
        return self.stream.inbox(self.number)

    def must_close(self, code: int, by: str | None = None) -> Event:
        """Waits for channel.close with this reply code, caused by this method, and answers it."""
        close = self.wait("channel.close")
        self.send("channel.close-ok")
        check_close(close, code, by)
        return close

    def wait_any_close(self) -> Event:
        """Waits for channel.close or connection.close, whichever comes; a connection.close stays in its inbox."""
        deadline = time.monotonic() + self.stream.timeout
        while not (closes := [*self.inbox, *self.stream.inbox(0)]):
            try:
                self.stream.pump(deadline)
            except TimeoutError:
                raise Mismatch("channel.close or connection.close", "nothing") from None
        return closes[0]

    def refuses(self, code: int, name: str, **arguments: Any) -> Event:
        """Sends a method that must close the channel with this code; the class and method ids must be its own."""
        self.send(name, **arguments)
        return self.must_close(code, name)

    def close(self) -> None:
        """Closes the channel in order."""
        self.call("channel.close", reply_code=200, reply_text="Goodbye")

    def fence(self, queue: str | None = None) -> None:
        """Returns when the broker has handled all that was sent so far, by this channel and by this queue."""
        for _ in range(2):
            if queue is None:
                self.call("channel.flow", active=True)
            else:
                self.call("queue.declare", queue=queue, passive=True)

    def must_be_silent(self, queue: str | None = None) -> None:
        """Raises Mismatch if anything arrived on this channel that was not taken, or arrives in the next moment."""
        self.fence(queue)
        with contextlib.suppress(TimeoutError):
            deadline = time.monotonic() + MOMENT
            while not self.inbox:
                self.stream.pump(deadline)
        if self.inbox:
            raise Mismatch("nothing more on this channel", repr(self.inbox[0]))

    # Messages

    def content_frames(self, body: bytes, properties: dict[str, Any], **arguments: Any) -> list[Frame]:
        """The frames of one basic.publish."""
        size = self.stream.frame_max - OVERHEAD
        header = Frame(frames.HEADER, self.number, encode_header(len(body), properties))
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        bodies = [Frame(frames.BODY, self.number, piece) for piece in pieces]
        return [self.method_frame("basic.publish", **arguments), header, *bodies]

    def publish(self, body: bytes | str = b"", **arguments: Any) -> int:
        """Publishes a message; properties are given by their names. Returns how many this channel published."""
        properties = {name: arguments.pop(name) for name in list(arguments) if name in PROPERTIES}
        octets = body if isinstance(body, bytes) else body.encode()
        self.stream.send_frames(*self.content_frames(octets, properties, **arguments))
        self.published += 1
        return self.published

    def publish_all(self, queue: str, *bodies: str, **properties: Any) -> None:
        """Publishes several messages to a queue by the default exchange."""
        for body in bodies:
            self.publish(body, routing_key=queue, **properties)

    def confirmed(self, count: int | None = None, timeout: float | None = None) -> list[Event]:
        """Waits until every message published so far (or `count` more than before) is acked; returns the acks."""
        wanted = self.published if count is None else len(self._settled) + count
        acks: list[Event] = []
        while len(self._settled) < wanted:
            ack = self.wait("basic.ack", "basic.nack", timeout=timeout)
            if ack.name == "basic.nack":
                raise Mismatch("basic.ack", repr(ack))
            first = 1 if ack.multiple else ack.delivery_tag
            self._settled.update(range(first, ack.delivery_tag + 1))
            acks.append(ack)
        return acks

    def get(self, queue: str, no_ack: bool = True) -> Message | None:
        """Gets one message, None when the queue is empty."""
        reply = self.call("basic.get", queue=queue, no_ack=no_ack)
        return reply if isinstance(reply, Message) else None

    def must_get(self, queue: str, no_ack: bool = True) -> Message:
        """Gets one message; Mismatch when the queue is empty."""
        if message := self.get(queue, no_ack):
            return message
        raise Mismatch("basic.get-ok", "basic.get-empty")

    def bodies(self, queue: str) -> list[str]:
        """Drains a queue and returns the bodies."""
        drained = []
        while message := self.get(queue):
            drained.append(message.body.decode())
        return drained

    def must_hold(self, queue: str, *bodies: str) -> None:
        """Drains a queue, which must hold exactly these bodies in this order."""
        equal(f"messages in {queue.rpartition('.')[2]}", list(bodies), self.bodies(queue))

    def delivery(self, timeout: float | None = None) -> Message:
        """The next delivery to a consumer of this channel."""
        message = self.wait("basic.deliver", timeout=timeout)
        assert isinstance(message, Message)
        return message

    def deliveries(self, count: int) -> list[Message]:
        """The next deliveries."""
        return [self.delivery() for _ in range(count)]

    def must_receive(self, *bodies: str) -> list[Message]:
        """The next deliveries, whose bodies must be these in this order."""
        messages = self.deliveries(len(bodies))
        equal("delivered bodies", list(bodies), [message.body.decode() for message in messages])
        return messages

    def await_get(self, queue: str, timeout: float | None = None, no_ack: bool = True) -> Message:
        """Gets one message that may still be on its way, such as a dead-lettered one."""
        deadline = time.monotonic() + (self.stream.timeout if timeout is None else timeout)
        while time.monotonic() < deadline:
            if message := self.get(queue, no_ack):
                return message
            time.sleep(0.01)
        raise Mismatch("basic.get-ok", "basic.get-empty until the time was over")

    # Topology

    def queue(self, name: str | None = None, **arguments: Any) -> str:
        """Declares a queue (unique and exclusive unless said otherwise) and returns its name."""
        declared = {"queue": unique("q") if name is None else name, "exclusive": True, **arguments}
        return str(self.call("queue.declare", **declared).queue)

    def exchange(self, type: str = "direct", name: str | None = None, **arguments: Any) -> str:
        """Declares an exchange of a unique name and returns the name."""
        exchange = unique("x") if name is None else name
        self.call("exchange.declare", exchange=exchange, type=type, **arguments)
        return exchange

    def bind(self, queue: str, exchange: str, routing_key: str = "", **arguments: Any) -> None:
        """Binds a queue to an exchange."""
        self.call("queue.bind", queue=queue, exchange=exchange, routing_key=routing_key, arguments=arguments)

    def bound_queue(self, exchange: str, routing_key: str = "", **arguments: Any) -> str:
        """A new exclusive queue bound to an exchange."""
        queue = self.queue()
        self.bind(queue, exchange, routing_key, **arguments)
        return queue

    def consume(self, queue: str, **arguments: Any) -> str:
        """Starts a consumer and returns its tag; the consumer acknowledges unless no_ack is given."""
        return str(self.call("basic.consume", queue=queue, **arguments).consumer_tag)

    def ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Acknowledges."""
        self.send("basic.ack", delivery_tag=delivery_tag, multiple=multiple)

    def nack(self, delivery_tag: int, multiple: bool = False, requeue: bool = True) -> None:
        """Refuses with RabbitMQ's basic.nack."""
        self.send("basic.nack", delivery_tag=delivery_tag, multiple=multiple, requeue=requeue)

    def reject(self, delivery_tag: int, requeue: bool = True) -> None:
        """Refuses with basic.reject."""
        self.send("basic.reject", delivery_tag=delivery_tag, requeue=requeue)

    def count(self, queue: str) -> int:
        """How many messages a queue has ready."""
        return int(self.call("queue.declare", queue=queue, passive=True).message_count)

    def must_count(self, queue: str, count: int, timeout: float | None = None) -> None:
        """Waits until a queue has this many messages ready."""
        deadline = time.monotonic() + (self.stream.timeout if timeout is None else timeout)
        while (ready := self.count(queue)) != count:
            if time.monotonic() > deadline:
                raise Mismatch(f"{count} messages ready", f"{ready}")
            time.sleep(0.01)

    def must_be_gone(self, kind: str, name: str) -> None:
        """Waits until passive declaration of a queue or exchange on new channels says 404."""
        deadline = time.monotonic() + self.stream.timeout
        self.send("channel.close", reply_code=200)
        self.wait("channel.close-ok")
        while True:
            self.call("channel.open")
            self.send(f"{kind}.declare", passive=True, **{kind: name})
            reply = self.wait("channel.close", f"{kind}.declare-ok")
            if reply.name == "channel.close":
                self.send("channel.close-ok")
                check_close(reply, 404, f"{kind}.declare")
                self.call("channel.open")
                return
            if time.monotonic() > deadline:
                raise Mismatch(f"{kind} {name} gone", "it still exists")
            self.close()

    def must_exist(self, kind: str, name: str) -> None:
        """Passive declaration of a queue or exchange succeeds."""
        self.call(f"{kind}.declare", passive=True, **{kind: name})

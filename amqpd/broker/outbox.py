"""The core's only door out: what it tells the peer of a channel. AMQP channels and tests implement it."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.credit import Flow
from amqpd.broker.entry import Entry
from amqpd.errors import AmqpError
from amqpd.message import Message


class Sender:
    """Sends deliveries to one consumer."""

    def deliver(self, delivery_tag: int, redelivered: bool, message: Message) -> None:
        """basic.deliver."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class Outbox:
    """Sends everything else to one channel."""

    def __init__(self, number: int, flow: Flow) -> None:
        self.number: Final = number
        """The channel's."""
        self.flow: Final = flow

    def sender(self, consumer_tag: str) -> Sender:
        """What sends the deliveries of a new consumer."""
        raise NotImplementedError

    def got(self, delivery_tag: int, entry: Entry, message_count: int) -> None:
        """basic.get-ok."""
        raise NotImplementedError

    def confirm(self, delivery_tag: int, multiple: bool) -> None:
        """basic.ack to a publisher."""
        raise NotImplementedError

    def refuse(self, delivery_tag: int) -> None:
        """basic.nack to a publisher."""
        raise NotImplementedError

    def returned(self, message: Message, reply_code: int, reply_text: str) -> None:
        """basic.return."""
        raise NotImplementedError

    def cancelled(self, consumer_tag: str) -> None:
        """basic.cancel: the consumer's queue is gone (sent to peers that know consumer_cancel_notify)."""
        raise NotImplementedError

    def close(self, error: AmqpError) -> None:
        """Close the channel for a reason that lies outside of any method of its peer."""
        raise NotImplementedError

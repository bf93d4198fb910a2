"""The core's door out, onto the wire: deliveries, confirms and returns of one channel."""

from __future__ import annotations

from typing import Final

from amqpd.broker.credit import Flow
from amqpd.broker.entry import Entry
from amqpd.broker.outbox import Outbox, Sender
from amqpd.errors import AmqpError
from amqpd.message import Envelope, Message
from amqpd.protocol.connection import Connection
from amqpd.protocol.output import Output
from amqpd.wire import content
from amqpd.wire.frames import END_OCTET, METHOD, body_frames, frame
from amqpd.wire.methods import METHODS, short_string

OUTPUT_LIMIT: Final = 512 * 1024
"""Octets that wait for the end of the turn before a connection counts as not writable."""

_CANCEL: Final = METHODS["basic.cancel"]


class WireSender(Sender):
    """Writes basic.deliver; a delivery differs from the one before mostly in its tag and body."""

    def __init__(self, number: int, consumer_tag: str, output: Output, flow: Flow, frame_max: int) -> None:
        self.number: Final = number
        self.consumer_tag: Final = short_string(consumer_tag)
        self.output: Final = output
        self.flow: Final = flow
        self.frame_max: Final = frame_max
        self._envelope: Envelope | None = None
        self._redelivered: bool = False
        self._whole: bool = False
        """The body goes into one frame, whose head `_rest` ends with."""
        self._start: bytes = b""
        self._rest: bytes = b""

    def deliver(self, delivery_tag: int, redelivered: bool, message: Message) -> None:
        """basic.deliver."""
        body = message.body
        if message.envelope is not self._envelope or redelivered is not self._redelivered:
            self._prepare(message.envelope, redelivered, len(body))
        output = self.output
        pieces = output.pieces
        if not pieces:
            output.dirty.append(output)
        pieces.append(self._start)
        pieces.append(delivery_tag.to_bytes(8, "big"))
        pieces.append(self._rest)
        if self._whole:
            pieces.append(body)
            pieces.append(END_OCTET)
        elif body:
            output.extend(body_frames(self.number, body, self.frame_max))
        output.size += len(body) + len(self._rest) + 32
        if output.size > OUTPUT_LIMIT:
            self.flow.writable = False

    def _prepare(self, envelope: Envelope, redelivered: bool, size: int) -> None:
        self._envelope = envelope
        self._redelivered = redelivered
        self._whole = size > 0 and content.fits(size, self.frame_max)
        self._start = content.deliver_start(self.number, self.consumer_tag, len(envelope.address))
        self._rest = content.deliver_rest(self.number, redelivered, envelope.address, envelope.header, size, self.frame_max)


class WireOutbox(Outbox):
    """Writes what concerns the channel as a whole."""

    def __init__(self, number: int, connection: Connection, flow: Flow) -> None:
        super().__init__(number, flow)
        self.connection: Final = connection
        self.output: Final = connection.output

    def sender(self, consumer_tag: str) -> Sender:
        """What writes the deliveries of a new consumer."""
        return WireSender(self.number, consumer_tag, self.output, self.flow, self.connection.limits.frame_max)

    def got(self, delivery_tag: int, entry: Entry, message_count: int) -> None:
        """basic.get-ok."""
        envelope = entry.message.envelope
        self.output.extend(
            content.get_ok(
                self.number, delivery_tag, entry.redelivered, envelope.address, message_count,
                envelope.header, entry.message.body, self.connection.limits.frame_max,
            )
        )  # fmt: skip

    def confirm(self, delivery_tag: int, multiple: bool) -> None:
        """basic.ack to a publisher."""
        payload = b"\x00\x3c\x00\x50" + delivery_tag.to_bytes(8, "big") + (b"\x01" if multiple else b"\x00")
        self.output.add(frame(METHOD, self.number, payload))

    def refuse(self, delivery_tag: int) -> None:
        """basic.nack to a publisher."""
        self.output.add(frame(METHOD, self.number, b"\x00\x3c\x00\x78" + delivery_tag.to_bytes(8, "big") + b"\x00"))

    def returned(self, message: Message, reply_code: int, reply_text: str) -> None:
        """basic.return."""
        envelope = message.envelope
        self.output.extend(
            content.returned(
                self.number, reply_code, reply_text, envelope.address,
                envelope.header, message.body, self.connection.limits.frame_max,
            )
        )  # fmt: skip

    def cancelled(self, consumer_tag: str) -> None:
        """basic.cancel."""
        self.connection.send(self.number, _CANCEL, (consumer_tag, True))

    def close(self, error: AmqpError) -> None:
        """channel.close for a reason outside of any method."""
        channel = self.connection.channels.get(self.number)
        if channel is not None and not channel.closing:
            self.connection.close_channel(channel, error, 0)

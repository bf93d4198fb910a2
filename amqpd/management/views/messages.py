"""Publishing to an exchange, and getting from a queue."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any, Final

from amqpd.broker import operations
from amqpd.broker.credit import Flow
from amqpd.broker.entry import Entry
from amqpd.broker.outbox import Outbox
from amqpd.broker.session import Session
from amqpd.errors import AmqpError, NotFound
from amqpd.management.body import TooLong
from amqpd.management.call import Call, integer, string
from amqpd.management.encoding import is_quickly_decoded
from amqpd.management.page import Shape
from amqpd.management.properties import header_of, shown_properties
from amqpd.management.refusal import bad_request, channel_refusal, missing
from amqpd.management.tables import text
from amqpd.management.views.bindings import exchange_name
from amqpd.message import Message, address_of

CONFIRM_SECONDS: Final = 5.0
COUNT_MAX: Final = 10_000
BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of bodies after which no further message is taken for an answer."""
ACK_MODES: Final = {
    "ack_requeue_true": True,
    "ack_requeue_false": False,
    "reject_requeue_true": True,
    "reject_requeue_false": False,
}
"""By name: whether the messages go back to the queue."""
REFUSED_TEXT: Final = "rejected Unable to publish message. Check queue limits."


class Receipt(Outbox):
    """What becomes of one published message."""

    def __init__(self, outcome: asyncio.Future[bool]) -> None:
        super().__init__(0, Flow())
        self.outcome: Final = outcome
        """True once it was confirmed, False if a queue refused it."""
        self.routed: bool = True

    def confirm(self, delivery_tag: int, multiple: bool) -> None:
        self._settle(accepted=True)

    def refuse(self, delivery_tag: int) -> None:
        self._settle(accepted=False)

    def _settle(self, accepted: bool) -> None:
        if not self.outcome.done():
            self.outcome.set_result(accepted)

    def returned(self, message: Message, reply_code: int, reply_text: str) -> None:
        self.routed = False


async def publish(call: Call) -> object:
    """Publish a message, and say whether any queue took it."""
    body = await _message(call)
    vhost = call.entered_vhost()
    exchange = exchange_name(call["exchange"])
    routing_key = string(body["routing_key"], "routing_key must be a string")
    payload = payload_of(body)
    given = body["properties"] or {}
    if not isinstance(given, dict):
        raise bad_request("properties must be an object")
    if "delivery_mode" in body:
        given = {**given, "delivery_mode": body["delivery_mode"]}
    header = header_of(given, len(payload))
    receipt = Receipt(asyncio.get_running_loop().create_future())
    session = call.broker.session(call.client(vhost), receipt)
    try:
        _publish(session, exchange, routing_key, header, payload)
        call.site.wiring.begin()
        accepted = await asyncio.wait_for(receipt.outcome, CONFIRM_SECONDS)
    except TimeoutError:
        raise bad_request("confirm_timeout Unable to confirm message. Check queue limits.") from None
    finally:
        session.close()
    if not accepted:
        raise bad_request(REFUSED_TEXT)
    return {"routed": receipt.routed}


async def _message(call: Call) -> dict[str, Any]:
    """What is published: longer than other bodies if it is the payload that makes it long. Raises Refusal."""
    sent = await call.sent(call.site.config.http_body_limit)
    try:
        if not is_quickly_decoded(sent):
            raise TooLong
    except ValueError:
        raise bad_request("not_json") from None
    return await call.body("routing_key", "properties", "payload", "payload_encoding")


def _publish(session: Session, exchange: str, routing_key: str, header: bytes, payload: bytes) -> None:
    """Publish as a channel does: past gates, and seen by the firehose."""
    session.select_confirms()
    try:
        publication = session.publication(exchange, routing_key, True, address_of(exchange, routing_key))
        session.publish(session.draft(publication, header), payload)
    except AmqpError as error:
        raise channel_refusal(error) from None


def payload_of(body: dict[str, Any]) -> bytes:
    """The message's body. Raises Refusal."""
    payload, encoding = string(body["payload"], "payload_not_string"), body["payload_encoding"]
    if encoding == "string":
        return payload.encode("utf-8", "replace")
    if encoding != "base64":
        raise bad_request(["unsupported_encoding", encoding])
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise bad_request("payload is not base64") from None


async def get(call: Call) -> object:
    """Take messages from the head of a queue, and put them back or not, as `ackmode` says.

    Once they make up 16 MiB, they are fewer than `count`.
    """
    body = await call.body("count", "ackmode", "encoding")
    count, mode, encoding = integer(body["count"]), body["ackmode"], body["encoding"]
    if not isinstance(mode, str) or mode not in ACK_MODES:
        raise bad_request(f"Invalid ackmode value: {mode}. Valid values are: {', '.join(ACK_MODES)}")
    if encoding not in ("auto", "base64"):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    truncate = integer(body["truncate"]) if body.get("truncate") is not None else None
    if not 0 <= count <= COUNT_MAX or (truncate is not None and truncate < 0):
        raise bad_request(f"count must be between 0 and {COUNT_MAX}, and truncate must not be negative")
    vhost = call.entered_vhost()
    try:
        queue = operations.readable_queue(call.client(vhost), vhost, call["queue"])
    except NotFound as error:
        raise missing(error.reply_text) from None
    entries: list[Entry] = []
    shapes: list[Shape] = []
    size = 0
    while len(entries) < count and size < BYTES_MAX and (entry := queue.get()) is not None:
        entries.append(entry)
        size += len(entry.message.body)
        shape = delivery_shape(entry, encoding, truncate)
        shapes.append({**shape, "message_count": queue.ready.count})
    for entry in entries:
        if ACK_MODES[mode]:
            queue.requeue(entry)
        elif mode == "reject_requeue_false":
            queue.reject(entry)
        else:
            queue.settle(entry)
    await call.done()
    return shapes


def delivery_shape(entry: Entry, encoding: str, truncate: int | None) -> Shape:
    """A message as a queue holds it."""
    return {"redelivered": entry.redelivered, **message_shape(entry.message, encoding, truncate)}


def message_shape(message: Message, encoding: str, truncate: int | None) -> Shape:
    """A message as its publisher sent it."""
    envelope, body = message.envelope, message.body
    shown = body if truncate is None else body[:truncate]
    payload, kind = _payload(shown, encoding)
    return {
        "payload_bytes": len(body),
        "exchange": text(envelope.exchange),
        "routing_key": text(envelope.routing_key),
        "properties": shown_properties(envelope.header) or [],
        "payload": payload,
        "payload_encoding": kind,
    }


def _payload(body: bytes, encoding: str) -> tuple[str, str]:
    if encoding == "auto":
        try:
            return body.decode(), "string"
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), "base64"

"""Dead letters: what a message carries with it when a queue gives it up, and which queues must not have it again.

The headers are RabbitMQ's: `x-death` lists, newest first, one table per queue and reason with count, reason, queue, time,
exchange, routing-keys and the original expiration; `x-first-death-*` and `x-last-death-*` tell the ends of the story.
"""

from __future__ import annotations

from typing import Final

from amqpd.errors import BadSyntax
from amqpd.message import FOREVER, Envelope, Message, address_of, envelope_of
from amqpd.wire import properties, tables
from amqpd.wire.tables import Long, Timestamp

REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
MAXLEN: Final = "maxlen"
DELIVERY_LIMIT: Final = "delivery_limit"

_STORY: Final = (
    "x-death", "x-first-death-reason", "x-first-death-queue", "x-first-death-exchange",
    "x-last-death-reason", "x-last-death-queue", "x-last-death-exchange",
)  # fmt: skip

Death = dict[str, object]
"""One entry of x-death."""


class Letterhead:
    """All of a dead letter but its body: what messages that are alike have in common when a queue gives them up."""

    def __init__(self, envelope: Envelope, routing_keys: list[str], deaths: list[Death]) -> None:
        self.envelope: Final = envelope
        self.routing_keys: Final = routing_keys
        self.deaths: Final = deaths

    def may_enter(self, queue: str) -> bool:
        """False if the message would go round in a circle without any client having rejected it."""
        reasons: list[object] = []
        for death in self.deaths:
            reasons.append(death.get("reason"))
            if death.get("queue") == queue:
                return REJECTED in reasons
        return True


class DeadLetterer:
    """Where queues send what they give up: the virtual host."""

    def dead_letter(self, message: Message, queue: str, reason: str, exchange: str, routing_key: str | None) -> None:
        """Route it from the exchange on, within the open batch, with its own routing keys unless one is given."""
        raise NotImplementedError


def letterhead(envelope: Envelope, queue: str, reason: str, exchange: str, routing_key: str | None, now: int) -> Letterhead:
    """What a message has when it leaves the queue for the dead letter exchange; now is in milliseconds since the epoch."""
    found = properties.parse(envelope.header)
    headers = tables.decode(found.headers) if found.headers is not None else {}
    keys = [envelope.routing_key, *_texts(headers.get("CC"))]
    death: Death = {
        "count": Long(1),
        "reason": reason,
        "queue": queue,
        "time": Timestamp(now // 1000),
        "exchange": envelope.exchange,
        "routing-keys": list(keys),
    }
    if found.expiration is not None:
        death["original-expiration"] = found.expiration
        found.expiration = None
    deaths = _add(_deaths(headers), death)
    dropped = (*_STORY, "CC") if routing_key is not None else _STORY
    kept = found.headers or b""
    for name in dropped:
        if name in headers:
            kept = tables.without(kept, name)
    found.headers = kept + tables.encode(_story(headers, deaths, envelope))
    key = keys[0] if routing_key is None else routing_key
    header = properties.encode(found, properties.body_size(envelope.header))
    moved = Envelope(address_of(exchange, key), header, envelope.persistent, envelope.priority, FOREVER)
    return Letterhead(moved, keys if routing_key is None else [routing_key], deaths)


def _texts(value: object) -> list[str]:
    return [key for key in value if isinstance(key, str)] if isinstance(value, list) else []


def _deaths(headers: dict[str, object]) -> list[Death]:
    """The story so far; what is not of its form is forgotten."""
    value = headers.get("x-death")
    return [death for death in value if isinstance(death, dict)] if isinstance(value, list) else []


def _add(deaths: list[Death], death: Death) -> list[Death]:
    """A queue and reason that were there before come to the front with a higher count, else unchanged."""
    for index, old in enumerate(deaths):
        if old.get("queue") == death["queue"] and old.get("reason") == death["reason"]:
            count = old.get("count")
            again = {**old, "count": Long(count + 1 if isinstance(count, int) else 1)}
            return [again, *deaths[:index], *deaths[index + 1 :]]
    return [death, *deaths]


def _story(headers: dict[str, object], deaths: list[Death], envelope: Envelope) -> dict[str, object]:
    """The headers that tell it; the first death stays what it was, the last one is this one."""
    story: dict[str, object] = {"x-death": [_typed(death) for death in deaths]}
    last = {"reason": deaths[0]["reason"], "queue": deaths[0]["queue"], "exchange": envelope.exchange}
    for field, value in last.items():
        told = headers.get(f"x-first-death-{field}") if "x-death" in headers else None
        story[f"x-first-death-{field}"] = told if isinstance(told, str) else value
        story[f"x-last-death-{field}"] = value
    return story


def _typed(death: Death) -> Death:
    """Counts are long integers on the wire, whatever they were decoded to."""
    count = death.get("count")
    return {**death, "count": Long(count) if isinstance(count, int) else Long(1)}


def with_delivery_count(message: Message, count: int) -> Message:
    """The message with the header x-delivery-count, which tells how often it came back."""
    return _recounted(message, tables.encode({"x-delivery-count": Long(count)}))


def without_delivery_count(message: Message) -> Message:
    """The message without that header."""
    return _recounted(message, b"")


def _recounted(message: Message, count: bytes) -> Message:
    envelope = message.envelope
    try:
        found = properties.parse(envelope.header)
        kept = tables.without(found.headers, "x-delivery-count") if found.headers is not None else b""
    except BadSyntax:
        return message
    found.headers = kept + count
    return Message(envelope_of(envelope.address, properties.encode(found, len(message.body))), message.body)

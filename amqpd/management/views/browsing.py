"""Beyond RabbitMQ: look into queues, see who holds what, move, copy or delete chosen messages, pause and resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from amqpd.broker import administration, browse, operations
from amqpd.broker.browse import START, Position, Section
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.entry import Entry
from amqpd.broker.line import REFUSED
from amqpd.broker.permissions import WRITE
from amqpd.broker.queue import Queue
from amqpd.broker.rights import check_right
from amqpd.broker.session import Session
from amqpd.broker.vhost import VHost
from amqpd.management import shapes
from amqpd.management.call import Call, integer, string
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request
from amqpd.management.tables import shown, text
from amqpd.management.views.bindings import exchange_name
from amqpd.management.views.messages import delivery_shape
from amqpd.management.views.queues import entered_queue, seen_queue
from amqpd.wire import properties
from exchanges.base import Exchange

COUNT: Final = 50
COUNT_MAX: Final = 1000
SEEN_MAX: Final = 100_000
"""Messages that one request looks at; it says where to go on."""
TRUNCATE: Final = 50_000
RETRY_SECONDS: Final = 0.05
"""Pause before a window is looked at again that somebody else is reading."""

Filter = Callable[[Entry], bool]


# --- looking -----------------------------------------------------------------------------------------------------------


async def browse_queue(call: Call) -> object:
    """Ready messages in the order of delivery, without touching them.

    The query filters by `routing_key`, `exchange`, `message_id`, `header.<name>`, `min_age` and `max_age` (seconds).
    """
    queue = seen_queue(call)
    operations.readable_queue(call.client(call.entered_vhost()), call.seen_vhost(), queue.name)
    matches = filter_of(dict(call.query), call.broker.clock.now)
    count = within(call.query.get("count", str(COUNT)), COUNT_MAX)
    truncate = within(call.query.get("truncate", str(TRUNCATE)), 2**40)
    found: list[Shape] = []
    seen = 0
    position = _position(call.query.get("after", ""))
    following = None
    async for section, entries in sections(queue, position):
        for entry in entries:
            if len(found) >= count or seen >= SEEN_MAX:
                following = _mark(position)
                break
            seen += 1
            position = Position(section.end.priority, entry.sequence)
            if matches(entry):
                found.append(_message_shape(call, entry, truncate))
        if following is not None:
            break
        position = section.end
    return {"messages": found, "seen": seen, "next": following}


def _message_shape(call: Call, entry: Entry, truncate: int) -> Shape:
    return {
        "id": str(entry.sequence),
        "received_at": entry.received_at,
        "age": max(call.broker.clock.now - entry.received_at, 0) / 1000,
        "returns": entry.returns,
        "persistent": entry.message.envelope.persistent,
        "expires_at": entry.expires_at or None,
        **delivery_shape(entry, "auto", truncate),
    }


async def sections(queue: Queue, position: Position) -> AsyncIterator[tuple[Section, list[Entry]]]:
    """The sections of the queue behind a position with their messages; each is good until the next one is asked for."""
    loop = asyncio.get_running_loop()
    while (section := browse.next_section(queue, position)) is not None:
        if section.window is None:
            entries = section.entries
        elif section.is_out_of_reach():
            await asyncio.sleep(RETRY_SECONDS)
            continue
        else:
            records = await loop.run_in_executor(None, queue.store.read, section.lane.log, section.window)
            if section.is_out_of_reach() or section.is_outdated():
                continue
            entries = browse.entries_of(queue, records, _behind(section, position))
        yield section, entries
        position = section.end


def _behind(section: Section, position: Position) -> Position:
    """The position within the section's own lane."""
    return position if position.priority == section.end.priority else Position(section.end.priority, -1)


def _mark(position: Position) -> str:
    return f"{position.priority}.{position.sequence}"


def _position(mark: str) -> Position:
    if not mark:
        return START
    priority, _, sequence = mark.partition(".")
    if not priority.isdecimal() or not sequence.removeprefix("-").isdecimal() or len(mark) > 30:
        raise bad_request("after must be what `next` said")
    return Position(int(priority), int(sequence))


def within(value: object, largest: int) -> int:
    """A whole number from 0 to the largest, or the text of one. Raises Refusal."""
    number = integer(value)
    if not 0 <= number <= largest:
        raise bad_request(f"{number} is not between 0 and {largest}")
    return number


def filter_of(wanted: dict[str, Any], now: int) -> Filter:
    """Which messages are meant; now is in milliseconds since the epoch. Raises Refusal."""
    headers = {name.removeprefix("header."): value for name, value in wanted.items() if name.startswith("header.")}
    tests: list[Filter] = []
    if "routing_key" in wanted:
        tests.append(lambda entry: entry.message.envelope.routing_key == wanted["routing_key"])
    if "exchange" in wanted:
        name = exchange_name(str(wanted["exchange"]))
        tests.append(lambda entry: entry.message.envelope.exchange == name)
    if "message_id" in wanted:
        tests.append(lambda entry: properties.parse(entry.message.envelope.header).message_id == wanted["message_id"])
    if "min_age" in wanted:
        latest = now - integer(wanted["min_age"]) * 1000
        tests.append(lambda entry: entry.received_at <= latest)
    if "max_age" in wanted:
        earliest = now - integer(wanted["max_age"]) * 1000
        tests.append(lambda entry: entry.received_at >= earliest)
    if headers:
        tests.append(lambda entry: _has_headers(entry, headers))
    return lambda entry: all(test(entry) for test in tests)


def _has_headers(entry: Entry, wanted: dict[str, Any]) -> bool:
    found = properties.decoded_headers(properties.parse(entry.message.envelope.header))
    return all(name in found and str(shown(found[name])) == str(value) for name, value in wanted.items())


# --- who holds what ----------------------------------------------------------------------------------------------------


async def list_unacked(call: Call) -> object:
    """The messages of a queue that were delivered and not acknowledged, each with the channel that holds it."""
    queue = seen_queue(call)
    held = [
        (connection, number, session, tag, entry)
        for connection in call.broker.connections.of_vhost(queue.vhost)
        for number, session in connection.sessions().items()
        for tag, entry in session.ledger.unacked.items()
        if entry.owner is queue
    ]
    return await call.wish().answer(held, lambda one: str(one[-1].sequence), lambda one: _held_shape(call, *one))


def _held_shape(call: Call, connection: ConnectionInfo, number: int, session: Session, tag: int, entry: Entry) -> Shape:
    return {
        **_message_shape(call, entry, 0),
        "delivery_tag": tag,
        "held_for": _held_for(call, session, tag),
        "consumer_tag": _consumer_tag(session.consumers.values(), entry),
        "channel_details": {
            **shapes.connection_details(connection),
            "name": shapes.channel_name(connection, number),
            "number": number,
            "connection_name": connection.name,
            "user": text(connection.user),
        },
    }


def _held_for(call: Call, session: Session, tag: int) -> float:
    """Seconds since it was delivered, up to a step too few."""
    at = call.site.rates.delivered_at(session, tag)
    return 0.0 if at is None else max(call.broker.clock.now / 1000 - at, 0.0)


def _consumer_tag(consumers: Any, entry: Entry) -> str | None:  # noqa: ANN401 - pairs of queue and consumer
    """The consumer that it was delivered to; None for basic.get."""
    for _, consumer in consumers:
        if consumer.credit is entry.credit:
            return text(consumer.tag)
    return None


# --- moving, copying, deleting -----------------------------------------------------------------------------------------


class Target:
    """Where messages go: an exchange with a routing key, or straight into a queue."""

    def __init__(self, vhost: VHost, exchange: Exchange, routing_key: str) -> None:
        self.vhost: Final = vhost
        self.exchange: Final = exchange
        self.routing_key: Final = routing_key
        """Empty: each message keeps its own."""

    def takes(self, entry: Entry) -> bool:
        """Give it the message; False if no queue takes it."""
        message = entry.message
        found = properties.parse(message.envelope.header)
        key = self.routing_key or message.envelope.routing_key
        queues = self.vhost.route(self.exchange, [key], properties.decoded_headers(found))
        return bool(queues) and self.vhost.push(queues, message) != REFUSED


async def delete_messages(call: Call) -> object:
    """Delete chosen messages: `ids`, or a `filter` as in browsing; at most `count` of them."""
    return await _carry_out(call, needs_target=False, removes=True)


async def move_messages(call: Call) -> object:
    """Move chosen messages to `queue`, or to `exchange` and `routing_key`; what no queue takes stays where it is."""
    return await _carry_out(call, needs_target=True, removes=True)


async def copy_messages(call: Call) -> object:
    """Copy chosen messages to `queue`, or to `exchange` and `routing_key`."""
    return await _carry_out(call, needs_target=True, removes=False)


async def _carry_out(call: Call, needs_target: bool, removes: bool) -> Shape:
    body = await call.body()
    vhost, queue = entered_queue(call)
    operations.readable_queue(call.client(vhost), vhost, queue.name)
    target = _target(call, vhost, body) if needs_target else None
    matches, most = _chosen(call, body)
    last = queue.next_sequence
    done = refused = 0
    async for section, entries in sections(queue, START):
        for entry in entries:
            if done >= most:
                break
            if entry.sequence >= last or not matches(entry):
                continue
            if target is not None and not target.takes(entry):
                refused += 1
            elif not removes or browse.withdraw(queue, section, entry):
                done += 1
        call.site.wiring.begin()
        if done >= most:
            break
        await asyncio.sleep(0)
    await call.done()
    return {"count": done, "refused": refused}


def _target(call: Call, vhost: VHost, body: dict[str, Any]) -> Target:
    if "queue" in body:
        queue = operations.find_queue(vhost, string(body["queue"], "queue must be a string"))
        exchange, routing_key = vhost.exchanges[""], queue.name
    else:
        exchange = operations.find_exchange(vhost, exchange_name(string(body.get("exchange"), "queue or exchange is needed")))
        routing_key = string(body.get("routing_key", ""), "routing_key must be a string")
    check_right(call.client(vhost), WRITE, "exchange", exchange.name)
    return Target(vhost, exchange, routing_key)


def _chosen(call: Call, body: dict[str, Any]) -> tuple[Filter, int]:
    """Which messages are meant, and how many of them at most. Raises Refusal."""
    most = integer(body["count"]) if "count" in body else 2**63
    if "ids" in body:
        if not isinstance(body["ids"], list):
            raise bad_request("ids must be a list")
        ids = {integer(name) for name in body["ids"]}
        return (lambda entry: entry.sequence in ids), min(most, len(ids))
    wanted = body.get("filter")
    if not isinstance(wanted, dict):
        raise bad_request("ids or filter is needed")
    return filter_of(wanted, call.broker.clock.now), most


# --- pausing -----------------------------------------------------------------------------------------------------------


async def pause_queue(call: Call) -> object:
    """Deliver nothing to the queue's consumers until it is resumed."""
    _, queue = entered_queue(call)
    administration.pause_queue(call.broker, queue)
    return await call.done()


async def resume_queue(call: Call) -> object:
    """Deliver again."""
    _, queue = entered_queue(call)
    administration.resume_queue(call.broker, queue)
    return await call.done()

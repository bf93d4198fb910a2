"""Beyond RabbitMQ: look into queues, see who holds what, move, copy or delete chosen messages, pause and resume."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from amqpd.broker import administration, browse, operations
from amqpd.broker.browse import START, Position, Section
from amqpd.broker.client import Client
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.entry import Entry
from amqpd.broker.permissions import CONFIGURE, READ, WRITE
from amqpd.broker.publishing import check_not_internal
from amqpd.broker.queue import Queue
from amqpd.broker.rights import check_right, check_topic
from amqpd.broker.session import Session
from amqpd.broker.vhost import VHost
from amqpd.errors import AccessRefused, Undecided
from amqpd.management import shapes
from amqpd.management.call import Call, integer, string
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, channel_refusal
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
CONTENT: Final = frozenset(("properties", "payload", "payload_encoding"))
"""What of a message only those are shown who may read it."""

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
    while following is None and (step := await section_behind(queue, position)) is not None:
        section, entries = step
        for entry in entries:
            if len(found) >= count or seen >= SEEN_MAX:
                following = _mark(position)
                break
            seen += 1
            position = Position(section.end.priority, entry.sequence)
            if matches(entry):
                found.append(_message_shape(call, entry, truncate))
        else:
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


async def section_behind(queue: Queue, position: Position) -> tuple[Section, list[Entry]] | None:
    """What comes in the queue behind a position, with its messages, good until the next pause; None at the end."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while (section := browse.next_section(queue, position)) is not None:
        if section.window is None:
            return section, section.entries
        if section.is_out_of_reach():
            await asyncio.sleep(RETRY_SECONDS)
            continue
        records = await loop.run_in_executor(None, queue.store.read, section.lane.log, section.window)
        if not section.is_out_of_reach() and not section.is_outdated():
            return section, browse.entries_of(queue, records, _behind(section, position))
    return None


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
    """The messages of a queue that were delivered and not acknowledged, each with the channel that holds it.

    Who must not read from the queue does not learn what is in them.
    """
    queue = seen_queue(call)
    shape = _held_shape if _may_read(call, queue) else _held_shape_without_content
    held = [
        (connection, number, session, tag, entry)
        for connection in call.broker.connections.of_vhost(queue.vhost)
        for number, session in connection.sessions().items()
        for tag, entry in session.ledger.unacked.items()
        if entry.owner is queue
    ]
    return await call.wish().answer(held, lambda one: str(one[-1].sequence), lambda one: shape(call, *one))


def _may_read(call: Call, queue: Queue) -> bool:
    """True if the user could browse the queue."""
    access = call.user.access(queue.vhost)
    return queue.exclusive_to is None and access is not None and access.can(READ, queue.name, "queue")


def _held_shape_without_content(
    call: Call, connection: ConnectionInfo, number: int, session: Session, tag: int, entry: Entry
) -> Shape:
    shape = _held_shape(call, connection, number, session, tag, entry)
    return {name: value for name, value in shape.items() if name not in CONTENT}


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

    def __init__(self, client: Client, vhost: VHost, exchange: Exchange, routing_key: str) -> None:
        self.client: Final = client
        """Whoever sends them."""
        self.vhost: Final = vhost
        self.exchange: Final = exchange
        self.routing_key: Final = routing_key
        """Empty: each message keeps its own."""

    def queues_for(self, entry: Entry) -> list[Queue]:
        """The queues that the message goes to; none if any of them is full, or its routing key refused. Raises Undecided."""
        message = entry.message
        key = self.routing_key or message.envelope.routing_key
        try:
            check_topic(self.client, WRITE, self.exchange, key)
        except AccessRefused:
            return []
        found = properties.parse(message.envelope.header)
        queues = self.vhost.route(self.exchange, [key], properties.decoded_headers(found))
        return [] if any(queue.refuses(len(message.body)) for queue in queues) else queues


class Errand:
    """Chosen messages of a queue are on their way to a target, or out of the queue, or both."""

    def __init__(self, queue: Queue, matches: Filter, most: int, target: Target | None, removes: bool) -> None:
        self.queue: Final = queue
        self.target: Final = target
        self.removes: Final = removes
        self.done: int = 0
        self.refused: int = 0
        """Messages that the target did not take."""
        self._matches: Final = matches
        self._most: Final = most
        self._end: Final = queue.next_sequence
        self._position: Position = START

    async def run(self, call: Call) -> None:
        """Do it, a section at a time."""
        while self.done < self._most and (step := await section_behind(self.queue, self._position)) is not None:
            call.begin()
            try:
                self._go_through(*step)
            except Undecided as question:
                await call.ask(question)

    def _go_through(self, section: Section, entries: list[Entry]) -> None:
        """As far as the section is good: what goes into a queue can make it read the window. Raises Undecided."""
        for entry in entries:
            if self.done >= self._most or section.is_out_of_reach():
                return
            if entry.sequence < self._end and self._matches(entry):
                self._deal_with(section, entry)
            self._position = Position(section.end.priority, entry.sequence)
        self._position = section.end

    def _deal_with(self, section: Section, entry: Entry) -> None:
        """Take it out before it goes elsewhere: if that is the same queue, its limits are not to count it twice."""
        queues: list[Queue] = []
        if self.target is not None:
            queues = self.target.queues_for(entry)
            if not queues or self._would_be_its_own_duplicate(queues):
                self.refused += 1
                return
        if self.removes and not browse.withdraw(self.queue, section, entry):
            return
        if self.target is not None:
            self.target.vhost.push(queues, entry.message)
        self.done += 1

    def _would_be_its_own_duplicate(self, queues: list[Queue]) -> bool:
        return self.removes and self.queue.seen is not None and self.queue in queues


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
    errand = Errand(queue, matches, most, target, removes)
    await errand.run(call)
    await call.done()
    return {"count": errand.done, "refused": errand.refused}


def _target(call: Call, vhost: VHost, body: dict[str, Any]) -> Target:
    """What the body names, if publishing there would not be refused. Raises Refusal, NotFound, AccessRefused."""
    if "queue" in body:
        queue = operations.find_queue(vhost, string(body["queue"], "queue must be a string"))
        exchange, routing_key = vhost.exchanges[""], queue.name
    else:
        exchange = operations.find_exchange(vhost, exchange_name(string(body.get("exchange"), "queue or exchange is needed")))
        routing_key = string(body.get("routing_key", ""), "routing_key must be a string")
    client = call.client(vhost)
    check_right(client, WRITE, "exchange", exchange.name)
    try:
        check_not_internal(vhost, exchange)
        if routing_key:
            check_topic(client, WRITE, exchange, routing_key)
    except AccessRefused as error:
        raise channel_refusal(error) from None
    return Target(client, vhost, exchange, routing_key)


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
    queue = _configured_queue(call)
    administration.pause_queue(call.broker, queue)
    return await call.done()


async def resume_queue(call: Call) -> object:
    """Deliver again."""
    queue = _configured_queue(call)
    administration.resume_queue(call.broker, queue)
    return await call.done()


def _configured_queue(call: Call) -> Queue:
    """The queue of the path, which the user may configure. Raises Refusal, AccessRefused, ResourceLocked."""
    vhost, queue = entered_queue(call)
    client = call.client(vhost)
    operations.check_owner(client, queue)
    check_right(client, CONFIGURE, "queue", queue.name)
    return queue

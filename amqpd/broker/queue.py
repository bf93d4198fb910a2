"""A queue: a line of messages with limits to its length, to their age and to its own (specification 1.7.2).

1. No consumer receives a message after its deadline; one that has passed is given up wherever the message stands. In
   windows on disk that is found out within `SIFT_PAUSE` of the deadline, since looking costs a read.
2. What a message leaves behind in its dead letter queues is in the same batch as its own end.
3. A queue with a single active consumer delivers to nobody else, and to the next one when that one leaves.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker import deadletter
from amqpd.broker.agenda import Timed
from amqpd.broker.arguments import QUORUM, QueueArguments
from amqpd.broker.client import Client
from amqpd.broker.consumer import Consumer
from amqpd.broker.deadletter import DELIVERY_LIMIT, EXPIRED, MAXLEN, REJECTED, DeadLetterer
from amqpd.broker.duplicate_filter import DuplicateFilter
from amqpd.broker.entry import Entry
from amqpd.broker.lane import Lane
from amqpd.broker.limits import DROP_HEAD, NONE, REJECT_PUBLISH_DLX, Definition, Limits, effective
from amqpd.broker.line import ACCEPTED, REFUSED, STORED, Line, Setting
from amqpd.broker.policies import Policy
from amqpd.broker.policy_keys import merged
from amqpd.message import Message
from amqpd.wire import properties
from persistence.store import Log, StoredRecord, Window

SIFT_PAUSE: Final = 1000
"""Milliseconds between two looks at the same window for messages that have expired in it."""
EXPIRED_PER_TURN: Final = 1000
"""Messages that are given up before other work has its turn."""
DROPPED_PER_TURN: Final = 1000
"""The same for a queue that has become too long."""


class QueueHost(DeadLetterer):
    """The virtual host of a queue."""

    def queue_expired(self, queue: Queue) -> None:
        """The queue was not used for as long as it may be."""
        raise NotImplementedError


class QueueTimer(Timed):
    """Brings a queue's appointments back to it."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self.queue: Final = queue

    def due(self, now: int) -> None:
        """See `Timed.due`."""
        self.queue.due(now)


class Queue(Line):
    """One queue of one virtual host."""

    def __init__(
        self, setting: Setting, host: QueueHost, queue_id: int, vhost: str, name: str, durable: bool, auto_delete: bool,
        exclusive_to: Client | None, arguments: QueueArguments,
    ) -> None:  # fmt: skip
        super().__init__(setting, queue_id, vhost, name, durable, auto_delete, exclusive_to, arguments)
        self.host: Final = host
        self.limits: Limits = Limits()
        self.policy: Policy | None = None
        self.operator_policy: Policy | None = None
        self._timer: QueueTimer | None = QueueTimer(self)
        """None once it is deleted."""
        self._used_at: int = setting.clock.now
        self.seen: Final = DuplicateFilter(arguments.values(), setting.clock) if arguments.deduplicates else None
        """What it remembers of messages, to drop those that come again (x-message-deduplication)."""
        if self.seen is not None and self.durable:
            self.seen.keep(setting.store, queue_id)

    def obey(self, policy: Policy | None, operator_policy: Policy | None) -> None:
        """These policies apply from now on, together with its arguments."""
        self.policy = policy
        self.operator_policy = operator_policy
        self.configure(effective(self.arguments, _definition(policy), _definition(operator_policy)))

    def policy_definition(self) -> Definition:
        """What its policies say together."""
        return merged(_definition(self.policy), _definition(self.operator_policy))

    def configure(self, limits: Limits) -> None:
        """These limits hold from now on; messages that wait keep the deadlines that they have.

        A queue that is to expire after some other time than before counts as used now.
        """
        if limits.expires != self.limits.expires:
            self._used_at = self.clock.now
        self.limits = limits
        self.bounded = (
            limits.limits_length() or limits.message_ttl != NONE or limits.delivery_limit != NONE
            or self._counts_deliveries() or self.seen is not None
        )  # fmt: skip
        for consumer in self.dispatch.consumers:
            consumer.limit_time(limits.consumer_timeout)
        self._shorten()
        self._schedule()

    def add(self, consumer: Consumer) -> None:
        """A consumer comes."""
        consumer.limit_time(self.limits.consumer_timeout)
        super().add(consumer)

    def _counts_deliveries(self) -> bool:
        return self.arguments.type == QUORUM

    # --- messages come ---------------------------------------------------------------------------------------------

    def push_bounded(self, message: Message, body_id: int) -> int:
        """Take a message that may be refused, expire or drive out others."""
        limits = self.limits
        if self.refuses(len(message.body)):
            if limits.overflow == REJECT_PUBLISH_DLX:
                self._dead_letter(message, MAXLEN)
            return REFUSED
        if self.seen is not None and self.seen.is_duplicate(_headers(message)):
            return STORED if self.durable else ACCEPTED
        self.published += 1
        deadline = self._deadline(message.envelope.expiration)
        consumer = self.dispatch.next() if self.ready.count == 0 else None
        if consumer is not None and consumer.no_ack:
            self.handed += 1
            consumer.hand(message, False)
            return ACCEPTED
        if consumer is None and 0 < deadline <= self.clock.now:
            self._dead_letter(message, EXPIRED)
            return STORED if self.store.has_work() else ACCEPTED  # Where it went to may be on its way to the disk.
        lane = self.ready.lane(message.envelope.priority) if self.prioritised else self.lane
        entry = self.admit(lane, message, body_id, deadline)
        if consumer is not None:
            self.delivered += 1
            self.unacked += 1
            consumer.deliver(entry)
        else:
            self._wait(lane, entry)
            self._shorten()
        return STORED if entry.stored else ACCEPTED

    def _deadline(self, expiration: int) -> int:
        """When a message that comes now expires, in milliseconds since the epoch; 0: never."""
        ttl = self.limits.message_ttl
        if expiration >= 0 and (ttl == NONE or expiration < ttl):
            ttl = expiration
        return 0 if ttl == NONE else self.clock.now + ttl

    def _wait(self, lane: Lane, entry: Entry) -> None:
        self.ready.push(lane, entry)
        if entry.expires_at:
            self.timed = True
            self.ready.expiry.add(entry)
            self._appoint(entry.expires_at)

    def put_back_bounded(self, lane: Lane, entry: Entry) -> None:
        """Put back an entry that may have expired, or come back too often."""
        limit = self.limits.delivery_limit
        if limit != NONE and entry.returns > limit:
            self.give_up(entry, DELIVERY_LIMIT)
        elif self._is_late(entry):
            self.give_up(entry, EXPIRED)
        else:
            if self._counts_deliveries():
                entry.message = deadletter.with_delivery_count(entry.message, entry.returns)
            self.ready.put_back(lane, entry)
            if entry.expires_at:
                self.timed = True
                self.ready.expiry.add(entry)
                self._appoint(entry.expires_at)
            self._shorten()

    def entries(self, found: list[StoredRecord]) -> list[Entry]:
        """Entries for stored records."""
        entries = super().entries(found)
        for entry in entries:
            if entry.expires_at:
                self.timed = True
                self._appoint(entry.expires_at)
            if entry.returns and self._counts_deliveries():
                entry.message = deadletter.with_delivery_count(entry.message, entry.returns)
        return entries

    def page_read(self, log: Log, window: Window, found: list[StoredRecord]) -> None:
        """A window of one of its logs was read from disk."""
        super().page_read(log, window, found)
        self._shorten()

    # --- messages go -----------------------------------------------------------------------------------------------

    def get(self) -> Entry | None:
        """See `Line.get`; a quorum queue tells how often the message came back even if it never did."""
        entry = super().get()
        if entry is not None and not entry.returns and self._counts_deliveries():
            entry.message = deadletter.with_delivery_count(entry.message, 0)
        return entry

    def take(self) -> Entry | None:
        """The next entry that has not expired; None if there is none, or as long as the disk is asked for it."""
        while True:
            entry = self._take_any()
            if entry is None or not self._is_late(entry):
                return entry
            self.give_up(entry, EXPIRED)

    def _take_any(self) -> Entry | None:
        """The next entry, even if it has expired."""
        entry = self.ready.take()
        if entry is not None and entry.expires_at:
            self.ready.expiry.remove(entry)
        return entry

    def _is_late(self, entry: Entry) -> bool:
        return 0 < entry.expires_at <= self.clock.now

    def reject(self, entry: Entry) -> None:
        """Its receiver does not want it and nobody else shall have it."""
        self.unacked -= 1
        if self.deleted:
            self.forget(entry)
        else:
            self.give_up(entry, REJECTED)

    def give_up(self, entry: Entry, reason: str) -> None:
        """An entry that is not in the line any more ends here, and goes on as a dead letter."""
        message = entry.message
        if self._counts_deliveries():
            message = deadletter.without_delivery_count(message)
        self._dead_letter(message, reason)
        self.forget(entry)

    def _dead_letter(self, message: Message, reason: str) -> None:
        exchange = self.limits.dead_letter_exchange
        self.setting.totals.dead_letter(self.arguments.type, reason, exchange is not None)
        if exchange is not None:
            self.host.dead_letter(message, self.name, reason, exchange, self.limits.dead_letter_routing_key)

    # --- length ----------------------------------------------------------------------------------------------------

    def refuses(self, size: int) -> bool:
        """True if it is too full for a message whose body has so many bytes, and does not make room for it."""
        return self.limits.overflow != DROP_HEAD and self._is_full(size)

    def _is_full(self, size: int) -> bool:
        limits = self.limits
        return (limits.max_length != NONE and self.ready.count >= limits.max_length) or (
            limits.max_length_bytes != NONE and self.ready.size() + size > limits.max_length_bytes
        )

    def _is_too_long(self) -> bool:
        limits = self.limits
        return (limits.max_length != NONE and self.ready.count > limits.max_length) or (
            limits.max_length_bytes != NONE and self.ready.count > 0 and self.ready.size() > limits.max_length_bytes
        )

    def _shorten(self) -> None:
        """Drop the oldest messages of a queue that is too long, many of them over several turns.

        What the disk is asked for is dropped when it came.
        """
        if self.limits.overflow != DROP_HEAD or not self.limits.limits_length():
            return
        left = DROPPED_PER_TURN
        while self._is_too_long():
            if not left:
                self._appoint(self.clock.now)
                return
            left -= 1
            entry = self._take_any()
            if entry is None:
                return
            self.give_up(entry, EXPIRED if self._is_late(entry) else MAXLEN)

    # --- time ------------------------------------------------------------------------------------------------------

    def recover(self, windows: dict[int, list[Window]]) -> None:
        """See `Line.recover`; what expired while nobody was there, or exceeds a limit that came last, goes soon."""
        super().recover(windows)
        self._shorten()
        self._schedule()

    def touch(self) -> None:
        """The queue is used: it does not expire for a while."""
        self._used_at = self.clock.now
        if self.limits.expires != NONE:
            self._appoint(self._used_at + self.limits.expires)

    def due(self, now: int) -> None:
        """An appointment of the queue: give up what has expired, perhaps the queue itself."""
        if self.deleted:
            return
        if self._has_expired(now):
            self.host.queue_expired(self)
            return
        for entry in self.ready.expiry.take_due(now, EXPIRED_PER_TURN):
            self.ready.drop(self.lane_of(entry), entry)
            self.give_up(entry, EXPIRED)
        for lane in self.ready.order:
            lane.sift(now)
        self._shorten()
        self._schedule()

    def _has_expired(self, now: int) -> bool:
        expires = self.limits.expires
        return expires != NONE and not self.consumer_count and now - self._used_at >= expires

    def sift(self, lane: Lane, found: list[StoredRecord]) -> None:
        """Give up what has expired among the records of a window that stays on disk."""
        now = self.clock.now
        count, size, next_deadline = 0, 0, 0
        for entry in self.entries(found):
            if not entry.expires_at:
                continue
            if entry.expires_at <= now:
                count += 1
                size += len(entry.message.body)
                self.give_up(entry, EXPIRED)
            elif not next_deadline or entry.expires_at < next_deadline:
                next_deadline = entry.expires_at
        lane.sifted_out(count, size, max(next_deadline, now + SIFT_PAUSE) if next_deadline else 0)
        self.ready.recount()
        self._schedule()
        self.setting.turn.pump(self)

    def _schedule(self) -> None:
        """Make an appointment for whatever is due first."""
        first = self.ready.expiry.next_due()
        if first:
            self._appoint(first)
        for lane in self.ready.order:
            deadline = lane.next_deadline()
            if deadline:
                self._appoint(deadline)
        if self.limits.expires != NONE and not self.consumer_count:
            self._appoint(self._used_at + self.limits.expires)

    def _appoint(self, time: int) -> None:
        if self._timer is not None:
            self.setting.agenda.at(time, self._timer)

    def delete(self) -> None:
        """See `Line.delete`; an appointment may be far away, and nobody else holds the queue until then."""
        super().delete()
        if self._timer is not None:
            self.setting.agenda.cancel(self._timer)
            self._timer = None


def _definition(policy: Policy | None) -> Definition:
    return {} if policy is None else policy.definition


def _headers(message: Message) -> dict[str, object]:
    return properties.decoded_headers(properties.parse(message.envelope.header))

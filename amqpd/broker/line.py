"""A line of messages and the consumers that take turns at its head: a queue without limits (specification 2.1.4).

1. A message that is ready stands in `ready`; one that was delivered and not acknowledged is held by its channel's ledger.
2. A persistent message in a durable queue enters the open batch before it is delivered, so that settling it cancels or
   deletes it, and never leaves it behind.
3. A sequence number is never reused within a queue.
4. A settled entry is never redelivered.
5. Nothing is delivered while an entry that is older by priority and age waits for the disk.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.agenda import Agenda
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.capacity import Capacity
from amqpd.broker.client import Client
from amqpd.broker.clock import Clock
from amqpd.broker.consumer import Consumer
from amqpd.broker.dispatch import Dispatch
from amqpd.broker.entry import GONE, Entry, EntryOwner
from amqpd.broker.events import Events
from amqpd.broker.lane import Lane, PageReader
from amqpd.broker.memory import Memory
from amqpd.broker.ready import Ready
from amqpd.broker.totals import Row, Totals
from amqpd.broker.turn import Turn
from amqpd.message import Envelope, Message, envelope_of
from persistence import records
from persistence.store import Log, Store, StoredRecord, Window

ACCEPTED: Final = 0
STORED: Final = 1
"""Accepted, and on its way to disk with the open batch: its confirm has to wait."""
REFUSED: Final = 2
"""The queue is full: the publisher gets a nack."""

SHARED_BODY: Final = 4096
"""Bodies of at least this many bytes are stored once for all the queues that they went to."""


class Setting:
    """What every queue of a broker shares."""

    def __init__(
        self, store: Store, clock: Clock, agenda: Agenda, memory: Memory, reader: PageReader, turn: Turn, events: Events
    ) -> None:  # fmt: skip
        self.store: Final = store
        self.clock: Final = clock
        self.agenda: Final = agenda
        self.memory: Final = memory
        self.reader: Final = reader
        self.turn: Final = turn
        self.events: Final = events
        self.totals: Final = Totals()
        self.capacity: Final = Capacity()


class Line(EntryOwner):
    """What `Queue` sets limits to."""

    def __init__(
        self, setting: Setting, queue_id: int, vhost: str, name: str, durable: bool, auto_delete: bool,
        exclusive_to: Client | None, arguments: QueueArguments,
    ) -> None:  # fmt: skip
        self.setting: Final = setting
        self.id: Final = queue_id
        self.vhost: Final = vhost
        self.name: Final = name
        self.durable: Final = durable
        self.auto_delete: Final = auto_delete
        self.exclusive_to: Final = exclusive_to
        self.arguments: QueueArguments = arguments
        self.store: Final = setting.store
        self.clock: Final = setting.clock
        self.dispatch: Final = Dispatch(self, setting.turn, arguments.single_active_consumer)
        self.ready: Final = Ready(self, queue_id, arguments.max_priority, setting.store, setting.memory, setting.reader)
        self.lane: Final[Lane] = self.ready.lane(0)
        """The only lane of a queue without priorities."""
        self.prioritised: Final = arguments.max_priority > 0
        self.next_sequence: int = setting.store.first_sequence
        self.unacked: int = 0
        self.deleted: bool = False
        self.bounded: bool = False
        """True if a limit has to be looked at with each message that comes or comes back."""
        self.timed: bool = False
        """True once a message that can expire waited."""
        self.published: int = 0
        self.delivered: int = 0
        """To consumers that acknowledge."""
        self.handed: int = 0
        """To consumers that do not."""
        self.got: int = 0
        """By basic.get, whether or not it acknowledges."""
        self.got_no_ack: int = 0
        self.missed: int = 0
        """Calls of basic.get that found nothing."""
        self.acknowledged: int = 0
        self.redelivered: int = 0

    # --- messages come ---------------------------------------------------------------------------------------------

    def push(self, message: Message, body_id: int) -> int:
        """Take a message: ACCEPTED, STORED or REFUSED.

        body_id is the shared body of a message that several queues take, 0 if it has its own.
        """
        if self.bounded or message.envelope.expiration >= 0:
            return self.push_bounded(message, body_id)
        self.published += 1
        consumer = self.dispatch.next() if self.ready.count == 0 else None
        if consumer is not None and consumer.no_ack:
            self.handed += 1
            consumer.hand(message, False)
            return ACCEPTED
        lane = self.ready.lane(message.envelope.priority) if self.prioritised else self.lane
        entry = self.admit(lane, message, body_id, 0)
        if consumer is not None:
            self.delivered += 1
            self.unacked += 1
            consumer.deliver(entry)
        else:
            self.ready.push(lane, entry)
        return STORED if entry.stored else ACCEPTED

    def push_bounded(self, message: Message, body_id: int) -> int:
        """Take a message that may be refused, expire or drive out others."""
        raise NotImplementedError

    def admit(self, lane: Lane, message: Message, body_id: int, expires_at: int) -> Entry:
        """The entry of a new message, which is in the open batch if it is to survive."""
        entry = Entry(self, self.next_sequence, message, self.clock.now)
        self.next_sequence += 1
        entry.expires_at = expires_at
        if self.durable and message.envelope.persistent:
            entry.stored = True
            if body_id:
                entry.body_id = body_id
                self.store.retain(lane.log, entry)
            lane.log.put(entry)
        return entry

    # --- messages go -----------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Deliver ready messages as long as a consumer can take one."""
        ready = self.ready
        while ready.count:
            consumer = self.dispatch.next()
            if consumer is None:
                return
            entry = self.take() if self.timed else ready.take()
            if entry is None:
                return
            self._deliver(consumer, entry)

    def take(self) -> Entry | None:
        """The next entry that has not expired; None if there is none, or as long as the disk is asked for it."""
        raise NotImplementedError

    def _deliver(self, consumer: Consumer, entry: Entry) -> None:
        if entry.redelivered:
            self.redelivered += 1
        if consumer.no_ack:
            self.handed += 1
            self.forget(entry)
            consumer.hand(entry.message, entry.redelivered)
        else:
            self.delivered += 1
            self.unacked += 1
            consumer.deliver(entry)

    def get(self) -> Entry | None:
        """The next ready entry, for basic.get; it is held by the caller until it is settled or requeued."""
        self.touch()
        while self.ready.count:
            entry = self.take() if self.timed else self.ready.take()
            if entry is not None:
                self.got += 1
                if entry.redelivered:
                    self.redelivered += 1
                self.unacked += 1
                return entry
            self._read_now()
        self.missed += 1
        return None

    def _read_now(self) -> None:
        """Fetch the page that the next entry waits for; a get has no way to wait."""
        for lane in self.ready.order:
            window = lane.claim()
            if window is not None:
                self.page_read(lane.log, window, self.setting.reader.read_now(lane.log, window))

    def page_read(self, log: Log, window: Window, found: list[StoredRecord]) -> None:
        """A window of one of its logs was read from disk; of no use if the queue was purged meanwhile."""
        lane = self.ready.lanes[log.lane]
        if window is lane.awaited:
            lane.take_in(window, self.entries(found))
            self.ready.recount()
            self.setting.turn.pump(self)
        elif window is lane.sifted:
            self.sift(lane, found)

    def sift(self, lane: Lane, found: list[StoredRecord]) -> None:
        """Give up what has expired among the records of a window that stays on disk."""
        raise NotImplementedError

    def entries(self, found: list[StoredRecord]) -> list[Entry]:
        """Entries for stored records; equal envelopes of neighbours are shared again."""
        entries: list[Entry] = []
        envelope: Envelope | None = None
        for record in found:
            if envelope is None or record.header != envelope.header or record.address != envelope.address:
                envelope = envelope_of(record.address, record.header)
            entry = Entry(self, record.sequence, Message(envelope, record.body), record.received_at)
            entry.expires_at = record.expires_at
            entry.chunk = record.chunk
            entry.slot = record.slot
            entry.body_id = record.body_id
            entry.stored = True
            entry.returns = record.returns
            entry.redelivered = record.returns > 0 or (record.flags & records.REDELIVERED) != 0
            entries.append(entry)
        return entries

    # --- what becomes of those that were delivered -----------------------------------------------------------------

    def settle(self, entry: Entry) -> None:
        """It was acknowledged: it is gone."""
        self.unacked -= 1
        self.acknowledged += 1
        self.forget(entry)

    def let_go(self, entry: Entry) -> None:
        """It was got by somebody who does not acknowledge: it is gone."""
        self.unacked -= 1
        self.got_no_ack += 1
        self.forget(entry)

    def forget(self, entry: Entry) -> None:
        """The entry leaves the store."""
        if entry.stored:
            self.lane_of(entry).log.settle(entry)
        else:
            entry.settled = True

    def lane_of(self, entry: Entry) -> Lane:
        """The lane that the entry stands in, or stood in before it was delivered."""
        return self.ready.lane(entry.message.envelope.priority) if self.prioritised else self.lane

    def requeue(self, entry: Entry) -> None:
        """It goes back to its place among the ready ones; the end of the turn delivers it again."""
        self.unacked -= 1
        if self.deleted:
            self.forget(entry)
            return
        entry.redelivered = True
        entry.returns += 1
        lane = self.lane_of(entry)
        if entry.stored:
            lane.log.returned(entry, entry.returns)
        if self.bounded or entry.expires_at:
            self.put_back_bounded(lane, entry)
        else:
            self.ready.put_back(lane, entry)
        self.setting.turn.pump(self)

    def put_back_bounded(self, lane: Lane, entry: Entry) -> None:
        """Put back an entry that may have expired, or come back too often."""
        raise NotImplementedError

    # --- the queue as a whole --------------------------------------------------------------------------------------

    def add(self, consumer: Consumer) -> None:
        """A consumer comes; it is served at the end of the turn, after its consume-ok."""
        self.touch()
        self.setting.capacity.consumers.used += 1
        self.dispatch.add(consumer)

    def remove(self, consumer: Consumer) -> None:
        """A consumer leaves; what it holds stays with its channel."""
        self.touch()
        self.setting.capacity.consumers.used -= 1
        self.dispatch.remove(consumer)

    def touch(self) -> None:
        """The queue is used: it does not expire for a while."""
        raise NotImplementedError

    @property
    def consumer_count(self) -> int:
        """How many consumers it has, whether or not they can take anything now."""
        return len(self.dispatch.consumers)

    def has_exclusive_consumer(self) -> bool:
        """True if its only consumer asked to be the only one."""
        return bool(self.dispatch.consumers) and self.dispatch.first.exclusive

    def counted(self) -> Row:
        """What it has counted, as `totals.QUEUE_COUNTERS` names it."""
        return (
            self.published, self.delivered, self.handed, self.got, self.got_no_ack, self.missed,
            self.redelivered, self.acknowledged,
        )  # fmt: skip

    def purge(self) -> int:
        """Drop every ready message; return how many there were."""
        count = self.ready.count
        for lane in self.ready.order:
            entries, windows = lane.clear()
            for entry in entries:
                self.forget(entry)
            for window in windows:
                self.store.discard(lane.log, window)
        self.ready.expiry.clear()
        self.ready.recount()
        return count

    def delete(self) -> None:
        """The queue ends with everything in it; its consumers are the caller's business."""
        self.deleted = True
        for lane in self.ready.order:
            for entry in lane.clear()[0]:
                self.forget(entry)
        self.ready.expiry.clear()
        self.ready.recount()
        self.store.drop_queue(self.id)
        self.ready.disown()
        self.dispatch.owner = GONE

    def log_committed(self, log: Log) -> None:
        """Entries of one of its logs are durable: what exceeds the head can leave memory."""
        if not self.deleted:
            self.ready.lanes[log.lane].page_out()

    def page_out(self) -> None:
        """Memory is short: put away what can be put away."""
        for lane in self.ready.order:
            lane.page_out()

    def recover(self, windows: dict[int, list[Window]]) -> None:
        """At start: what the store holds of this queue, by priority."""
        self.ready.recover(windows)

"""A channel's side in the core: what it publishes, receives and acknowledges (specification 1.8 and 1.9).

1. A publish is confirmed, in its order, only after everything it stored is durable (`confirms`).
2. A returned message goes out before its confirm.
3. What is delivered is held in the ledger until it is settled; when the channel ends, it goes back to its queues in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from amqpd.broker import facts, tx
from amqpd.broker.client import Client
from amqpd.broker.clock import Clock
from amqpd.broker.confirms import Confirms
from amqpd.broker.consumer import Consumer, ConsumerOwner
from amqpd.broker.credit import Credit
from amqpd.broker.durability import Awaiter, Durability
from amqpd.broker.entry import Entry
from amqpd.broker.ledger import Ledger
from amqpd.broker.limits import NONE
from amqpd.broker.line import ACCEPTED, REFUSED, STORED
from amqpd.broker.outbox import Outbox, Sender
from amqpd.broker.publication import Draft, Publication
from amqpd.broker.publishing import NO_ROUTE, NO_ROUTE_TEXT, draft_of, renew, resolve
from amqpd.broker.punctuality import Punctuality
from amqpd.broker.queue import Queue
from amqpd.broker.supervision import Supervision
from amqpd.broker.totals import ChannelCounts
from amqpd.broker.tracing import Tap, TracedSender
from amqpd.broker.turn import Turn
from amqpd.broker.tx import Transaction
from amqpd.broker.vhost import VHost
from amqpd.errors import PreconditionFailed
from amqpd.message import Message
from exchanges.base import Exchange
from persistence.store import Store


class Confirmer(Awaiter):
    """Sends a channel's confirms: the only producer of them."""

    def __init__(self, outbox: Outbox, store: Store, durability: Durability, turn: Turn, counts: ChannelCounts) -> None:
        self.outbox: Final = outbox
        self.store: Final = store
        self.durability: Final = durability
        self.turn: Final = turn
        self.counts: Final = counts
        self.confirms: Final = Confirms()
        self.closed: bool = False
        self._enlisted: bool = False

    def publish(self, result: int) -> None:
        """A message was published: ACCEPTED, STORED or REFUSED."""
        if result == STORED:
            number = self.store.open_number
            if self.confirms.publish_stored(number):
                self.durability.wait(number, self)
            return
        if result == ACCEPTED:
            self.confirms.publish()
        else:
            self.confirms.publish_refused()
        if not self._enlisted:
            self._enlisted = True
            self.turn.confirms.append(self)

    def durable(self, number: int) -> None:
        """Every batch up to this number is on disk."""
        self.confirms.batch_durable(number)
        self.settle_confirms()

    def settle_confirms(self) -> None:
        """Confirm what waits for no batch."""
        self._enlisted = False
        through = self.confirms.due()
        if not through or self.closed:
            return
        refused = self.confirms.refused
        while refused and refused[0] <= through:
            tag = refused.popleft()
            self._confirm(tag - 1)
            self.outbox.refuse(tag)
            self.confirms.confirmed = tag
        self._confirm(through)

    def _confirm(self, through: int) -> None:
        news = through - self.confirms.confirmed
        if news > 0:
            self.outbox.confirm(through, news > 1)
            self.confirms.confirmed = through
            self.counts.confirmed += news


class Session(ConsumerOwner):
    """One channel of one client."""

    def __init__(
        self, client: Client, vhost: VHost, outbox: Outbox, store: Store, durability: Durability, turn: Turn, clock: Clock
    ) -> None:  # fmt: skip
        self.client: Final = client
        self.vhost: Final = vhost
        self.outbox: Final = outbox
        self.store: Final = store
        self.clock: Final = clock
        self.ledger: Final = Ledger()
        self.consumers: Final[dict[str, tuple[Queue, Consumer]]] = {}
        self.prefetch: int = 0
        """The prefetch of consumers to come (basic.qos with global=false)."""
        self.last_queue: str = ""
        """The queue that was declared last; an empty queue name means it."""
        self.reply_queue: Queue | None = None
        """Where replies to its requests come (`replies`); deleted once their consumer is cancelled."""
        self.transaction: Transaction | None = None
        self.confirmer: Confirmer | None = None
        self.events: Final = vhost.setting.events
        self._supervision: Final = Supervision()
        self._durability: Final = durability
        self._turn: Final = turn
        self.counts: Final = vhost.setting.totals.channel_opened()

    @property
    def name(self) -> str:
        """What operators call the channel."""
        return f"{self.client.connection_name} ({self.outbox.number})"

    # --- publish ---------------------------------------------------------------------------------------------------

    def publication(self, exchange_name: str, routing_key: str, mandatory: bool, address: bytes) -> Publication:
        """Resolve what basic.publish says. Raises NotFound, AccessRefused."""
        publication = Publication(exchange_name, routing_key, mandatory, address)
        resolve(publication, self.vhost, self.client)
        return publication

    def draft(self, publication: Publication, header: bytes) -> Draft:
        """Everything of a message but its body. Raises PreconditionFailed, BadSyntax."""
        return draft_of(publication, header, self.client, self.reply_name())

    def publish(self, draft: Draft, body: bytes) -> None:
        """Take one message. Raises NotFound, AccessRefused if the exchange changed since the draft was made."""
        publication = draft.publication
        if publication.generation != self.vhost.generation:
            renew(draft, self.vhost, self.client)
        if self.transaction is not None:
            self.transaction.publish(draft, body)
        else:
            self._publish(draft, body)

    def _publish(self, draft: Draft, body: bytes) -> None:
        publication = draft.publication
        self.counts.published += 1
        message = Message(draft.envelope, body)
        if publication.by_key and len(draft.routing_keys) == 1:
            targets = publication.targets
        else:
            assert publication.exchange is not None
            if publication.gated:
                self._publish_past_gates(draft, message, publication.exchange)
                return
            targets = self.vhost.route(publication.exchange, draft.routing_keys, draft.headers)
            if self.vhost.tracing:
                self._tap().published(message, draft.routing_keys, targets)
        traffic = publication.traffic
        traffic.published += 1
        traffic.routed += len(targets)
        result = ACCEPTED
        if len(targets) == 1:
            result = targets[0].push(message, 0)
        elif targets:
            result = self.vhost.push(targets, message)
        else:
            self._unroutable(publication, message)
        if self.confirmer is not None:
            self.confirmer.publish(result)

    def _publish_past_gates(self, draft: Draft, message: Message, exchange: Exchange) -> None:
        """Publish through exchanges that may hold the message back (`gate`)."""
        passage = self.vhost.gates.passage(message, draft.routing_keys, draft.headers)
        targets = self.vhost.route(exchange, draft.routing_keys, draft.headers, passage)
        if self.vhost.tracing:
            self._tap().published(message, draft.routing_keys, targets)
        draft.publication.traffic.published += 1
        draft.publication.traffic.routed += len(targets)
        result = max(self.vhost.push(targets, message), STORED if passage.stored else ACCEPTED)
        if result == REFUSED or (not targets and not passage.held):
            passage.reject()
        if not targets and not passage.held:
            self._unroutable(draft.publication, message)
        if self.confirmer is not None:
            self.confirmer.publish(result)

    def _unroutable(self, publication: Publication, message: Message) -> None:
        """There is no queue for the message."""
        if publication.mandatory:
            self.counts.returned += 1
            self.outbox.returned(message, NO_ROUTE, NO_ROUTE_TEXT)
        else:
            self.counts.dropped += 1

    def select_confirms(self) -> None:
        """confirm.select. Raises PreconditionFailed on a transactional channel."""
        if self.transaction is not None:
            raise PreconditionFailed("cannot switch from tx to confirm mode")
        if self.confirmer is None:
            self.counts.confirmable_from = self.counts.published
            self.confirmer = Confirmer(self.outbox, self.store, self._durability, self._turn, self.counts)

    # --- receive ---------------------------------------------------------------------------------------------------

    def consume(
        self, queue: Queue, tag: str, no_ack: bool, exclusive: bool, priority: int, timeout: int = NONE
    ) -> Consumer:  # fmt: skip
        """A new consumer with a tag that is not in use, served from the end of this turn on."""
        consumer = Consumer(
            self,
            tag,
            self._traced(self.outbox.sender(tag), queue),
            self.outbox.flow,
            self.ledger,
            Credit(0) if queue is self.reply_queue else self.ledger.credit,
            self.prefetch,
            no_ack,
            exclusive,
            priority,
            timeout,
        )
        if self.vhost.setting.memory.is_low:
            consumer.ration(True)
        self.consumers[tag] = (queue, consumer)
        queue.add(consumer)
        self.events.emit_by_actor("consumer.created", facts.consumer_created(consumer, queue, self.name))
        return consumer

    def reply_name(self) -> str:
        """The name under which it waits for direct replies; empty if it does not."""
        return "" if self.reply_queue is None or self.reply_queue.deleted else self.reply_queue.name

    def cancel(self, tag: str) -> None:
        """basic.cancel; what the consumer holds stays held."""
        found = self.consumers.pop(tag, None)
        if found is not None:
            self.vhost.remove_consumer(found[0], found[1])
            self.events.emit_by_actor("consumer.deleted", facts.consumer_deleted(found[1], found[0], self.name))

    def consumer_cancelled(self, consumer: Consumer) -> None:
        """A consumer's queue is gone."""
        queue, _ = self.consumers.pop(consumer.tag)
        self.events.emit_by_actor("consumer.deleted", facts.consumer_deleted(consumer, queue, self.name))
        if self.client.wants_cancels:
            self.outbox.cancelled(consumer.tag)

    def get(self, queue: Queue, no_ack: bool) -> bool:
        """basic.get; False if the queue is empty."""
        entry = queue.get()
        if entry is None:
            return False
        tag = self.ledger.tag() if no_ack else self.ledger.note_got(entry)
        self.outbox.got(tag, entry, queue.ready.count)
        if self.vhost.tracing:
            self._tap().delivered(queue.name, entry.redelivered, entry.message)
        if no_ack:
            queue.let_go(entry)
        return True

    def qos(self, prefetch: int, is_global: bool) -> None:
        """basic.qos: for consumers to come, or for the channel as a whole."""
        if is_global:
            self.ledger.credit.change(prefetch)
        else:
            self.prefetch = prefetch

    def watch(self, consumer: Consumer, timeout: int) -> Punctuality:
        """See `ConsumerOwner.watch`."""
        agenda = self.vhost.setting.agenda
        self._supervision.add(consumer)
        return Punctuality(self, self.ledger, consumer.credit, agenda, self.clock, timeout)

    def acknowledgement_late(self, timeout: int) -> None:
        """See `Taskmaster.acknowledgement_late`."""
        self.outbox.close(
            PreconditionFailed(
                f"delivery acknowledgement on channel {self.outbox.number} timed out. Timeout value used: {timeout} ms. "
                "This timeout value can be configured, see consumers doc guide to learn more"
            )
        )

    # --- trace -----------------------------------------------------------------------------------------------------

    def retrace(self) -> None:
        """Tracing of the virtual host was turned on or off."""
        for queue, consumer in self.consumers.values():
            consumer.sender = self._traced(consumer.sender, queue)

    def _traced(self, sender: Sender, queue: Queue) -> Sender:
        plain = sender.sender if isinstance(sender, TracedSender) else sender
        return TracedSender(plain, self._tap(), queue.name) if self.vhost.tracing else plain

    def _tap(self) -> Tap:
        return Tap(self.vhost, self.client, self.outbox.number)

    # --- acknowledge -----------------------------------------------------------------------------------------------

    def ack(self, tag: int, multiple: bool) -> None:
        """basic.ack. Raises PreconditionFailed for a tag that is not outstanding."""
        if self.transaction is None and not multiple:
            entry = self.ledger.take(tag)
            if entry is None:
                raise PreconditionFailed(f"unknown delivery tag {tag}")
            self.ledger.release(entry)
            entry.owner.settle(entry)
        else:
            self._answer(tag, multiple, tx.ACK)

    def nack(self, tag: int, multiple: bool, requeue: bool) -> None:
        """basic.nack and basic.reject. Raises PreconditionFailed for a tag that is not outstanding."""
        self._answer(tag, multiple, tx.REQUEUE if requeue else tx.REJECT)

    def _answer(self, tag: int, multiple: bool, fate: int) -> None:
        if multiple and (tag == 0 or tag in self.ledger.unacked):
            taken = self.ledger.take_through(tag)
        else:
            entry = self.ledger.take(tag)
            if entry is None:
                raise PreconditionFailed(f"unknown delivery tag {tag}")
            taken = {tag: entry}
        if self.transaction is not None:
            self.transaction.hold(taken, fate)
        else:
            self._settle_all(taken.values(), fate)

    def _settle_all(self, entries: Iterable[Entry], fate: int) -> None:
        for entry in entries:
            self.ledger.release(entry)
            if fate == tx.ACK:
                entry.owner.settle(entry)
            elif fate == tx.REQUEUE:
                entry.owner.requeue(entry)
            else:
                entry.owner.reject(entry)

    def recover(self) -> None:
        """basic.recover with requeue: everything unacknowledged goes back to its queue."""
        self._settle_all(self.ledger.take_through(0).values(), tx.REQUEUE)

    # --- transactions ----------------------------------------------------------------------------------------------

    def select_tx(self) -> None:
        """tx.select. Raises PreconditionFailed on a channel in confirm mode."""
        if self.confirmer is not None:
            raise PreconditionFailed("cannot switch from confirm to tx mode")
        if self.transaction is None:
            self.transaction = Transaction()

    def commit(self) -> None:
        """tx.commit: all of it goes into the open batch. Raises PreconditionFailed without tx.select."""
        if self.transaction is not None:
            for draft, _ in self.transaction.publishes:
                if draft.publication.generation != self.vhost.generation:
                    renew(draft, self.vhost, self.client)
        transaction = self._take_transaction()
        for draft, body in transaction.publishes:
            self._publish(draft, body)
        for tag, entry in transaction.held.items():
            self._settle_all((entry,), transaction.fates[tag])

    def rollback(self) -> None:
        """tx.rollback: publishes are dropped, acknowledgements undone. Raises PreconditionFailed without tx.select."""
        self.ledger.restore(self._take_transaction().held)

    def _take_transaction(self) -> Transaction:
        transaction = self.transaction
        if transaction is None:
            raise PreconditionFailed("channel is not transactional")
        self.transaction = Transaction()
        return transaction

    # --- end -------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Receive nothing any more: all consumers go."""
        # The last one first: none becomes the single active consumer of its queue only to leave, too.
        for tag in reversed(list(self.consumers)):
            self.cancel(tag)

    def close(self) -> None:
        """The channel ends: consumers leave, an open transaction is rolled back, and what was held goes back in order."""
        if self.confirmer is not None:
            self.confirmer.closed = True
        self.leave()
        if self.transaction is not None:
            self.rollback()
        self.recover()
        self._supervision.stop()
        self.vhost.setting.totals.channel_closed(self.counts)

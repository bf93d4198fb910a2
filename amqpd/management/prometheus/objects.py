"""The metrics of queues, channels and connections: each for every object, or as one number for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from amqpd.broker import browse
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.queue import Queue
from amqpd.management.prometheus.snapshot import Channel, Snapshot
from amqpd.management.prometheus.text import COUNTER, GAUGE, About, Number, labels
from amqpd.management.tables import text
from amqpd.wire import properties

T = TypeVar("T")

Fold = Callable[[Iterable[Number]], Number]


class Reading(NamedTuple, Generic[T]):
    """One metric of one kind of object."""

    family: str
    """RabbitMQ's name for the group that it is asked for with."""
    name: str
    kind: str
    help: str
    read: Callable[[T], Number | None]
    """Its value for an object; None if it has none."""
    total: Callable[[Snapshot], Number] | None = None
    """For a counter: its value for all objects there ever were."""
    fold: Fold = sum
    """For a gauge: makes one value of those of all objects."""

    @property
    def about(self) -> About:
        """What it is."""
        return About(self.name, self.kind, self.help)


def _largest(values: Iterable[Number]) -> Number:
    return max(values, default=0)


# --- queues ------------------------------------------------------------------------------------------------------------


def queue_labels(queue: Queue) -> str:
    """The labels of a queue's metrics."""
    return labels(vhost=text(queue.vhost), queue=text(queue.name))


def _memory(queue: Queue) -> int:
    resident = queue.ready.resident()
    return resident * 1024 + queue.ready.size() // max(queue.ready.count, 1) * resident


def _capacity(queue: Queue) -> float:
    dispatch = queue.dispatch
    return 1.0 if dispatch.consumers and (dispatch.active or not queue.ready.count) else 0.0


def _head_timestamp(queue: Queue) -> int | None:
    """None unless the oldest message has the property."""
    entry = browse.oldest(queue)
    return None if entry is None else properties.parse(entry.message.envelope.header).timestamp


def _oldest_age(queue: Queue) -> float | None:
    """0 for an empty queue, None for one whose oldest message is on disk alone."""
    if not queue.ready.count:
        return 0
    entry = browse.oldest(queue)
    return None if entry is None else max(queue.clock.now - entry.received_at, 0) / 1000


def _length(name: str, what: str, read: Callable[[Queue], Number]) -> Reading[Queue]:
    return Reading("queue_metrics", name, GAUGE, what, read)


def _counter(name: str, what: str, read: Callable[[Queue], int], total: Callable[[Snapshot], int]) -> Reading[Queue]:
    return Reading("queue_delivery_metrics", name, COUNTER, what, read, total)


QUEUE: Final[tuple[Reading[Queue], ...]] = (
    Reading("queue_coarse_metrics", "queue_messages_ready", GAUGE, "Messages that wait", lambda queue: queue.ready.count),
    Reading("queue_coarse_metrics", "queue_messages_unacked", GAUGE, "Messages out for delivery", lambda queue: queue.unacked),
    Reading(
        "queue_coarse_metrics", "queue_messages", GAUGE, "Messages, waiting or out for delivery",
        lambda queue: queue.ready.count + queue.unacked,
    ),
    Reading("queue_consumer_count", "queue_consumers", GAUGE, "Consumers", lambda queue: queue.consumer_count),
    _length("queue_consumer_capacity", "1 if it could deliver at once, else 0", _capacity),
    _length("queue_consumer_utilisation", "The same under its old name", _capacity),
    _length("queue_process_memory_bytes", "Memory of the messages that wait, roughly", _memory),
    _length("queue_messages_ram", "Messages in memory", lambda queue: queue.ready.resident() + queue.unacked),
    _length("queue_messages_ready_ram", "Messages in memory that wait", lambda queue: queue.ready.resident()),
    _length("queue_messages_unacked_ram", "Messages in memory out for delivery", lambda queue: queue.unacked),
    _length(
        "queue_messages_persistent", "Messages that wait in a durable queue",
        lambda queue: queue.ready.count if queue.durable else 0,
    ),
    _length(
        "queue_messages_persistent_bytes", "Bytes of their bodies", lambda queue: queue.ready.size() if queue.durable else 0
    ),
    _length("queue_messages_bytes", "Bytes of the bodies of messages that wait", lambda queue: queue.ready.size()),
    _length("queue_messages_ready_bytes", "The same", lambda queue: queue.ready.size()),
    _length("queue_messages_paged_out", "Messages on disk alone", lambda queue: queue.ready.count - queue.ready.resident()),
    Reading(
        "queue_metrics", "queue_head_message_timestamp", GAUGE, "The property timestamp of the oldest message",
        _head_timestamp, fold=_largest,
    ),
    Reading(
        "queue_metrics", "queue_oldest_message_age_seconds", GAUGE, "For how long the oldest message has waited",
        _oldest_age, fold=_largest,
    ),
    Reading(
        "channel_queue_exchange_metrics", "queue_messages_published_total", COUNTER, "Messages that came",
        lambda queue: queue.published, lambda snapshot: snapshot.queue_counter("published"),
    ),
    _counter(
        "queue_get_ack_total", "Messages got that need an acknowledgement", lambda queue: queue.got - queue.got_no_ack,
        lambda snapshot: snapshot.queue_counter("got") - snapshot.queue_counter("got_no_ack"),
    ),
    _counter(
        "queue_get_total", "Messages got that need no acknowledgement", lambda queue: queue.got_no_ack,
        lambda snapshot: snapshot.queue_counter("got_no_ack"),
    ),
    _counter(
        "queue_messages_delivered_ack_total", "Messages delivered that need an acknowledgement",
        lambda queue: queue.delivered, lambda snapshot: snapshot.queue_counter("delivered"),
    ),
    _counter(
        "queue_messages_delivered_total", "Messages delivered that need no acknowledgement",
        lambda queue: queue.handed, lambda snapshot: snapshot.queue_counter("handed"),
    ),
    _counter(
        "queue_messages_redelivered_total", "Messages delivered again", lambda queue: queue.redelivered,
        lambda snapshot: snapshot.queue_counter("redelivered"),
    ),
    _counter(
        "queue_messages_acked_total", "Messages acknowledged", lambda queue: queue.acknowledged,
        lambda snapshot: snapshot.queue_counter("acknowledged"),
    ),
    _counter(
        "queue_get_empty_total", "Calls of basic.get that found nothing", lambda queue: queue.missed,
        lambda snapshot: snapshot.queue_counter("missed"),
    ),
)  # fmt: skip


# --- channels ----------------------------------------------------------------------------------------------------------


def channel_labels(channel: Channel) -> str:
    """The labels of a channel's metrics."""
    return labels(channel=channel.name)


def _unconfirmed(channel: Channel) -> int:
    confirmer = channel.session.confirmer
    return 0 if confirmer is None else confirmer.confirms.published - confirmer.confirms.confirmed


def _uncommitted(channel: Channel) -> int:
    transaction = channel.session.transaction
    return 0 if transaction is None else len(transaction.publishes)


def _acks_uncommitted(channel: Channel) -> int:
    transaction = channel.session.transaction
    return 0 if transaction is None else len(transaction.held)


def _channel(name: str, what: str, read: Callable[[Channel], Number], fold: Fold = sum) -> Reading[Channel]:
    return Reading("channel_metrics", name, GAUGE, what, read, fold=fold)


def _publishes(name: str, what: str, counter: str, read: Callable[[Channel], int]) -> Reading[Channel]:
    return Reading(
        "channel_exchange_metrics", name, COUNTER, what, read, lambda snapshot: snapshot.channel_counter(counter)
    )  # fmt: skip


CHANNEL: Final[tuple[Reading[Channel], ...]] = (
    _channel("channel_consumers", "Consumers", lambda channel: len(channel.session.consumers)),
    _channel("channel_messages_unacked", "Deliveries to be acknowledged", lambda channel: len(channel.session.ledger.unacked)),
    _channel("channel_messages_unconfirmed", "Publishes to be confirmed", _unconfirmed),
    _channel("channel_messages_uncommitted", "Publishes of an open transaction", _uncommitted),
    _channel("channel_acks_uncommitted", "Acknowledgements of an open transaction", _acks_uncommitted),
    _channel("consumer_prefetch", "Prefetch limit of consumers to come", lambda channel: channel.session.prefetch),
    _channel("channel_prefetch", "Prefetch limit of the channel", lambda channel: channel.session.ledger.credit.limit),
    _publishes(
        "channel_messages_published_total", "Messages published", "published",
        lambda channel: channel.session.counts.published,
    ),
    _publishes(
        "channel_messages_confirmed_total", "Publishes confirmed", "confirmed",
        lambda channel: channel.session.counts.confirmed,
    ),
    _publishes(
        "channel_messages_unroutable_returned_total", "Messages without a queue that went back", "returned",
        lambda channel: channel.session.counts.returned,
    ),
    _publishes(
        "channel_messages_unroutable_dropped_total", "Messages without a queue that were dropped", "dropped",
        lambda channel: channel.session.counts.dropped,
    ),
)  # fmt: skip


# --- connections -------------------------------------------------------------------------------------------------------


def connection_labels(connection: ConnectionInfo) -> str:
    """The labels of a connection's metrics; RabbitMQ calls the label `channel`, too."""
    return labels(channel=connection.name)


CONNECTION: Final[tuple[Reading[ConnectionInfo], ...]] = (
    Reading(
        "connection_coarse_metrics", "connection_incoming_bytes_total", COUNTER, "Octets that came in",
        lambda connection: connection.received()[0], lambda snapshot: snapshot.received[0],
    ),
    Reading(
        "connection_coarse_metrics", "connection_outgoing_bytes_total", COUNTER, "Octets that went out",
        lambda connection: connection.sent()[0], lambda snapshot: snapshot.sent[0],
    ),
    Reading(
        "connection_metrics", "connection_incoming_packets_total", COUNTER, "Reads from sockets",
        lambda connection: connection.received()[1], lambda snapshot: snapshot.received[1],
    ),
    Reading(
        "connection_metrics", "connection_outgoing_packets_total", COUNTER, "Writes to sockets",
        lambda connection: connection.sent()[1], lambda snapshot: snapshot.sent[1],
    ),
    Reading(
        "connection_metrics", "connection_pending_packets", GAUGE, "Octets that wait for the peer to read",
        lambda connection: connection.pending(),
    ),
    Reading("connection_metrics", "connection_channels", GAUGE, "Channels", lambda connection: len(connection.sessions())),
)  # fmt: skip

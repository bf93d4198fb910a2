"""The core's plain integers, gathered into one row of numbers for each kind of object.

A row's names are RabbitMQ's: counters only grow, lengths go up and down.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.broker import Broker
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.queue import Queue
from amqpd.broker.session import Session
from amqpd.broker.traffic import Traffic

Row = tuple[int, ...]
Names = tuple[str, ...]

LENGTHS: Final = ("messages", "messages_ready", "messages_unacknowledged")
DELIVERIES: Final = ("deliver", "deliver_no_ack", "deliver_get", "get", "get_no_ack", "get_empty", "redeliver", "ack")
QUEUE: Final = (*LENGTHS, "publish", *DELIVERIES)
PUBLISHES: Final = ("publish", "confirm", "return_unroutable", "drop_unroutable")
CHANNEL: Final = (*PUBLISHES, *DELIVERIES)
COUNTED_OF_QUEUE: Final = ("publish", *DELIVERIES)
"""What the sums take from queues."""
COUNTED_OF_CHANNEL: Final = ("confirm", "return_unroutable", "drop_unroutable")
"""What the sums take from channels."""
OCTETS: Final = ("recv_oct", "send_oct")
EXCHANGE: Final = ("publish_in", "publish_out")
VHOST: Final = (*LENGTHS, *OCTETS, *PUBLISHES, *DELIVERIES)
COUNTED: Final = (*PUBLISHES, *DELIVERIES, "disk_reads", "disk_writes")
"""What is shown as message_stats."""
CHURN: Final = (
    "connection_created", "connection_closed", "channel_created", "channel_closed",
    "queue_declared", "queue_created", "queue_deleted",
)  # fmt: skip
OVERVIEW: Final = (*VHOST, "disk_reads", "disk_writes", *CHURN)


def queue_row(queue: Queue) -> Row:
    """The numbers of a queue, as `QUEUE` names them."""
    ready, unacked = queue.ready.count, queue.unacked
    delivered, handed, got, got_no_ack = queue.delivered, queue.handed, queue.got, queue.got_no_ack
    return (
        ready + unacked, ready, unacked, queue.published,
        delivered, handed, delivered + handed + got, got - got_no_ack, got_no_ack, queue.missed,
        queue.redelivered, queue.acknowledged,
    )  # fmt: skip


def channel_row(session: Session) -> Row:
    """The numbers of a channel, as `CHANNEL` names them."""
    delivered = session.ledger.next - 1
    counts = session.counts
    return (
        counts.published, counts.confirmed, counts.returned, counts.dropped,
        delivered, 0, delivered, 0, 0, 0, 0, 0,
    )  # fmt: skip


def exchange_row(traffic: Traffic) -> Row:
    """The numbers of an exchange, as `EXCHANGE` names them."""
    return (traffic.published, traffic.routed)


def connection_row(connection: ConnectionInfo) -> Row:
    """The numbers of a connection, as `OCTETS` names them."""
    return (connection.received()[0], connection.sent()[0])


def churn_row(broker: Broker) -> Row:
    """How much came and went, as `CHURN` names it."""
    connections, totals = broker.connections, broker.totals
    opened, channels = connections.opened, connections.channels_opened
    return (
        opened, opened - len(connections.open), channels, channels - len(totals.channels),
        totals.queues_declared, totals.queues_created, totals.queues_deleted,
    )  # fmt: skip

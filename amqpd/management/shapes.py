"""Objects of the broker as RabbitMQ's API shows them.

What has no meaning here but is read by tools (garbage collections, reductions, flow through Erlang processes) is shown
as an idle Erlang process would show it.
"""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote_plus

from amqpd.broker import browse
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.consumer import Consumer
from amqpd.broker.entry import Entry
from amqpd.broker.policies import Policy
from amqpd.broker.queue import Queue
from amqpd.broker.session import Session
from amqpd.broker.vhost import VHost
from amqpd.management import counters
from amqpd.management.rates import STEP_SECONDS, Rates
from amqpd.management.site import Site
from amqpd.management.stats import Measured, Ranges
from amqpd.management.tables import shown_table, text
from amqpd.wire import properties, tables
from exchanges.base import Binding, Exchange

Shape = dict[str, object]

GARBAGE_COLLECTION: Final[Shape] = {
    "fullsweep_after": 0, "max_heap_size": 0, "min_bin_vheap_size": 0, "min_heap_size": 0, "minor_gcs": 0,
}  # fmt: skip
NO_RATE: Final[Shape] = {"rate": 0.0}


def time_of(milliseconds: int) -> str:
    """A moment as RabbitMQ writes it, with milliseconds and offset."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


# --- queues ------------------------------------------------------------------------------------------------------------


def queue_shape(site: Site, queue: Queue, ranges: Ranges) -> Shape:
    """A queue."""
    first = browse.oldest(queue)
    row = counters.queue_row(queue)
    measured = Measured(site.rates, counters.QUEUE, row, site.rates.history(queue), ranges)
    ready_bytes = queue.ready.size()
    resident = queue.ready.resident()
    unacked = queue.unacked
    consumers = queue.consumer_count
    shape: Shape = {
        "arguments": shown_table(queue.arguments.values()),
        "auto_delete": queue.auto_delete,
        "backing_queue_status": {"mode": "default", "version": 2, "len": queue.ready.count},
        "consumer_capacity": _capacity(queue),
        "consumer_utilisation": _capacity(queue),
        "consumers": consumers,
        "durable": queue.durable,
        "effective_policy_definition": queue.policy_definition(),
        "exclusive": queue.exclusive_to is not None,
        "exclusive_consumer_tag": queue.dispatch.first.tag if queue.has_exclusive_consumer() else None,
        "garbage_collection": GARBAGE_COLLECTION,
        "head_message_timestamp": _head_timestamp(first),
        "memory": resident * 1024 + ready_bytes // max(queue.ready.count, 1) * resident,
        "message_bytes": ready_bytes,
        "message_bytes_paged_out": 0,
        "message_bytes_persistent": ready_bytes if queue.durable else 0,
        "message_bytes_ram": 0,
        "message_bytes_ready": ready_bytes,
        "message_bytes_unacknowledged": 0,
        **measured.lengths(),
        "messages_paged_out": queue.ready.count - resident,
        "messages_persistent": queue.ready.count if queue.durable else 0,
        "messages_ram": resident + unacked,
        "messages_ready_ram": resident,
        "messages_unacknowledged_ram": unacked,
        "message_stats": measured.message_stats(counters.COUNTED_OF_QUEUE),
        "name": text(queue.name),
        "node": site.node,
        "operator_policy": _policy(queue.operator_policy),
        "policy": _policy(queue.policy),
        "recoverable_slaves": None,
        "reductions": 0,
        "reductions_details": NO_RATE,
        "single_active_consumer_tag": _single_active(queue),
        "state": queue_state(queue),
        "type": queue.arguments.type,
        "vhost": text(queue.vhost),
    }
    if first is not None:
        shape["oldest_message_received_at"] = first.received_at
    if queue.exclusive_to is not None:
        shape["owner_pid_details"] = _owner(site, queue)
    _note_idleness(shape, site.rates, queue)
    return shape


def _head_timestamp(entry: Entry | None) -> int | None:
    """The property timestamp of the oldest message."""
    return None if entry is None else properties.parse(entry.message.envelope.header).timestamp


def _policy(policy: Policy | None) -> str | None:
    return None if policy is None else text(policy.name)


def queue_state(queue: Queue) -> str:
    """What the queue does."""
    return "paused" if queue.dispatch.paused else "running"


def _note_idleness(shape: Shape, rates: Rates, watched: object) -> None:
    """Say since when nothing happened, if that is a while."""
    history = rates.history(watched)
    if history is not None and history.changed_at < rates.step:
        shape["idle_since"] = time_of(history.changed_at * STEP_SECONDS * 1000)


def _capacity(queue: Queue) -> float:
    """The share of time in which the queue could deliver at once, by what is the case now."""
    if not queue.consumer_count:
        return 0
    return 1.0 if queue.dispatch.active or not queue.ready.count else 0.0


def _single_active(queue: Queue) -> str | None:
    dispatch = queue.dispatch
    return text(dispatch.first.tag) if dispatch.single and dispatch.consumers else None


def _owner(site: Site, queue: Queue) -> Shape:
    for connection in site.broker.connections.open:
        if connection.client is queue.exclusive_to:
            return connection_details(connection)
    return {"name": "", "peer_host": "", "peer_port": 0}


# --- exchanges and bindings --------------------------------------------------------------------------------------------


def exchange_shape(site: Site, vhost: VHost, exchange: Exchange, ranges: Ranges) -> Shape:
    """An exchange, which may have been deleted since it was listed."""
    policy = vhost.policies.of_exchange(exchange.name)
    ruled: Shape = {} if policy is None else {"policy": text(policy.name)}
    schedule = vhost.gates.schedule(exchange)
    if schedule is not None:
        ruled["messages_delayed"] = schedule.count
    traffic = vhost.traffic.get(exchange.name)
    if traffic is not None and traffic.published:
        row, history = counters.exchange_row(traffic), site.rates.history(traffic)
        ruled["message_stats"] = Measured(site.rates, counters.EXCHANGE, row, history, ranges).message_stats(counters.EXCHANGE)
    return {
        **ruled,
        "arguments": shown_table(exchange.arguments),
        "auto_delete": exchange.auto_delete,
        "durable": exchange.durable,
        "internal": exchange.internal,
        "name": text(exchange.name),
        "type": exchange.type,
        "user_who_performed_action": "rmq-internal" if exchange.name.startswith("amq.") or not exchange.name else "",
        "vhost": text(vhost.name),
    }


def binding_shape(vhost: str, binding: Binding) -> Shape:
    """A binding."""
    destination = binding.destination
    is_queue = isinstance(destination, str)
    return {
        "source": text(binding.source.name),
        "vhost": text(vhost),
        "destination": text(destination if isinstance(destination, str) else destination.name),
        "destination_type": "queue" if is_queue else "exchange",
        "routing_key": text(binding.routing_key),
        "arguments": shown_table(binding.arguments),
        "properties_key": properties_key(binding.routing_key, binding.arguments),
    }


def default_binding_shape(queue: Queue) -> Shape:
    """The binding that every queue has to the default exchange."""
    return {
        "source": "",
        "vhost": text(queue.vhost),
        "destination": text(queue.name),
        "destination_type": "queue",
        "routing_key": text(queue.name),
        "arguments": {},
        "properties_key": properties_key(queue.name, {}),
    }


def properties_key(routing_key: str, arguments: dict[str, object]) -> str:
    """What names a binding among those of its two ends: the quoted routing key, and a hash of the arguments if any."""
    quoted = quote_plus(routing_key, errors="surrogateescape").replace("~", "%7E")
    if not arguments:
        return quoted or "~"
    digest = zlib.crc32(tables.encode(dict(sorted(arguments.items())))).to_bytes(4, "big")
    return f"{quoted}~{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


# --- connections, channels, consumers ----------------------------------------------------------------------------------


def connection_details(connection: ConnectionInfo) -> Shape:
    """A connection in a word."""
    return {"name": connection.name, "peer_host": connection.peer_host, "peer_port": connection.peer_port}


def connection_shape(site: Site, connection: ConnectionInfo, ranges: Ranges) -> Shape:
    """A connection."""
    history = site.rates.history(connection)
    row = counters.connection_row(connection)
    octets = Measured(site.rates, counters.OCTETS, row, history, ranges).octets()
    name = connection.client_properties.get("connection_name")
    shape: Shape = {
        "auth_mechanism": connection.auth_mechanism,
        "channel_max": connection.channel_max,
        "channels": len(connection.sessions()),
        "client_properties": shown_table(connection.client_properties),
        "connected_at": connection.connected_at,
        "frame_max": connection.frame_max,
        "garbage_collection": GARBAGE_COLLECTION,
        "host": connection.host,
        "name": connection.name,
        "node": site.node,
        "peer_cert_issuer": None,
        "peer_cert_subject": None,
        "peer_cert_validity": None,
        "peer_host": connection.peer_host,
        "peer_port": connection.peer_port,
        "port": connection.port,
        "protocol": "AMQP 0-9-1",
        "recv_cnt": connection.received()[1],
        "send_cnt": connection.sent()[1],
        "send_pend": connection.pending(),
        **octets,
        "reductions": 0,
        "reductions_details": NO_RATE,
        "ssl": bool(connection.tls_version),
        "ssl_cipher": connection.tls_cipher or None,
        "ssl_hash": None,
        "ssl_key_exchange": None,
        "ssl_protocol": connection.tls_version or None,
        "state": connection.state(),
        "timeout": connection.heartbeat,
        "type": "network",
        "user": text(connection.user),
        "user_who_performed_action": text(connection.user),
        "vhost": text(connection.vhost),
    }
    if isinstance(name, str):
        shape["user_provided_name"] = text(name)
    return shape


def channel_name(connection: ConnectionInfo, number: int) -> str:
    """What RabbitMQ calls a channel."""
    return f"{connection.name} ({number})"


def channel_shape(site: Site, connection: ConnectionInfo, number: int, session: Session, ranges: Ranges) -> Shape:
    """A channel."""
    row = counters.channel_row(session)
    measured = Measured(site.rates, counters.CHANNEL, row, site.rates.history(session), ranges)
    confirmer, transaction = session.confirmer, session.transaction
    unconfirmed = confirmer.confirms.published - confirmer.confirms.confirmed if confirmer is not None else 0
    shape: Shape = {
        "acks_uncommitted": len(transaction.held) if transaction is not None else 0,
        "confirm": confirmer is not None,
        "connection_details": connection_details(connection),
        "consumer_count": len(session.consumers),
        "garbage_collection": GARBAGE_COLLECTION,
        "global_prefetch_count": session.ledger.credit.limit,
        "message_stats": measured.message_stats(counters.CHANNEL),
        "messages_unacknowledged": len(session.ledger.unacked),
        "messages_uncommitted": len(transaction.publishes) if transaction is not None else 0,
        "messages_unconfirmed": unconfirmed,
        "name": channel_name(connection, number),
        "node": site.node,
        "number": number,
        "pending_raft_commands": 0,
        "prefetch_count": session.prefetch,
        "reductions": 0,
        "reductions_details": NO_RATE,
        "state": "running",
        "transactional": transaction is not None,
        "user": text(connection.user),
        "user_who_performed_action": text(connection.user),
        "vhost": text(connection.vhost),
    }
    _note_idleness(shape, site.rates, session)
    return shape


def _activity(queue: Queue, consumer: Consumer) -> str:
    if not queue.dispatch.single:
        return "up"
    return "single_active" if queue.dispatch.serves(consumer) else "waiting"


def consumer_shape(site: Site, connection: ConnectionInfo, number: int, queue: Queue, consumer: Consumer) -> Shape:
    """A consumer."""
    return {
        "arguments": {"x-priority": consumer.priority} if consumer.priority else {},
        "ack_required": not consumer.no_ack,
        "active": queue.dispatch.serves(consumer),
        "activity_status": _activity(queue, consumer),
        "channel_details": {
            "connection_name": connection.name,
            "name": channel_name(connection, number),
            "node": site.node,
            "number": number,
            "peer_host": connection.peer_host,
            "peer_port": connection.peer_port,
            "user": text(connection.user),
        },
        "consumer_tag": text(consumer.tag),
        "exclusive": consumer.exclusive,
        "prefetch_count": consumer.prefetch,
        "queue": {"name": text(queue.name), "vhost": text(queue.vhost)},
    }

"""The metrics of the broker as a whole: its process, what came and went, and messages by type of queue."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import time
from importlib.metadata import version
from typing import Final, NamedTuple

from amqpd.broker.deadletter import DELIVERY_LIMIT, EXPIRED, MAXLEN, REJECTED
from amqpd.broker.totals import QUEUE_COUNTERS, Row
from amqpd.management.prometheus.snapshot import NO_ROW, Snapshot
from amqpd.management.prometheus.text import COUNTER, GAUGE, UNTYPED, About, Number, labels
from amqpd.management.site import Site
from amqpd.management.tables import text
from amqpd.management.views.nodes import memory_used
from amqpd.management.views.overview import cluster_name
from amqpd.version import VERSION

PROTOCOL: Final = labels(protocol="amqp091")
QUEUE_TYPES: Final = ("classic", "quorum")
REASONS: Final = (MAXLEN, EXPIRED, REJECTED, DELIVERY_LIMIT)
CLIENT_VERSION: Final = version("prometheus_client")
CLUSTER_ID: Final = "internal_cluster_id"
"""The global parameter that holds RabbitMQ's name for a cluster that never changes."""


class Family(NamedTuple):
    """A metric with its samples by labels, and RabbitMQ's name for the group that it is asked for with."""

    group: str
    about: About
    samples: dict[str, Number]


def _plain(group: str, name: str, kind: str, help: str, value: Number) -> Family:
    return Family(group, About(name, kind, help), {"": value})


# --- who it is ---------------------------------------------------------------------------------------------------------


def identity(site: Site, endpoint: str) -> list[Family]:
    """What dashboards join all other metrics with."""
    config = site.config
    permanent_id = site.broker.global_parameters.get(CLUSTER_ID)
    identity = labels(
        rabbitmq_node=site.node,
        rabbitmq_cluster=text(cluster_name(site)),
        rabbitmq_cluster_permanent_id=text(permanent_id) if isinstance(permanent_id, str) else site.node,
        rabbitmq_endpoint=endpoint,
    )
    build = labels(
        rabbitmq_version=config.product_version,
        prometheus_plugin_version=config.product_version,
        prometheus_client_version=CLIENT_VERSION,
        erlang_version=platform.python_version(),
        product_name="amqpd",
        product_version=VERSION,
    )
    return [
        Family("", About("identity_info", UNTYPED, "The node and its cluster"), {identity: 1}),
        Family("", About("build_info", UNTYPED, "Versions; that of Erlang is Python's"), {build: 1}),
    ]


# --- the process -------------------------------------------------------------------------------------------------------


def node(site: Site, connections: int) -> list[Family]:
    """What the process uses and may use; asks the operating system, so call it in a thread."""
    files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    coarse, limits = "node_coarse_metrics", "node_metrics"
    free = shutil.disk_usage(site.config.data_dir).free
    store, damages = site.broker.store.usage(), site.broker.store.damages_told
    return [
        _plain(coarse, "process_open_fds", GAUGE, "Open file descriptors", _open_files()),
        _plain(coarse, "process_open_tcp_sockets", GAUGE, "Connections of clients", connections),
        _plain(coarse, "process_resident_memory_bytes", GAUGE, "Memory in use", memory_used()),
        _plain(coarse, "disk_space_available_bytes", GAUGE, "Free disk space", free),
        _plain(coarse, "store_file_bytes", GAUGE, "Size of the files that hold messages", store.file_bytes),
        _plain(coarse, "store_in_use_bytes", GAUGE, "What of these files holds anything", store.bytes_in_use),
        _plain(coarse, "store_damages_total", COUNTER, "Stored data found damaged or unreadable since the start", damages),
        _plain(limits, "process_max_fds", GAUGE, "Most file descriptors", files_max),
        _plain(limits, "process_max_tcp_sockets", GAUGE, "Most connections", site.config.connection_max or files_max),
        _plain(limits, "resident_memory_limit_bytes", GAUGE, "Memory above which it is low", site.wiring.limits.memory_limit),
        _plain(limits, "disk_space_available_limit_bytes", GAUGE, "Space below which it is low", site.wiring.limits.disk_limit),
        _plain(limits, "erlang_uptime_seconds", GAUGE, "Seconds since the start", int(time.time() - site.started_at)),
    ]


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a path object for each would take longer
    except OSError:
        return 0


def alarms(site: Site) -> list[Family]:
    """What is low."""
    low = site.wiring.alarms()
    return [
        _plain("alarms", "alarms_free_disk_space_watermark", UNTYPED, "1 while disk space is low", int("disk" in low)),
        _plain("alarms", "alarms_memory_used_watermark", UNTYPED, "1 while memory is low", int("memory" in low)),
        _plain("alarms", "alarms_file_descriptor_limit", UNTYPED, "Always 0: there is no such alarm", 0),
    ]


# --- what is there, what came and went ---------------------------------------------------------------------------------


def counts(snapshot: Snapshot) -> list[Family]:
    """How many objects there are."""
    return [
        _plain("totals", "connections", GAUGE, "Open connections", len(snapshot.connections)),
        _plain("totals", "channels", GAUGE, "Open channels", len(snapshot.channels)),
        _plain("totals", "consumers", GAUGE, "Consumers", snapshot.consumers),
        _plain("totals", "queues", GAUGE, "Queues", len(snapshot.queues)),
    ]


def churn(site: Site) -> list[Family]:
    """How many objects came and went."""
    connections, totals = site.broker.connections, site.broker.totals
    numbers = {
        "connections_opened": connections.opened,
        "connections_closed": connections.opened - len(connections.open),
        "channels_opened": connections.channels_opened,
        "channels_closed": connections.channels_opened - len(totals.channels),
        "queues_declared": totals.queues_declared,
        "queues_created": totals.queues_created,
        "queues_deleted": totals.queues_deleted,
    }
    group = "connection_churn_metrics"
    return [
        _plain(group, f"{name}_total", COUNTER, f"{name.replace('_', ' ').capitalize()} since the start", value)
        for name, value in numbers.items()
    ]


def logins(site: Site) -> list[Family]:
    """How often somebody tried to log in."""
    totals, over_http = site.broker.totals, site.logins
    succeeded = {"amqp091": totals.logins_succeeded, "http": over_http.succeeded}
    failed = {"amqp091": totals.logins_failed, "http": over_http.failed}
    tried = {protocol: succeeded[protocol] + failed[protocol] for protocol in succeeded}
    found = (("", "tried", tried), ("_succeeded", "well", succeeded), ("_failed", "in vain", failed))
    return [
        Family(
            "auth_attempt_metrics",
            About(f"auth_attempts{suffix}_total", COUNTER, f"Logins {how}"),
            {labels(protocol=protocol): value for protocol, value in values.items()},
        )
        for suffix, how, values in found
    ]


# --- messages ----------------------------------------------------------------------------------------------------------


def messages(snapshot: Snapshot) -> list[Family]:
    """Messages of all objects that there ever were."""
    totals = snapshot.site.broker.totals
    received = {
        "received": snapshot.channel_counter("published"),
        "received_confirm": snapshot.channel_counter("confirmable"),
        "routed": snapshot.queue_counter("published"),
        "unroutable_dropped": snapshot.channel_counter("dropped"),
        "unroutable_returned": snapshot.channel_counter("returned"),
        "confirmed": snapshot.channel_counter("confirmed"),
    }
    publishers = sum([counts.published > 0 for counts in totals.channels])
    return [
        *[
            Family("global", About(f"global_messages_{name}_total", COUNTER, _help(name)), {PROTOCOL: value})
            for name, value in received.items()
        ],
        Family("global", About("global_publishers", GAUGE, "Channels that have published"), {PROTOCOL: publishers}),
        Family("global", About("global_consumers", GAUGE, "Consumers"), {PROTOCOL: snapshot.consumers}),
        *_deliveries(snapshot),
        *_dead_letters(snapshot),
    ]


def _help(name: str) -> str:
    return f"Messages {name.replace('_', ', ')}"


def _deliveries(snapshot: Snapshot) -> list[Family]:
    of_type = {queue_type: _delivered(snapshot.rows.get(queue_type, NO_ROW)) for queue_type in QUEUE_TYPES}
    return [
        Family(
            "global",
            About(f"global_messages_{name}_total", COUNTER, _help(name)),
            {
                labels(protocol="amqp091", queue_type=f"rabbit_{queue_type}_queue"): numbers[name]
                for queue_type, numbers in of_type.items()
            },
        )
        for name in of_type["classic"]
    ]


def _delivered(row: Row) -> dict[str, int]:
    """What the queues of one type have delivered, by RabbitMQ's names."""
    counted = dict(zip(QUEUE_COUNTERS, row, strict=True))
    return {
        "delivered": counted["delivered"] + counted["handed"] + counted["got"],
        "delivered_consume_manual_ack": counted["delivered"],
        "delivered_consume_auto_ack": counted["handed"],
        "delivered_get_manual_ack": counted["got"] - counted["got_no_ack"],
        "delivered_get_auto_ack": counted["got_no_ack"],
        "get_empty": counted["missed"],
        "redelivered": counted["redelivered"],
        "acknowledged": counted["acknowledged"],
    }


def _dead_letters(snapshot: Snapshot) -> list[Family]:
    counted = snapshot.site.broker.totals.dead_letters
    return [
        Family(
            "global",
            About(f"global_messages_dead_lettered_{reason}_total", COUNTER, f"Messages given up: {reason.replace('_', ' ')}"),
            {
                labels(
                    queue_type=f"rabbit_{queue_type}_queue",
                    dead_letter_strategy="at_most_once" if has_exchange else "disabled",
                ): counted.get((queue_type, reason, has_exchange), 0)
                for queue_type in QUEUE_TYPES
                for has_exchange in (True, False)
            },
        )
        for reason in REASONS
    ]


def channel_queues(snapshot: Snapshot) -> list[Family]:
    """What RabbitMQ counts by channel and queue, in sum."""
    delivered = {queue_type: _delivered(row) for queue_type, row in snapshot.rows.items()}
    names = {
        "channel_get_ack": "delivered_get_manual_ack",
        "channel_get": "delivered_get_auto_ack",
        "channel_messages_delivered_ack": "delivered_consume_manual_ack",
        "channel_messages_delivered": "delivered_consume_auto_ack",
        "channel_messages_redelivered": "redelivered",
        "channel_messages_acked": "acknowledged",
        "channel_get_empty": "get_empty",
    }
    return [
        _plain(
            "channel_queue_metrics", f"{name}_total", COUNTER, _help(source),
            sum([numbers[source] for numbers in delivered.values()]),
        )
        for name, source in names.items()
    ]  # fmt: skip


# --- what a cluster shares ---------------------------------------------------------------------------------------------


def cluster(site: Site, vhosts: list[str]) -> list[Family]:
    """The virtual hosts of these names, and their exchanges."""
    found = [site.broker.vhosts[name] for name in vhosts if name in site.broker.vhosts]
    exchanges = {
        labels(vhost=text(vhost.name), exchange=text(exchange.name), type=exchange.type): len(exchange.bindings)
        for vhost in found
        for exchange in vhost.exchanges.values()
        if exchange.name
    }
    return [
        Family(
            "vhost_status", About("vhost_status", GAUGE, "1: it runs"), {labels(vhost=text(vhost.name)): 1 for vhost in found}
        ),
        Family("exchange_bindings", About("exchange_bindings", GAUGE, "Bindings from it"), dict(exchanges)),
        Family("exchange_names", About("exchange_name", GAUGE, "1: it is there"), dict.fromkeys(exchanges, 1)),
    ]


def memory(site: Site) -> list[Family]:
    """What the memory is used for, as far as that is known."""
    used = memory_used()
    held = min(site.broker.memory.resident, used)
    group = "memory"
    return [
        _plain(group, "memory_message_index_bytes", GAUGE, "Bodies of messages", held),
        _plain(group, "memory_other_system_bytes", GAUGE, "Everything else", used - held),
    ]

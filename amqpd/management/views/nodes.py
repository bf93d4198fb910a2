"""The one node: its process, its limits, its sockets."""

from __future__ import annotations

import gc
import os
import platform
import resource
import shutil
import time
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from amqpd.management.call import Call
from amqpd.management.page import Shape
from amqpd.management.refusal import not_found
from amqpd.management.site import Site
from amqpd.management.stats import Measured
from amqpd.management.views.overview import contexts, exchange_types
from amqpd.version import VERSION

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
LIBRARIES: Final = ("aiohttp", "aiosqlite", "lmdb", "pamqp")
UNCOUNTED: Final = (
    "io_read_count", "io_read_bytes", "io_read_avg_time", "io_write_count", "io_write_bytes", "io_write_avg_time",
    "io_sync_count", "io_sync_avg_time", "io_seek_count", "io_seek_avg_time", "io_reopen_count",
    "mnesia_ram_tx_count", "mnesia_disk_tx_count", "msg_store_read_count", "msg_store_write_count",
    "queue_index_read_count", "queue_index_write_count",
)  # fmt: skip
"""What Erlang's files and tables count, and nothing here does."""
MECHANISMS: Final = (
    ("PLAIN", "SASL PLAIN authentication mechanism"),
    ("AMQPLAIN", "AMQPLAIN mechanism"),
    ("EXTERNAL", "Authentication with the certificate of a TLS client"),
    ("ANONYMOUS", "Login of whoever presents nothing, as the anonymous user"),
)


def memory_used() -> int:
    """Bytes of memory that the process occupies."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def files_open() -> int:
    """How many file descriptors are in use."""
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 0


def node_shape(call: Call) -> Shape:
    """The node."""
    site = call.site
    files_total = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    alarms = site.wiring.alarms()
    disk = shutil.disk_usage(site.config.data_dir)
    sockets = len(site.broker.connections.open)
    overview = site.rates.overview
    churn = Measured(site.rates, overview.names, overview.row(), overview.history, call.ranges()).churn()
    store = site.broker.store.usage()
    used: Shape = {
        "mem_used": memory_used(),
        "fd_used": files_open(),
        "sockets_used": sockets,
        "proc_used": sockets + 1,
        "disk_free": disk.free,
        "gc_num": sum(generation["collections"] for generation in gc.get_stats()),
        "gc_bytes_reclaimed": 0,
        "context_switches": _switches(),
        **dict.fromkeys(UNCOUNTED, 0),
    }
    shape: Shape = {
        "name": site.node,
        "type": "disc",
        "running": True,
        "being_drained": site.wiring.service.is_drained,
        "partitions": [],
        "os_pid": str(os.getpid()),
        "fd_total": files_total,
        "sockets_total": files_total,
        "mem_limit": site.wiring.limits.memory_limit,
        "mem_alarm": "memory" in alarms,
        "disk_free_limit": site.wiring.limits.disk_limit,
        "disk_free_alarm": "disk" in alarms,
        "store_bytes_in_use": store.bytes_in_use,
        "store_damages": site.broker.store.damages_told,
        "store_file_bytes": store.file_bytes,
        "proc_total": files_total,
        "rates_mode": "basic",
        "uptime": int((time.time() - site.started_at) * 1000),
        "run_queue": 0,
        "processors": os.cpu_count() or 1,
        "exchange_types": exchange_types(),
        "auth_mechanisms": [
            {"name": name, "description": description, "enabled": name in site.config.mechanisms}
            for name, description in MECHANISMS
        ],
        "applications": _applications(),
        "contexts": contexts(site),
        "log_files": ["<stderr>"],
        "db_dir": str(site.config.data_dir),
        "config_files": [str(site.config.config)] if site.config.config is not None else [],
        "net_ticktime": 60,
        "enabled_plugins": ["rabbitmq_management", "rabbitmq_prometheus"],
        "mem_calculation_strategy": "rss",
        "ra_open_file_metrics": {"ra_log_wal": 0, "ra_log_segment_writer": 0},
        "rabbitmq_version": site.config.product_version,
        "erlang_version": platform.python_version(),
        "cluster_links": [],
        "metrics_gc_queue_length": _no_garbage(),
    }
    for name, number in used.items():
        shape[name] = number
        shape[f"{name}_details"] = {"rate": 0.0}
    shape.update(churn)
    return shape


def _switches() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


@cache
def _applications() -> list[Shape]:
    """Asked for once: it reads files of every library."""
    found: list[Shape] = [{"name": "amqpd", "description": "AMQP 0-9-1 broker", "version": VERSION}]
    for name in LIBRARIES:
        about = metadata.metadata(name)
        found.append({"name": name, "description": about["Summary"], "version": metadata.version(name)})
    return found


def _no_garbage() -> Shape:
    names = (
        "connection_closed", "channel_closed", "consumer_deleted", "exchange_deleted", "queue_deleted",
        "vhost_deleted", "node_node_deleted", "channel_consumer_deleted",
    )  # fmt: skip
    return dict.fromkeys(names, 0)


def memory_shape(site: Site) -> Shape:
    """What the memory is used for, as far as that is known."""
    used = memory_used()
    messages = min(site.broker.memory.resident, used)
    return {
        "msg_index": messages,
        "other_proc": used - messages,
        "strategy": "rss",
        "total": {"rss": used, "allocated": used, "erlang": used},
    }


def check_node(call: Call) -> None:
    """Raise Refusal unless the path names this node."""
    if call["node"] != call.site.node:
        raise not_found()


async def list_nodes(call: Call) -> object:
    """The one node."""
    return call.wish().cut([node_shape(call)])


async def show_node(call: Call) -> object:
    """The one node, with `memory=true` also what its memory is used for."""
    check_node(call)
    shape = node_shape(call)
    if call.flag("memory"):
        shape["memory"] = memory_shape(call.site)
    return call.wish().cut_one(shape)


async def show_memory(call: Call) -> object:
    """What the node's memory is used for."""
    check_node(call)
    return {"memory": memory_shape(call.site)}


async def show_relative_memory(call: Call) -> object:
    """What the node's memory is used for, in percent."""
    check_node(call)
    shape = memory_shape(call.site)
    total = max(memory_used(), 1)
    return {
        "memory": {
            name: round(100 * value / total) for name, value in shape.items() if isinstance(value, int)
        } | {"total": 100}
    }  # fmt: skip

"""One scrape: all that was asked for as pieces of text, with a pause between two slices of objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from amqpd.broker.expression import Expression
from amqpd.management.prometheus import broker_metrics, objects
from amqpd.management.prometheus.broker_metrics import Family
from amqpd.management.prometheus.objects import CHANNEL, CONNECTION, QUEUE, Reading
from amqpd.management.prometheus.snapshot import Snapshot
from amqpd.management.prometheus.text import COUNTER, PREFIX, Number, family, head, lines
from amqpd.management.site import Site
from amqpd.management.slices import Slices, mapped

T = TypeVar("T")

AT_ONCE: Final = 50
"""Objects that are read before anybody asks whose turn it is."""
DETAILED: Final = PREFIX + "detailed_"
CLUSTER: Final = PREFIX + "cluster_"


async def aggregated(site: Site) -> AsyncIterator[str]:
    """`/metrics`: one sample of each metric, however many objects there are."""
    snapshot = Snapshot(site)
    await snapshot.count()
    async for piece in _of_broker(snapshot, "aggregated"):
        yield piece
    async for piece in _in_sum(QUEUE, snapshot.queues, snapshot):
        yield piece
    async for piece in _in_sum(CHANNEL, snapshot.channels, snapshot):
        yield piece
    async for piece in _in_sum(CONNECTION, snapshot.connections, snapshot):
        yield piece


async def per_object(site: Site) -> AsyncIterator[str]:
    """`/metrics/per-object`: a sample for each object."""
    snapshot = Snapshot(site)
    await snapshot.count()
    async for piece in _of_broker(snapshot, "per-object"):
        yield piece
    async for piece in _of_objects(snapshot, PREFIX, None):
        yield piece


async def detailed(site: Site, groups: list[str], vhosts: list[str], expression: Expression | None) -> AsyncIterator[str]:
    """`/metrics/detailed`: a sample for each object, of these families only.

    No virtual hosts means all; an expression is searched for in names of queues.
    """
    known = set(vhosts or site.broker.vhosts)
    yield _families(PREFIX, broker_metrics.identity(site, "detailed"))
    snapshot = Snapshot(site, lambda queue: queue.vhost in known and _is_wanted(queue.name, expression))
    snapshot.connections[:] = [connection for connection in snapshot.connections if connection.vhost in known]
    await snapshot.count()
    process = await asyncio.to_thread(broker_metrics.node, site, len(site.broker.connections.open))
    of_broker = [*broker_metrics.churn(site), *process, *broker_metrics.logins(site)]
    yield _families(DETAILED, [found for found in of_broker if found.group in groups])
    of_cluster = broker_metrics.cluster(site, [name for name in site.broker.vhosts if name in known])
    yield _families(CLUSTER, [found for found in of_cluster if found.group in groups])
    async for piece in _of_objects(snapshot, DETAILED, set(groups)):
        yield piece


def _is_wanted(name: str, expression: Expression | None) -> bool:
    """Whether the expression, if there is one, is found in the name; nothing is once it took too long."""
    return expression is None or (not expression.is_overlong and expression.is_in(name))


async def memory_breakdown(site: Site) -> AsyncIterator[str]:
    """`/metrics/memory-breakdown`: what the memory is used for."""
    yield _families(PREFIX, broker_metrics.identity(site, "memory-breakdown"))
    yield _families(PREFIX, broker_metrics.memory(site))


async def _of_broker(snapshot: Snapshot, endpoint: str) -> AsyncIterator[str]:
    site = snapshot.site
    yield _families(PREFIX, broker_metrics.identity(site, endpoint))
    yield _families(PREFIX, await asyncio.to_thread(broker_metrics.node, site, len(snapshot.connections)))
    yield _families(PREFIX, [*broker_metrics.alarms(site), *broker_metrics.churn(site), *broker_metrics.logins(site)])
    await asyncio.sleep(0)
    yield _families(PREFIX, broker_metrics.counts(snapshot))
    await asyncio.sleep(0)
    yield _families(PREFIX, broker_metrics.messages(snapshot))
    yield _families(PREFIX, broker_metrics.channel_queues(snapshot))
    await asyncio.sleep(0)


def _families(prefix: str, families: list[Family]) -> str:
    return "".join([family(prefix, found.about, found.samples) for found in families])


async def _in_sum(readings: Sequence[Reading[T]], found: Sequence[T], snapshot: Snapshot) -> AsyncIterator[str]:
    """One sample of each metric for all these objects; lengths of the objects as they come, counters from the beginning."""
    slices = Slices()
    for reading in readings:
        if reading.kind == COUNTER and reading.total is not None:
            yield family(PREFIX, reading.about, {"": reading.total(snapshot)})
            continue
        parts: list[Number] = []
        for start in range(0, len(found), AT_ONCE):
            values = [reading.read(one) for one in found[start : start + AT_ONCE]]
            parts.append(reading.fold([value for value in values if value is not None]))
            if slices.is_over():
                await slices.pause()
        yield family(PREFIX, reading.about, {"": reading.fold(parts)})


async def _of_objects(snapshot: Snapshot, prefix: str, groups: set[str] | None) -> AsyncIterator[str]:
    """A sample for each object of the metrics in these families; None: in all."""
    async for piece in _each(QUEUE, snapshot.queues, objects.queue_labels, prefix, groups):
        yield piece
    async for piece in _each(CHANNEL, snapshot.channels, objects.channel_labels, prefix, groups):
        yield piece
    async for piece in _each(CONNECTION, snapshot.connections, objects.connection_labels, prefix, groups):
        yield piece


async def _each(
    readings: Sequence[Reading[T]], found: Sequence[T], label: Callable[[T], str], prefix: str, groups: set[str] | None
) -> AsyncIterator[str]:
    wanted = [reading for reading in readings if groups is None or reading.family in groups]
    if not wanted:
        return
    labelled = await mapped(found, label)
    slices = Slices()
    for reading in wanted:
        yield head(prefix, reading.about)
        name, read = prefix + reading.name, reading.read
        for start in range(0, len(found), AT_ONCE):
            end = start + AT_ONCE
            yield lines(name, labelled[start:end], map(read, found[start:end]))
            if slices.is_over():
                await slices.pause()

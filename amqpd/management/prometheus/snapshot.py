"""What a scrape looks at: the objects that there are when it begins, and the sums of what was counted by then.

1. Looking takes a slice of the objects at a time, so that no delivery waits for it.
2. What deleted queues have counted is read at the same moment as the list of those that are not, so that no sum goes down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.queue import Queue
from amqpd.broker.session import Session
from amqpd.broker.totals import CHANNEL_COUNTERS, QUEUE_COUNTERS, Row, added
from amqpd.management.site import Site
from amqpd.management.slices import Slices

NO_ROW: Final[Row] = (0,) * len(QUEUE_COUNTERS)


class Channel(NamedTuple):
    """An open channel."""

    name: str
    vhost: str
    session: Session


class Snapshot:
    """The state of a broker at the beginning of a scrape; complete once `count` is done."""

    def __init__(self, site: Site, includes: Callable[[Queue], bool] | None = None) -> None:
        """Only the queues that are included are looked at; by default all are."""
        broker = site.broker
        self.site: Final = site
        queues = [queue for vhost in broker.vhosts.values() for queue in vhost.queues.values()]
        self.queues: Final = queues if includes is None else [queue for queue in queues if includes(queue)]
        self.connections: Final = list(broker.connections.open)
        self.channels: Final[list[Channel]] = []
        self.consumers: int = 0
        self.rows: Final[dict[str, Row]] = dict(broker.totals.deleted_queues)
        """By queue type, what all queues there ever were have counted."""
        self.received: Row = broker.connections.received_by_closed
        """Octets, and reads."""
        self.sent: Row = broker.connections.sent_by_closed
        """Octets, and writes."""
        self._row: Row = NO_ROW
        self._channel_row: Final = dict(zip(CHANNEL_COUNTERS, broker.totals.channel_row(), strict=True))

    async def count(self) -> None:
        """Look at every object."""
        slices = Slices()
        for connection in self.connections:
            self._count_connection(connection)
            if slices.is_over():
                await slices.pause()
        for queue in self.queues:
            queue_type = queue.arguments.type
            self.rows[queue_type] = added(self.rows.get(queue_type, NO_ROW), queue.counted())
            self.consumers += queue.consumer_count
            if slices.is_over():
                await slices.pause()
        for row in self.rows.values():
            self._row = added(self._row, row)

    def _count_connection(self, connection: ConnectionInfo) -> None:
        self.received = added(self.received, connection.received())
        self.sent = added(self.sent, connection.sent())
        for number, session in connection.sessions().items():
            self.channels.append(Channel(f"{connection.name} ({number})", connection.vhost, session))

    def queue_counter(self, name: str) -> int:
        """The sum over all queues there ever were of a counter that `QUEUE_COUNTERS` names."""
        return self._row[QUEUE_COUNTERS.index(name)]

    def channel_counter(self, name: str) -> int:
        """The sum over all channels there ever were of a counter that `CHANNEL_COUNTERS` names."""
        return self._channel_row[name]

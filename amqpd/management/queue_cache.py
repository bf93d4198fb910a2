"""Queues as JSON, kept as long as nothing of them changes: a list of ten thousand idle queues costs little.

1. A queue's mark covers everything that its shape shows; the same mark means the same JSON.
2. Whatever comes to a queue or leaves it is counted in its row: the oldest message and the bytes are others only if the row is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from amqpd.broker.queue import Queue
from amqpd.management.counters import queue_row
from amqpd.management.encoding import Encoded, encode
from amqpd.management.rates import Rates
from amqpd.management.slices import Slices

Mark = tuple[object, ...]


class QueueCache:
    """The JSON of queues that were listed lately."""

    def __init__(self, rates: Rates) -> None:
        self._rates: Final = rates
        self._known: dict[Queue, tuple[Mark, bytes]] = {}

    async def encoded(self, queues: list[Queue], shape: Callable[[Queue], object]) -> Encoded:
        """The queues as a JSON list; those that changed since the last time are given their shape anew."""
        items: list[bytes] = []
        slices = Slices()
        for queue in queues:
            mark = self._mark(queue)
            known = self._known.get(queue)
            if known is None or known[0] != mark:
                known = self._known[queue] = (mark, encode(shape(queue)))
            items.append(known[1])
            if slices.is_over():
                await slices.pause()
        self._forget_deleted()
        return Encoded(items)

    def _mark(self, queue: Queue) -> Mark:
        ready, dispatch = queue.ready, queue.dispatch
        return (
            queue_row(queue), self._rates.mark(queue),
            [(len(lane.head), len(lane.tail), len(lane.returned)) for lane in ready.order],
            dispatch.paused, bool(dispatch.active), len(dispatch.consumers), dispatch.first if dispatch.consumers else None,
            queue.arguments, queue.policy, queue.operator_policy,
        )  # fmt: skip

    def _forget_deleted(self) -> None:
        if any(queue.deleted for queue in self._known):
            self._known = {queue: known for queue, known in self._known.items() if not queue.deleted}

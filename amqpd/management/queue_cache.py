"""Queues as JSON, kept as long as nothing of them changes: a list of ten thousand idle queues costs little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from amqpd.broker.queue import Queue
from amqpd.management.encoding import Encoded, encode
from amqpd.management.marks import Mark, queue_mark
from amqpd.management.rates import Rates
from amqpd.management.slices import Slices


class QueueCache:
    """The JSON of queues that were listed lately."""

    def __init__(self, rates: Rates) -> None:
        self._rates: Final = rates
        self._known: dict[Queue, tuple[tuple[Mark, int], bytes]] = {}

    async def encoded(self, queues: list[Queue], shape: Callable[[Queue], object]) -> Encoded:
        """The queues as a JSON list; those that changed since the last time are given their shape anew."""
        items: list[bytes] = []
        slices = Slices()
        for queue in queues:
            mark = (queue_mark(queue), self._rates.mark(queue))
            known = self._known.get(queue)
            if known is None or known[0] != mark:
                known = self._known[queue] = (mark, encode(shape(queue)))
            items.append(known[1])
            if slices.is_over():
                await slices.pause()
        self._forget_deleted()
        return Encoded(items)

    def _forget_deleted(self) -> None:
        if any(queue.deleted for queue in self._known):
            self._known = {queue: known for queue, known in self._known.items() if not queue.deleted}

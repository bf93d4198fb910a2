"""Queues as JSON, kept as long as nothing of them changes: a list of ten thousand idle queues costs little.

1. A queue's mark covers everything that its shape shows; the same mark means the same JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from amqpd.broker import browse
from amqpd.broker.queue import Queue
from amqpd.management.counters import queue_row
from amqpd.management.encoding import Encoded, encode
from amqpd.management.rates import Rates

SLICE: Final = 200
"""Queues that are looked at before others may go on."""

Mark = tuple[object, ...]


class QueueCache:
    """The JSON of queues that were listed lately."""

    def __init__(self, rates: Rates) -> None:
        self._rates: Final = rates
        self._known: dict[Queue, tuple[Mark, bytes]] = {}

    async def encoded(self, queues: list[Queue], shape: Callable[[Queue], object]) -> Encoded:
        """The queues as a JSON list; those that changed since the last time are given their shape anew."""
        pieces: list[bytes] = []
        for number, queue in enumerate(queues):
            mark = self._mark(queue)
            known = self._known.get(queue)
            if known is None or known[0] != mark:
                known = self._known[queue] = (mark, encode(shape(queue)))
            pieces.append(known[1])
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        self._forget_deleted()
        if not pieces:
            return Encoded(b"[]")
        pieces[0] = b"[" + pieces[0]
        pieces[-1] += b"]"
        return Encoded(b",".join(pieces))

    def _mark(self, queue: Queue) -> Mark:
        ready, dispatch = queue.ready, queue.dispatch
        first = browse.oldest(queue)
        return (
            queue_row(queue), self._rates.mark(queue), ready.size(), first.sequence if first is not None else -1,
            sum([len(lane.head) + len(lane.tail) + len(lane.returned) for lane in ready.order]),
            dispatch.paused, bool(dispatch.active), tuple(dispatch.consumers), queue.arguments,
            queue.policy, queue.operator_policy,
        )  # fmt: skip

    def _forget_deleted(self) -> None:
        if any(queue.deleted for queue in self._known):
            self._known = {queue: known for queue, known in self._known.items() if not queue.deleted}

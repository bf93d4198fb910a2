"""What tells whether anything that is shown of a queue has changed.

1. A mark covers everything that a queue's shape shows but its rates: the same mark, the same shape.
2. Whatever comes to a queue or leaves it is counted in its row: the oldest message and the bytes are others only if the row is,
   or if messages moved between memory and disk.
"""

from __future__ import annotations

from amqpd.broker.queue import Queue
from amqpd.management.counters import queue_row

Mark = tuple[object, ...]


def queue_mark(queue: Queue) -> Mark:
    """The queue's mark as it is now."""
    ready, dispatch = queue.ready, queue.dispatch
    return (
        queue_row(queue),
        [(len(lane.head), len(lane.tail), len(lane.returned.heap)) for lane in ready.order],
        dispatch.paused, bool(dispatch.active), len(dispatch.consumers), dispatch.first if dispatch.consumers else None,
        queue.arguments, queue.policy, queue.operator_policy,
    )  # fmt: skip

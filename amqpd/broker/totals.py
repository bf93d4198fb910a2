"""What the broker as a whole has counted: open objects know their own numbers, those that are gone left them here.

1. A sum of counters never goes down: an object's numbers come here in the same step in which it ends.
"""

from __future__ import annotations

from typing import Final

Row = tuple[int, ...]

QUEUE_COUNTERS: Final = (
    "published", "delivered", "handed", "got", "got_no_ack", "missed", "redelivered", "acknowledged",
)  # fmt: skip
"""The attributes of a queue that only grow, in the order of their row."""

CHANNEL_COUNTERS: Final = ("published", "confirmable", "confirmed", "returned", "dropped")
"""What a channel counts, in the order of its row."""


class ChannelCounts:
    """What one channel has counted."""

    def __init__(self) -> None:
        self.published: int = 0
        self.confirmed: int = 0
        self.returned: int = 0
        """Messages that went to no queue and came back, since they were mandatory."""
        self.dropped: int = 0
        """Messages that went to no queue."""
        self.confirmable_from: int = -1
        """What was published before confirms were selected; -1: they are not."""

    def row(self) -> Row:
        """Its numbers, as `CHANNEL_COUNTERS` names them."""
        confirmable = self.published - self.confirmable_from if self.confirmable_from >= 0 else 0
        return (self.published, confirmable, self.confirmed, self.returned, self.dropped)


class Totals:
    """The numbers of channels, deleted queues, dead letters and logins."""

    def __init__(self) -> None:
        self.queues_declared: int = 0
        self.queues_created: int = 0
        self.queues_deleted: int = 0
        self.logins_succeeded: int = 0
        self.logins_failed: int = 0
        self.deleted_queues: Final[dict[str, Row]] = {}
        """By queue type, as `QUEUE_COUNTERS` names them."""
        self.dead_letters: Final[dict[tuple[str, str, bool], int]] = {}
        """By queue type, reason, and whether there was an exchange to send them to."""
        self.channels: Final[dict[ChannelCounts, None]] = {}
        self._closed_channels: Row = (0,) * len(CHANNEL_COUNTERS)

    def channel_opened(self) -> ChannelCounts:
        """The counters of a new channel."""
        counts = ChannelCounts()
        self.channels[counts] = None
        return counts

    def channel_closed(self, counts: ChannelCounts) -> None:
        """The channel is gone (1); being told twice changes nothing."""
        if counts in self.channels:
            del self.channels[counts]
            self._closed_channels = added(self._closed_channels, counts.row())

    def channel_row(self) -> Row:
        """What all channels there ever were have counted, as `CHANNEL_COUNTERS` names it."""
        row = self._closed_channels
        for counts in self.channels:
            row = added(row, counts.row())
        return row

    def queue_deleted(self, queue_type: str, row: Row) -> None:
        """A queue is gone (1)."""
        self.queues_deleted += 1
        before = self.deleted_queues.get(queue_type)
        self.deleted_queues[queue_type] = row if before is None else added(before, row)

    def dead_letter(self, queue_type: str, reason: str, has_exchange: bool) -> None:
        """A queue gave up a message."""
        key = (queue_type, reason, has_exchange)
        self.dead_letters[key] = self.dead_letters.get(key, 0) + 1


def added(row: Row, other: Row) -> Row:
    """The sums of two rows."""
    return tuple([one + another for one, another in zip(row, other, strict=True)])

"""A channel's delivery tags and the entries behind those that are not acknowledged yet (specification 1.8.3.12).

1. Tags grow by one with each delivery of the channel, basic.get included.
2. Every tag in `[low, next)` was delivered; the unacknowledged ones among them are the keys of `unacked`, in order.
3. Taking costs amortised constant time per tag ever delivered, however acknowledgements are ordered.
"""

from __future__ import annotations

from amqpd.broker.credit import Credit
from amqpd.broker.entry import NO_CREDIT, Entry


class Ledger:
    """What one channel has delivered and not seen acknowledged."""

    def __init__(self) -> None:
        self.credit: Credit = Credit(0)
        """The channel's own limit (basic.qos with global=true)."""
        self.unacked: dict[int, Entry] = {}
        self.next: int = 1
        self._low: int = 1

    def tag(self) -> int:
        """The tag of a delivery that needs no acknowledgement."""
        tag = self.next
        self.next = tag + 1
        return tag

    def note(self, entry: Entry) -> int:
        """The tag of a delivery that is held until it is acknowledged."""
        tag = self.next
        self.next = tag + 1
        self.unacked[tag] = entry
        self.credit.used += 1
        return tag

    def note_got(self, entry: Entry) -> int:
        """The tag of what basic.get fetched: held like a delivery, but no limit counts it."""
        entry.credit = NO_CREDIT
        tag = self.tag()
        self.unacked[tag] = entry
        return tag

    def take(self, tag: int) -> Entry | None:
        """The entry behind a tag, which is forgotten; None if the tag is unknown. Its credit is not given back yet."""
        entry = self.unacked.pop(tag, None)
        if entry is not None and tag == self._low:
            self._low = tag + 1
        return entry

    def take_through(self, tag: int) -> dict[int, Entry]:
        """All entries with tags up to this one, in order; 0 means all. Their credit is not given back yet."""
        unacked = self.unacked
        if tag == 0 or tag >= self.next:
            tag = self.next - 1
        if tag - self._low < 2 * len(unacked):
            tags = [t for t in range(self._low, tag + 1) if t in unacked]
        else:
            tags = [t for t in unacked if t <= tag]
        self._low = max(self._low, tag + 1)
        return {t: unacked.pop(t) for t in tags}

    def oldest(self, credit: Credit) -> int:
        """The lowest unacknowledged tag whose delivery counts against this credit; 0 if there is none."""
        for tag, entry in self.unacked.items():
            if entry.credit is credit:
                return tag
        return 0

    def release(self, entry: Entry) -> None:
        """Give back the credit of an entry that was taken."""
        if entry.credit is not NO_CREDIT:
            self.credit.release()
            entry.credit.release()

    def restore(self, held: dict[int, Entry]) -> None:
        """Undo `take` (tx.rollback): these tags are unacknowledged again."""
        if held:
            self._low = min(self._low, *held)
            self.unacked = dict(sorted({**self.unacked, **held}.items()))

"""A message's place in one queue, and whom it belongs to."""

from __future__ import annotations

from typing import Final

from amqpd.broker.credit import Credit
from amqpd.message import Message
from persistence import records
from persistence.store import Log, LogOwner, Record, StoredRecord, Window

NO_CREDIT: Final = Credit(0)
"""The credit of deliveries that nobody counts (basic.get)."""


class EntryOwner(LogOwner):
    """The queue behind an entry: what a channel can do with an entry that it holds, without knowing queues."""

    def settle(self, entry: Entry) -> None:
        """It was acknowledged: it is gone."""
        raise NotImplementedError

    def requeue(self, entry: Entry) -> None:
        """It goes back to its place among the ready ones."""
        raise NotImplementedError

    def reject(self, entry: Entry) -> None:
        """Its receiver does not want it and nobody else shall have it."""
        raise NotImplementedError

    def page_read(self, log: Log, window: Window, found: list[StoredRecord]) -> None:
        """A window of one of its logs was read from disk."""
        raise NotImplementedError

    def pump(self) -> None:
        """Deliver what can be delivered."""
        raise NotImplementedError


class Gone(EntryOwner):
    """In the place of a queue that was deleted, which its parts shall not keep: what they still tell it is not heard."""

    def log_committed(self, log: Log) -> None:
        """See `LogOwner.log_committed`."""

    def page_read(self, log: Log, window: Window, found: list[StoredRecord]) -> None:
        """See `EntryOwner.page_read`."""

    def pump(self) -> None:
        """See `EntryOwner.pump`."""


GONE: Final = Gone()


class Entry(Record):
    """One message in one queue."""

    def __init__(self, owner: EntryOwner, sequence: int, message: Message, received_at: int) -> None:
        self.sequence = sequence
        self.chunk = None
        self.slot = 0
        self.settled = False
        self.body_id = 0
        self.owner: Final = owner
        self.message: Message = message
        self.received_at: Final = received_at
        """Milliseconds since the epoch."""
        self.expires_at = 0
        self.gone: bool = False
        """True once it was given up while it waited; its lane drops it when it comes across it."""
        self.stored: bool = False
        """True once it is on its way to a log, and from then on."""
        self.redelivered: bool = False
        self.returns = 0
        self.credit: Credit = NO_CREDIT
        """The credit of the consumer that holds it."""

    def pieces(self, out: list[bytes]) -> int:
        """Append the stored form and return its size in bytes."""
        envelope = self.message.envelope
        body = b"" if self.body_id else self.message.body
        flags = records.REDELIVERED if self.redelivered else 0
        head = records.head(
            self.sequence,
            flags,
            self.received_at,
            self.expires_at,
            self.body_id,
            len(envelope.address),
            len(envelope.header),
            len(body),
        )
        out.append(head)
        out.append(envelope.address)
        out.append(envelope.header)
        out.append(body)
        return len(head) + len(envelope.address) + len(envelope.header) + len(body)

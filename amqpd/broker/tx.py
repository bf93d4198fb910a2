"""A channel's open transaction (specification 1.9): publishes and acknowledgements that happen together or not at all.

A commit is carried out within one batch of the store, so that a crash keeps all of it or nothing, over all queues.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.entry import Entry
from amqpd.broker.publication import Draft

ACK: Final = 0
REJECT: Final = 1
REQUEUE: Final = 2


class Transaction:
    """What was asked for since tx.select or the last commit."""

    def __init__(self) -> None:
        self.publishes: list[tuple[Draft, bytes]] = []
        self.held: dict[int, Entry] = {}
        """Entries by delivery tag, taken from the ledger."""
        self.fates: dict[int, int] = {}
        """What becomes of each of them at commit: ACK, REJECT or REQUEUE."""

    def publish(self, draft: Draft, body: bytes) -> None:
        """Publish at commit."""
        self.publishes.append((draft, body))

    def hold(self, taken: dict[int, Entry], fate: int) -> None:
        """Let these entries meet their fate at commit."""
        self.held.update(taken)
        for tag in taken:
            self.fates[tag] = fate

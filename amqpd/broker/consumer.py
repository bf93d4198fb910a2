"""A consumer: a receiver of one queue's messages on one channel (specification 1.8.3.3, basic.consume)."""

from __future__ import annotations

from typing import Final

from amqpd.broker.credit import Credit, Flow, Waiter
from amqpd.broker.entry import Entry
from amqpd.broker.ledger import Ledger
from amqpd.broker.limits import NONE
from amqpd.broker.outbox import Sender
from amqpd.broker.punctuality import Punctuality, Taskmaster
from amqpd.message import Message

RATION: Final = 1_000
"""How many messages a consumer that asked for no prefetch may hold while memory is low."""


class Roster:
    """Where a consumer belongs: the dispatch of its queue."""

    def activate(self, consumer: Consumer) -> None:
        """The consumer may be able to take messages again."""
        raise NotImplementedError


class ConsumerOwner(Taskmaster):
    """The channel behind a consumer."""

    def watch(self, consumer: Consumer, timeout: int) -> Punctuality:
        """Have the consumer acknowledge each delivery within so many milliseconds."""
        raise NotImplementedError

    def consumer_cancelled(self, consumer: Consumer) -> None:
        """Its queue is gone: tell the peer."""
        raise NotImplementedError


class Consumer(Waiter):
    """Delivers while its credit, its channel's credit and its socket allow; else it parks itself until one of them does."""

    def __init__(
        self, owner: ConsumerOwner, tag: str, sender: Sender, flow: Flow, ledger: Ledger, shared: Credit, prefetch: int,
        no_ack: bool, exclusive: bool, priority: int, timeout: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.owner: Final = owner
        self.tag: Final = tag
        self.sender: Sender = sender
        self.flow: Final = flow
        self.ledger: Final = ledger
        self.shared: Final = shared
        """The limit of the whole channel: deliveries without acknowledgement wait for it, too, but do not use it up."""
        self.prefetch: Final = 0 if no_ack else prefetch
        """How many messages it asked to hold at most; 0: no limit."""
        self.credit: Final = Credit(self.prefetch)
        self.no_ack: Final = no_ack
        self.exclusive: Final = exclusive
        self.priority: Final = priority
        self.timeout: Final = timeout
        """Milliseconds that it asked to have for acknowledging; NONE: as its queue says."""
        self.punctuality: Punctuality | None = None
        """None as long as it may take any time."""
        self.roster: Roster | None = None
        """The dispatch of its queue; None once it is cancelled."""
        self.parked: bool = False
        """True while it waits for credit or for its socket."""

    def can_take(self) -> bool:
        """True if one more delivery is allowed now; else it will resume by itself."""
        if not self.flow.writable:
            self.flow.waiting.append(self)
        elif self.shared.exhausted():
            self.shared.waiting.append(self)
        elif self.credit.exhausted():
            self.credit.waiting.append(self)
        else:
            return True
        self.parked = True
        return False

    def resume(self) -> None:
        """Credit or socket may allow deliveries again."""
        if self.parked and self.roster is not None:
            self.parked = False
            self.roster.activate(self)

    def hand(self, message: Message, redelivered: bool) -> None:
        """Deliver a message that needs no acknowledgement."""
        self.sender.deliver(self.ledger.tag(), redelivered, message)

    def deliver(self, entry: Entry) -> None:
        """Deliver an entry and hold it until it is acknowledged."""
        entry.credit = self.credit
        self.credit.used += 1
        tag = self.served = self.ledger.note(entry)
        self.sender.deliver(tag, entry.redelivered, entry.message)
        if self.punctuality is not None:
            self.punctuality.delivered(tag)

    def ration(self, is_low: bool) -> None:
        """Memory is low, or is not any more: what it may hold is limited meanwhile, if it is not anyway."""
        if not self.prefetch and not self.no_ack:
            self.credit.change(RATION if is_low else 0)

    def limit_time(self, timeout: int) -> None:
        """Its queue demands an acknowledgement within so many milliseconds, or NONE; what it asked for itself wins."""
        if self.timeout != NONE:
            timeout = self.timeout
        if self.punctuality is not None:
            self.punctuality.timeout = timeout
        elif timeout != NONE and not self.no_ack:
            self.punctuality = self.owner.watch(self, timeout)

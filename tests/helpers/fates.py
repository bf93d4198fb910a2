"""What must have become of the messages of one queue, whatever moment the broker ended at.

1. A message whose publish was confirmed is there, unless somebody began to settle it.
2. A message whose settling is known to be durable is not there, and neither is one that nobody published.
3. No message is there twice, and none has another body than it was published with.
4. Messages of one priority stand in the order of their publisher; those that outlived an earlier end stand first, as
   they stood before. (Not where something else than the publishers makes the order.)
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from conformance.client.events import Message

FILLER: Final = b"~"


class Id(NamedTuple):
    """The number of a message among those of its publisher; its body begins with both."""

    publisher: int
    number: int

    def body(self, size: int) -> bytes:
        """A body of so many bytes, or a few more if the ids need them."""
        return (b"%d %d %d " % (self.publisher, self.number, size)).ljust(size, FILLER)


def identify(body: bytes) -> Id:
    """The id in a body; AssertionError if the body is not one that `Id.body` makes."""
    publisher, number, size, _ = body.split(b" ")
    found = Id(int(publisher), int(number))
    assert found.body(int(size)) == body
    return found


class Fates:
    """What is known of the messages of one queue."""

    def __init__(self, queue: str, *, ordered: bool = True) -> None:
        self.queue: Final = queue
        self._ordered: Final = ordered
        self._published: set[Id] = set()
        self._confirmed: set[Id] = set()
        self._delivered: set[Id] = set()
        self._settling: set[Id] = set()
        self._settled: set[Id] = set()
        self._survivors: list[Id] = []

    def published(self, messages: Iterable[Id]) -> None:
        """These are about to be published."""
        self._published.update(messages)

    def confirmed(self, messages: Iterable[Id]) -> None:
        """These are durable unless somebody settles them."""
        self._confirmed.update(messages)

    def delivered(self, message: Id) -> None:
        """Somebody received this; AssertionError if it was settled before."""
        assert message not in self._settling, f"{message} of {self.queue} was delivered after it was settled"
        self._delivered.add(message)

    def settling(self, messages: Iterable[Id]) -> None:
        """These are about to be acknowledged or purged."""
        self._settling.update(messages)

    def settled(self, messages: Iterable[Id]) -> None:
        """It is known that these are gone for good."""
        self._settled.update(messages)

    def durable(self) -> set[Id]:
        """The messages that were confirmed, whatever became of them since."""
        return set(self._confirmed)

    def standing(self) -> set[Id]:
        """The messages that must be there."""
        return self._confirmed - self._settling

    def now(self) -> "Fates":
        """A copy of what is known by now."""
        fates = Fates(self.queue)
        fates._confirmed = self._confirmed.copy()
        fates._settled = self._settled.copy()
        return fates

    def copied_since(self, then: "Fates") -> None:
        """What must be in a copy that was begun after `then`, and is made: what was certain then, and nobody touched since."""
        self._confirmed = then._confirmed
        self._settled = then._settled
        self._delivered = set()

    def check(self, found: Sequence[Message], *, ended_well: bool) -> set[Id]:
        """Compare with all that the queue holds after a restart; from now on, that is what it must hold.

        After an end in good order, whatever had been delivered is marked as redelivered.
        """
        ids = [identify(message.body) for message in found]
        there = set(ids)
        assert len(ids) == len(there), f"{self.queue} holds messages twice"
        assert set() == self.standing() - there, f"{self.queue} lost messages"
        assert set() == self._settled & there, f"{self.queue} holds settled messages"
        assert set() == there - self._published, f"{self.queue} holds what nobody published"
        if self._ordered:
            self._check_order(found, ids)
        if ended_well:
            unmarked = {key for message, key in zip(found, ids, strict=True) if not message.redelivered}
            assert set() == unmarked & self._delivered, f"{self.queue} redelivers messages as new ones"
        self._survivors = ids
        self._published, self._confirmed = there, set(there)
        self._delivered, self._settling, self._settled = set(), set(), set()
        return there

    def _check_order(self, found: Sequence[Message], ids: list[Id]) -> None:
        age = {key: position for position, key in enumerate(self._survivors)}
        newest = len(age)
        last: dict[tuple[int, int], Id] = {}
        oldest_allowed: dict[int, int] = {}
        priorities = [message.properties.get("priority", 0) for message in found]
        assert sorted(priorities, reverse=True) == priorities, f"{self.queue} mixes priorities"
        for key, priority in zip(ids, priorities, strict=True):
            assert last.get((priority, key.publisher), key) <= key, f"{self.queue} holds {key} out of order"
            last[priority, key.publisher] = key
            position = age.get(key, newest)
            assert oldest_allowed.get(priority, 0) <= position, f"{self.queue} holds {key} behind newer messages"
            oldest_allowed[priority] = position

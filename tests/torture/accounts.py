"""What is owed to whoever reads a queue: a count of messages that lasts for hours, because it forgets what was settled.

1. A message is owed from before it is published until a reader settles it.
2. What nobody owes arrives only as a redelivery: its acknowledgement was lost with a connection.
"""

import threading
from typing import Final

from helpers.fates import Id, identify


class Account:
    """The messages of one queue, published by one, read by many."""

    def __init__(self, queue: str, publisher: int) -> None:
        self.queue: Final = queue
        self.settled = 0
        """How many messages were read and settled."""
        self._publisher: Final = publisher
        self._last = 0
        self._owed: Final[set[Id]] = set()
        self._lock: Final = threading.Lock()

    @property
    def owed(self) -> int:
        """How many messages are still to be settled."""
        return len(self._owed)

    def publish(self, count: int) -> list[Id]:
        """The next so many messages, which are owed from now on."""
        with self._lock:
            found = [Id(self._publisher, self._last + number) for number in range(1, count + 1)]
            self._last += count
            self._owed.update(found)
            return found

    def settle(self, body: bytes, *, redelivered: bool) -> None:
        """A message was read; AssertionError if it is damaged or somebody else's, or comes twice without a reason."""
        message = identify(body)
        with self._lock:
            assert message.publisher == self._publisher, f"{self.queue} holds {message}, which is another queue's"
            if message in self._owed:
                self._owed.remove(message)
                self.settled += 1
            else:
                assert redelivered, f"{message} of {self.queue} came twice as a new message"

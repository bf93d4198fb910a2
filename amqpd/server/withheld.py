"""What a blocked connection sends: it is kept and not acted on, but for a goodbye, which no alarm shall keep waiting.

1. No more than `LIMIT` octets and one read are kept; then the socket is not read any more.
2. A goodbye is channel.close, connection.close or the end of the stream; what stands before it is acted on first.
3. Whoever sends something that only looks like a goodbye, so as to be heard, is not believed again.
"""

from __future__ import annotations

from typing import Final

from amqpd.wire.frames import END, FRAME_OVERHEAD, METHOD
from amqpd.wire.methods import METHODS

LIMIT: Final = 64 * 1024

_GOODBYES: Final = [METHODS[name].key.to_bytes(4, "big") for name in ("connection.close", "channel.close")]
_LONGEST_GOODBYE: Final = FRAME_OVERHEAD + 4 + 2 + 256 + 4
_METHOD: Final = bytes((METHOD,))


class Withheld:
    """Input that waits for the end of an alarm."""

    def __init__(self) -> None:
        self.is_believed: bool = True
        self._data: bytes = b""

    def keep(self, data: bytes) -> None:
        """More input came."""
        self._data += data

    def is_full(self) -> bool:
        """True if no more should be read."""
        return len(self._data) >= LIMIT

    def says_goodbye(self) -> bool:
        """True if what was kept ends with a method that is a goodbye, as far as its sender is believed."""
        return self.is_believed and _ends_with_goodbye(self._data)

    def take(self) -> bytes:
        """All that was kept; nothing is kept after."""
        data, self._data = self._data, b""
        return data


def _ends_with_goodbye(data: bytes) -> bool:
    tail = data[-_LONGEST_GOODBYE:]
    start = tail.find(_METHOD)
    while start >= 0:
        size = int.from_bytes(tail[start + 3 : start + 7], "big")
        if start + size + FRAME_OVERHEAD == len(tail) and tail[start + 7 : start + 11] in _GOODBYES:
            return tail[-1] == END
        start = tail.find(_METHOD, start + 1)
    return False

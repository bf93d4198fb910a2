"""What a blocked connection sends: it is kept and not acted on, but for a goodbye, which no alarm shall keep waiting.

1. No more than `LIMIT` octets and one read are kept; then the socket is not read any more.
2. What stands before the goodbye is acted on first. Octets of a message that only look like one gain their sender that
   once, and no second time.
"""

from __future__ import annotations

from typing import Final

from amqpd.wire.frames import END, FRAME_OVERHEAD, METHOD
from amqpd.wire.methods import METHODS

LIMIT: Final = 64 * 1024

_CLOSE: Final = METHODS["connection.close"].key.to_bytes(4, "big")
_CLOSE_HEAD: Final = bytes((METHOD, 0, 0))
_LONGEST_CLOSE: Final = FRAME_OVERHEAD + 4 + 2 + 256 + 4


class Withheld:
    """Input that waits for the end of an alarm."""

    def __init__(self) -> None:
        self._data: bytes = b""
        self._trusts: bool = True

    def keep(self, data: bytes) -> None:
        """More input came."""
        self._data += data

    def is_full(self) -> bool:
        """True if no more should be read."""
        return len(self._data) >= LIMIT

    def take(self) -> bytes:
        """All that was kept; nothing is kept after."""
        data, self._data = self._data, b""
        return data

    def take_goodbye(self) -> bytes:
        """All that was kept if it ends with connection.close, and nothing otherwise."""
        if not self._trusts or not _ends_with_close(self._data):
            return b""
        self._trusts = False
        return self.take()


def _ends_with_close(data: bytes) -> bool:
    tail = data[-_LONGEST_CLOSE:]
    start = tail.find(_CLOSE_HEAD)
    while start >= 0:
        size = int.from_bytes(tail[start + 3 : start + 7], "big")
        if start + size + FRAME_OVERHEAD == len(tail) and tail[start + 7 : start + 11] == _CLOSE and tail[-1] == END:
            return True
        start = tail.find(_CLOSE_HEAD, start + 1)
    return False

"""JSON as it comes and as it is sent: long lists are encoded a slice at a time, so that others may go on meanwhile."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Final

from amqpd.management.slices import mapped

PIECE_BYTES: Final = 64 * 1024
"""About what is sent at once."""
OBJECT_BYTES: Final = 1 << 20
"""JSON of this length is decoded in a tenth of a second, whatever it is."""
TEXTS_MAX: Final = 10_000
"""In JSON that is longer and yet decoded as quickly."""
NESTING_MAX: Final = 64
"""Lists and objects inside each other, as many as AMQP allows in field tables."""
_DECODER: Final = json.JSONDecoder()
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Encoded:
    """JSON that is ready to be sent: a list of items that are JSON, or items between other brackets."""

    def __init__(self, items: list[bytes], opening: bytes = b"[", closing: bytes = b"]") -> None:
        self._items: Final = items
        self._opening: Final = opening
        self._closing: Final = closing
        self.size: Final = sum(map(len, items)) + max(len(items) - 1, 0) + len(opening) + len(closing)

    def pieces(self) -> Iterator[bytes]:
        """The JSON in pieces of a size to be sent at once."""
        waiting: list[bytes] = []
        size = 0
        before = self._opening
        for item in self._items:
            waiting.append(item)
            size += len(item)
            if size >= PIECE_BYTES:
                yield before + b",".join(waiting)
                before = b","
                waiting, size = [], 0
        if not waiting:
            before = before.removesuffix(b",")
        yield before + b",".join(waiting) + self._closing


def decode(text: bytes, nesting: int = NESTING_MAX) -> object:
    """The value of a JSON text. Raises ValueError, also for what could not be sent back: NaN, half of a surrogate pair.

    So is what is nested more deeply: it would be sent back inside of others.
    """
    try:
        value: object = json.loads(text, parse_float=_finite, parse_constant=_finite)
        _check_nesting(text, value, nesting)
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _check_nesting(text: bytes, value: object, nesting: int) -> None:
    """Raise ValueError if lists and objects are nested too deeply; most texts have too few brackets for that."""
    if text.count(b"[") + text.count(b"{") <= nesting:
        return
    level = [value]
    for _ in range(nesting):
        level = [member for one in level for member in _members(one) if isinstance(member, dict | list)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _members(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def is_quickly_decoded(text: bytes) -> bool:
    """True if the JSON is short, or long because of a few long texts. Raises ValueError if it is none."""
    if len(text) <= OBJECT_BYTES:
        return True
    words = text.decode()
    besides, end = len(words), 0
    for _ in range(TEXTS_MAX):
        begin = words.find('"', end)
        if begin < 0:
            return besides <= OBJECT_BYTES
        end = _DECODER.raw_decode(words, begin)[1]
        besides -= end - begin
    return False


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a number")
    return value


def encode(value: object) -> bytes:
    """The value as JSON; what is no Unicode becomes a question mark."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


async def encode_slowly(value: object) -> Encoded:
    """The value as JSON, which may be a long list, or an object with long lists."""
    if isinstance(value, Encoded):
        return value
    if isinstance(value, list):
        return Encoded(await mapped(value, encode))
    if isinstance(value, dict):
        return Encoded([part for name, member in value.items() for part in await _member(name, member)], b"{", b"}")
    return Encoded([encode(value)], b"", b"")


async def _member(name: str, value: object) -> list[bytes]:
    """A member of an object, which a list makes parts of, to be joined by commas."""
    if not (isinstance(value, list) and value):
        return [encode(name) + b":" + encode(value)]
    items = await mapped(value, encode)
    items[0] = encode(name) + b":[" + items[0]
    items[-1] += b"]"
    return items

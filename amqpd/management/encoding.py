"""JSON as it is sent: long lists are encoded a slice at a time, so that others may go on meanwhile."""

from __future__ import annotations

import asyncio
import json
from typing import Final

SLICE: Final = 100
"""Items of a list that are encoded at once."""


class Encoded:
    """JSON that is ready to be sent."""

    def __init__(self, body: bytes) -> None:
        self.body: Final = body


def encode(value: object) -> bytes:
    """The value as JSON; what is no Unicode becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def encode_slowly(value: object) -> bytes:
    """The value as JSON, which may be a long list."""
    if isinstance(value, Encoded):
        return value.body
    if not isinstance(value, list) or len(value) <= SLICE:
        return encode(value)
    pieces: list[bytes] = []
    for start in range(0, len(value), SLICE):
        pieces.append(encode(value[start : start + SLICE])[1:-1])
        await asyncio.sleep(0)
    return b"[" + b",".join(pieces) + b"]"

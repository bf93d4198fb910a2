"""Frames (specification 4.2.3): type octet, channel u16, payload size u32, payload, end octet."""

from __future__ import annotations

from struct import Struct
from typing import Final

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
END: Final = 0xCE
FRAME_OVERHEAD: Final = 8
"""Octets of a frame that are not payload."""
FRAME_MIN: Final = 4096
"""No peer may be held to smaller frames than this (specification 1.4.2.6, frame-min-size)."""

END_OCTET: Final = b"\xce"
HEARTBEAT_FRAME: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"
PROTOCOL_HEADER_0_9: Final = b"AMQP\x01\x01\x00\x09"
"""AMQP 0-9 as its first clients say it; served as 0-9-1."""

_HEAD: Final = Struct(">BHI")


def frame(frame_type: int, channel: int, payload: bytes) -> bytes:
    """One whole frame."""
    return _HEAD.pack(frame_type, channel, len(payload)) + payload + END_OCTET


def body_frames(channel: int, body: bytes, frame_max: int) -> list[bytes]:
    """The body cut into frames of at most frame_max octets (0: no limit), as pieces to join; none for an empty body."""
    room = frame_max - FRAME_OVERHEAD if frame_max else len(body)
    if len(body) <= room:
        return [_HEAD.pack(BODY, channel, len(body)), body, END_OCTET] if body else []
    pieces: list[bytes] = []
    for start in range(0, len(body), room):
        part = body[start : start + room]
        pieces += (_HEAD.pack(BODY, channel, len(part)), part, END_OCTET)
    return pieces


def start_of(data: bytes, position: int, end: int) -> int:
    """Where the frame begins that ends there; whole frames follow each other from position on."""
    while True:
        following = position + int.from_bytes(data[position + 3 : position + 7], "big") + FRAME_OVERHEAD
        if following >= end:
            return position
        position = following

"""Messages on their way out: basic.deliver, basic.get-ok and basic.return with their content, as pieces of bytes to join."""

from __future__ import annotations

from struct import Struct
from typing import Final

from amqpd.wire import methods
from amqpd.wire.frames import BODY, END_OCTET, FRAME_OVERHEAD, HEADER, METHOD, body_frames, frame

_FRAME: Final = Struct(">BHI")
_DELIVER: Final = b"\x00\x3c\x00\x3c"


def deliver_start(channel: int, consumer_tag: bytes, address_size: int) -> bytes:
    """A basic.deliver frame up to its delivery tag; consumer_tag is a short string with its length octet."""
    size = 4 + len(consumer_tag) + 8 + 1 + address_size
    return _FRAME.pack(METHOD, channel, size) + _DELIVER + consumer_tag


def deliver_rest(channel: int, redelivered: bool, address: bytes, header: bytes, body_size: int, frame_max: int) -> bytes:
    """What follows the delivery tag, up to a body of body_size octets if that fits one frame, else up to the header's end.

    address is the exchange and the routing key as two short strings.
    """
    rest = (b"\x01" if redelivered else b"\x00") + address + END_OCTET + frame(HEADER, channel, header)
    if body_size and fits(body_size, frame_max):
        rest += _FRAME.pack(BODY, channel, body_size)
    return rest


def fits(body_size: int, frame_max: int) -> bool:
    """True if a body of this size needs no more than one frame (frame_max 0: frames of any size)."""
    return frame_max == 0 or body_size <= frame_max - FRAME_OVERHEAD


def get_ok(
    channel: int, delivery_tag: int, redelivered: bool, address: bytes, message_count: int,
    header: bytes, body: bytes, frame_max: int,
) -> list[bytes]:  # fmt: skip
    """basic.get-ok and its content; message_count is what remains ready."""
    start = b"\x00\x3c\x00\x47" + delivery_tag.to_bytes(8, "big") + (b"\x01" if redelivered else b"\x00")
    payload = start + address + message_count.to_bytes(4, "big")
    return [frame(METHOD, channel, payload), frame(HEADER, channel, header), *body_frames(channel, body, frame_max)]


def returned(
    channel: int, reply_code: int, reply_text: str, address: bytes, header: bytes, body: bytes, frame_max: int,
) -> list[bytes]:  # fmt: skip
    """basic.return and its content."""
    payload = b"\x00\x3c\x00\x32" + reply_code.to_bytes(2, "big") + methods.short_string(reply_text) + address
    return [frame(METHOD, channel, payload), frame(HEADER, channel, header), *body_frames(channel, body, frame_max)]

"""Frames: type, channel, payload and the end octet (specification 2.3.5 and 4.2.3)."""

import struct
from typing import Final, NamedTuple

from conformance.wire.content import Header
from conformance.wire.methods import decode_method

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
END: Final = 0xCE
OVERHEAD: Final = 8
PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"


class Frame(NamedTuple):
    """One frame as it is on the wire."""

    type: int
    channel: int
    payload: bytes

    def encode(self, end: int = END) -> bytes:
        """The frame's octets."""
        return struct.pack(">BHI", self.type, self.channel, len(self.payload)) + self.payload + bytes([end])

    def describe(self) -> str:
        """The frame in words, for reports; never raises."""
        try:
            return f"ch {self.channel}  {self._describe_payload()}"
        except Exception as error:  # noqa: BLE001 - a frame made wrong on purpose must still be shown
            return f"ch {self.channel}  type {self.type} {abbreviate(self.payload)} ({type(error).__name__})"

    def _describe_payload(self) -> str:
        if self.type == METHOD:
            return repr(decode_method(self.payload))
        if self.type == HEADER:
            header = Header(self.payload)
            shown = " ".join(f"{name}={value!r}" for name, value in header.properties.items())
            return f"header class={header.class_id} body_size={header.body_size} {shown}".rstrip()
        if self.type == BODY:
            return f"body {abbreviate(self.payload)}"
        return "heartbeat" if self.type == HEARTBEAT else f"type {self.type} {abbreviate(self.payload)}"


def abbreviate(octets: bytes, limit: int = 48) -> str:
    """Octets as a short literal with their number."""
    shown = repr(octets[:limit])[1:]
    return f"{shown} ({len(octets)} octets)" if len(octets) <= limit else f"{shown}… ({len(octets)} octets)"


class FrameReader:
    """Collects octets and hands out whole frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, octets: bytes) -> None:
        """Adds octets as they came from the peer."""
        self.buffer += octets

    def next(self) -> Frame | None:
        """The next whole frame; raises ValueError when it does not end with the end octet."""
        if len(self.buffer) < 7:
            return None
        kind, channel, size = struct.unpack_from(">BHI", self.buffer)
        if len(self.buffer) < size + OVERHEAD:
            return None
        if self.buffer[size + 7] != END:
            raise ValueError(f"frame of type {kind} ends with {self.buffer[size + 7]:#x}")
        frame = Frame(kind, channel, bytes(self.buffer[7 : size + 7]))
        del self.buffer[: size + OVERHEAD]
        return frame

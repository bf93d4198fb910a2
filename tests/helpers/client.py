"""A client's side of the wire: makes frames, and reads what a broker sent back."""

from typing import NamedTuple

from amqpd.errors import FrameError
from amqpd.wire import frames, methods, properties, tables
from amqpd.wire.methods import METHODS
from amqpd.wire.properties import Properties

HEADER = frames.PROTOCOL_HEADER


class Heard(NamedTuple):
    """One method that the broker sent, with its content if it has any."""

    channel: int
    name: str
    values: list[object]
    header: bytes = b""
    body: bytes = b""

    @property
    def origin(self) -> str:
        """The queue that the message died in first; empty if it is no dead letter."""
        headers = properties.parse(self.header).headers
        return str(tables.decode(headers).get("x-first-death-queue", "")) if headers else ""


def method(channel: int, name: str, *values: object) -> bytes:
    """A method frame."""
    return frames.frame(frames.METHOD, channel, methods.encode(METHODS[name], values))


def header_frame(channel: int, header: bytes) -> bytes:
    """A content header frame."""
    return frames.frame(frames.HEADER, channel, header)


def body_frame(channel: int, part: bytes) -> bytes:
    """A content body frame."""
    return frames.frame(frames.BODY, channel, part)


def content_header(size: int, **given: object) -> bytes:
    """The payload of a content header with the given properties."""
    found = Properties()
    for name, value in given.items():
        setattr(found, name, value)
    return properties.encode(found, size)


def publish(
    channel: int, exchange: str, routing_key: str, body: bytes, *, mandatory: bool = False, parts: int = 1, **given: object
) -> bytes:
    """All frames of one message, its body cut into so many parts."""
    start = method(channel, "basic.publish", 0, exchange, routing_key, mandatory, False)
    start += header_frame(channel, content_header(len(body), **given))
    step = -(-len(body) // parts) or 1
    return start + b"".join([body_frame(channel, body[at : at + step]) for at in range(0, len(body), step)])


def split(data: bytes) -> list[tuple[int, int, bytes]]:
    """Type, channel and payload of each frame in data, which must be whole."""
    found = []
    while data:
        size = int.from_bytes(data[3:7], "big")
        assert data[7 + size] == frames.END
        found.append((data[0], int.from_bytes(data[1:3], "big"), data[7 : 7 + size]))
        data = data[size + frames.FRAME_OVERHEAD :]
    return found


def _said(payload: bytes) -> tuple[str, list[object]]:
    """Name and arguments of a method; no arguments where they quote octets of a publisher's that are not UTF-8."""
    try:
        found, values = methods.decode(payload)
    except FrameError:
        return next(name for name, method in methods.METHODS.items() if method.key == int.from_bytes(payload[:4], "big")), []
    return found.name, values


def hear(data: bytes) -> list[Heard]:
    """The methods in data, each with its content; heartbeats are passed over."""
    heard: list[Heard] = []
    missing = 0
    for kind, channel, payload in split(data):
        if kind == frames.METHOD:
            assert missing == 0
            heard.append(Heard(channel, *_said(payload)))
        elif kind == frames.HEADER:
            missing = properties.body_size(payload)
            heard[-1] = heard[-1]._replace(header=payload)
        elif kind == frames.BODY:
            missing -= len(payload)
            heard[-1] = heard[-1]._replace(body=heard[-1].body + payload)
    assert missing == 0
    return heard

"""Framing: whole and broken frames, content in order and out of order, and how octets may be cut."""

import struct

from conformance.broker import Broker
from conformance.catalogue import SHOULD, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal, require
from conformance.wire import frames
from conformance.wire.content import encode_header
from conformance.wire.frames import Frame
from conformance.wire.methods import encode_method

framing = Area("framing", "Framing")

SPEC = "AMQP 0-9-1 4.2.3 General frame format"
CONTENT = "AMQP 0-9-1 4.2.6 Content framing"
METHODS = "AMQP 0-9-1 4.2.4 Method payloads"


def header(channel: Channel, size: int, class_id: int = 60, weight: int = 0) -> Frame:
    """A content header without properties."""
    return Frame(frames.HEADER, channel.number, encode_header(size, {}, class_id, weight))


def body(channel: Channel, octets: bytes) -> Frame:
    """A body frame."""
    return Frame(frames.BODY, channel.number, octets)


def publish(channel: Channel, queue: str = "") -> Frame:
    """A basic.publish by the default exchange."""
    return channel.method_frame("basic.publish", routing_key=queue)


@framing.table(
    "framing.unknown-type",
    "A frame of unknown type {} ends the connection with 501 FRAME_ERROR",
    SPEC,
    [(str(kind), kind) for kind in (0, 4, 5, 6, 7, 9, 127, 255)],
)
def _(broker: Broker, kind: int) -> None:
    connection = broker.connect()
    connection.send_frames(Frame(kind, 0, b""))
    connection.must_end(501)


@framing.table(
    "framing.end-octet",
    "A frame that ends with {} instead of 206 ends the connection with 501",
    SPEC,
    [("0x00", 0x00), ("0xcd", 0xCD), ("0xcf", 0xCF), ("0xff", 0xFF)],
)
def _(broker: Broker, end: int) -> None:
    connection = broker.connect()
    payload = encode_method("channel.open", {})
    connection.link.send_octets(Frame(frames.METHOD, 1, payload).encode(end), f"channel.open with end octet {end:#x}")
    connection.must_end(501)


@framing.table(
    "framing.bad-size",
    "A size field {} than the payload makes the end octet wrong: 501",
    SPEC,
    [("smaller", -1), ("larger", 1)],
)
def _(broker: Broker, difference: int) -> None:
    connection = broker.connect()
    frame = bytearray(Frame(frames.METHOD, 1, encode_method("channel.open", {})).encode())
    frame[3:7] = struct.pack(">I", len(frame) - 8 + difference)
    connection.link.send_octets(bytes(frame) + bytes(8))
    connection.must_end(501)


@framing.case("framing.frame-max.exceeded", "A frame larger than the negotiated frame_max ends the connection with 501", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected(frame_max=8192)
    connection.send_frames(publish(channel), header(channel, 20000), body(channel, bytes(20000)))
    connection.must_end(501)


@framing.case("framing.frame-max.exact", "A body frame of exactly frame_max - 8 octets is accepted", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected(frame_max=8192)
    queue, octets = channel.queue(), bytes(8192 - 8)
    connection.send_frames(publish(channel, queue), header(channel, len(octets)), body(channel, octets))
    equal("body size", len(octets), len(channel.must_get(queue).body))


@framing.table(
    "framing.split-delivery",
    "A body of {} octets is delivered in frames that respect frame_max 8192",
    CONTENT,
    [(str(size), size) for size in (1, 8183, 8184, 8185, 16368, 16369, 100_000)],
)
def _(broker: Broker, size: int) -> None:
    channel = broker.channel(frame_max=8192)
    queue = channel.queue()
    octets = bytes(index % 251 for index in range(size))
    channel.publish(octets, routing_key=queue)
    message = channel.must_get(queue)
    require(message.body == octets, "the body as it was published", f"{len(message.body)} other octets")
    sizes = [len(frame.payload) for frame in message.body_frames]
    require(max(sizes) <= 8184, "body frames of at most 8184 octets", sizes)
    require(min(sizes) > 0, "no empty body frames", sizes)


@framing.case("framing.empty-body", "A message of zero octets is delivered as method and header, without body frames", CONTENT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"", routing_key=queue)
    message = channel.must_get(queue)
    equal("body_size", 0, message.header.body_size)
    channel.must_be_silent()


@framing.table(
    "framing.body-pieces",
    "A body in frames of {} octets is put together again",
    CONTENT,
    [("1", [1] * 20), ("changing", [3, 1, 7, 2, 7]), ("one-and-rest", [1, 19]), ("rest-and-one", [19, 1])],
)
def _(broker: Broker, sizes: list[int]) -> None:
    connection, channel = broker.connected()
    queue, octets = channel.queue(), b"abcdefghijklmnopqrst"
    pieces, start = [], 0
    for size in sizes:
        pieces.append(body(channel, octets[start : start + size]))
        start += size
    connection.send_frames(publish(channel, queue), header(channel, 20), *pieces)
    equal("body", octets, channel.must_get(queue).body)


@framing.case("framing.body-pieces.empty", "An empty body frame between two others adds nothing to the body", CONTENT, SHOULD)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    pieces = [body(channel, octets) for octets in (b"ab", b"", b"cd")]
    connection.send_frames(publish(channel, queue), header(channel, 4), *pieces)
    equal("body", b"abcd", channel.must_get(queue).body)

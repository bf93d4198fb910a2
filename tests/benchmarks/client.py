"""A client for what loadgen cannot do: thousands of queues, bindings, consumers, connections.

It is pipelined and makes frames ahead of time, so that the broker and not Python is measured. Answers of one kind
have one size here, because names have one length: counting octets counts answers.
"""

import socket
import struct
import time
from collections.abc import Iterable
from itertools import islice
from typing import Final

from benchmarks.contestants import Contestant, Failed

TIMEOUT_SECONDS: Final = 300.0
WINDOW: Final = 10_000
"""Messages that may wait for their confirms."""
PIPELINED: Final = 250
"""Requests that may wait for their answers."""

TUNE: Final = (10, 30)
OPEN_OK: Final = (10, 41)
CHANNEL_OPEN_OK: Final = (20, 11)
BIND_OK_SIZE: Final = 12
HEADER_SIZE: Final = 22
EMPTY_TABLE: Final = bytes(4)


class Client:
    """One connection, blocking, with as many channels as asked for; OSError and Failed if the broker does not play along."""

    def __init__(self, contestant: Contestant, channels: int = 1) -> None:
        self.socket = socket.create_connection((contestant.host, contestant.port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(b"AMQP\x00\x00\x09\x01")
        self.greeting = self._answer((10, 10))
        response = b"\x00guest\x00guest"
        self.socket.sendall(method(0, 10, 11, EMPTY_TABLE, short("PLAIN"), long(response), short("en_US")))
        limits = self._answer(TUNE)[:6]
        self.socket.sendall(method(0, 10, 31, limits, b"\0\0") + method(0, 10, 40, short("/"), short(""), b"\0"))
        self._answer(OPEN_OK)
        for channel in range(1, channels + 1):
            self.call(method(channel, 20, 10, short("")), CHANNEL_OPEN_OK)

    def call(self, request: bytes, answer: tuple[int, int]) -> bytes:
        """Send a request, wait for its answer of this class and method, and return the arguments."""
        self.socket.sendall(request)
        return self._answer(answer)

    def pipeline(self, requests: Iterable[bytes], answer_size: int) -> float:
        """Send all requests, half of PIPELINED ahead of their answers of this size; the seconds until the last answer."""
        iterator = iter(requests)
        before = time.monotonic()
        waiting = 0
        while batch := list(islice(iterator, PIPELINED // 2)):
            self.socket.sendall(b"".join(batch))
            self.receive(waiting)
            waiting = len(batch) * answer_size
        self.receive(waiting)
        return time.monotonic() - before

    def flood(self, messages: Iterable[bytes]) -> float:
        """Publish without waiting, then have a basic.qos answered behind it all; the seconds that took."""
        before = time.monotonic()
        for frames in messages:
            self.socket.sendall(frames)
        self.call(method(1, 60, 10, bytes(7)), (60, 11))
        return time.monotonic() - before

    def flood_confirmed(self, messages: Iterable[bytes], at_once: int) -> float:
        """Publish, so many messages to a write and WINDOW ahead of their confirms; the seconds until the last confirm."""
        self.call(method(1, 85, 10, b"\0"), (85, 11))
        before = time.monotonic()
        sent = confirmed = 0
        for frames in messages:
            self.socket.sendall(frames)
            sent += at_once
            while sent - confirmed > WINDOW:
                confirmed = self._delivery_tag()
        while confirmed < sent:
            confirmed = self._delivery_tag()
        return time.monotonic() - before

    def _delivery_tag(self) -> int:
        return int.from_bytes(self._answer((60, 80))[:8], "big")

    def receive(self, octets: int) -> None:
        """Read that many octets and forget them."""
        buffer = bytearray(1 << 18)
        while octets:
            got = self.socket.recv_into(buffer, min(octets, len(buffer)))
            if not got:
                raise Failed("the broker closed the connection")
            octets -= got

    def close(self) -> None:
        """Close the connection in good order."""
        self.call(method(0, 10, 50, struct.pack(">H", 200), short("done"), bytes(4)), (10, 51))
        self.socket.close()

    def _answer(self, wanted: tuple[int, int]) -> bytes:
        head = self._exactly(7)
        payload = self._exactly(int.from_bytes(head[3:], "big") + 1)[:-1]
        if struct.unpack(">HH", payload[:4]) != wanted:
            raise Failed(f"the broker answered {payload[:120]!r}")
        return payload[4:]

    def _exactly(self, octets: int) -> bytes:
        data = b""
        while len(data) < octets:
            more = self.socket.recv(octets - len(data))
            if not more:
                raise Failed("the broker closed the connection")
            data += more
        return data


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel: int, class_id: int, method_id: int, *arguments: bytes) -> bytes:
    """A method frame."""
    return frame(1, channel, struct.pack(">HH", class_id, method_id) + b"".join(arguments))


def short(text: str) -> bytes:
    """A short string."""
    data = text.encode()
    return bytes([len(data)]) + data


def long(data: bytes) -> bytes:
    """A long string."""
    return struct.pack(">I", len(data)) + data


def arguments(table: dict[str, str | int]) -> bytes:
    """A table of texts and numbers."""
    pairs = [short(name) + (b"S" + long(value.encode()) if isinstance(value, str) else struct.pack(">cq", b"l", value))
             for name, value in table.items()]  # fmt: skip
    return long(b"".join(pairs))


def declare_queue(name: str, *, durable: bool = False, table: bytes = EMPTY_TABLE) -> bytes:
    """A queue.declare."""
    return method(1, 50, 10, bytes(2), short(name), bytes([2 * durable]), table)


def declare_ok_size(name: str) -> int:
    """Octets of its answer."""
    return 8 + 4 + len(short(name)) + 8


def delete_queue(name: str) -> bytes:
    """A queue.delete."""
    return method(1, 50, 40, bytes(2), short(name), b"\0")


DELETE_OK_SIZE: Final = 16
DELIVERY_MODE: Final = 1 << 12
MESSAGE_ID: Final = 1 << 7


def publish(exchange: str, routing_key: str, body: bytes, message_id: str = "", *, persistent: bool = False) -> bytes:
    """All frames of one message."""
    flags = (MESSAGE_ID if message_id else 0) | (DELIVERY_MODE if persistent else 0)
    properties = (b"\2" if persistent else b"") + (short(message_id) if message_id else b"")
    return (
        method(1, 60, 40, bytes(2), short(exchange), short(routing_key), b"\0")
        + frame(2, 1, struct.pack(">HHQH", 60, 0, len(body), flags) + properties)
        + frame(3, 1, body)
    )


def delivery_size(consumer_tag: str, exchange: str, routing_key: str, body: bytes) -> int:
    """Octets in which such a message is delivered."""
    names = len(short(consumer_tag)) + len(short(exchange)) + len(short(routing_key))
    return 8 + 4 + names + 9 + HEADER_SIZE + 8 + len(body)


def consume(channel: int, queue: str, consumer_tag: str) -> bytes:
    """A basic.consume without acknowledgements."""
    return method(channel, 60, 20, bytes(2), short(queue), short(consumer_tag), b"\2", EMPTY_TABLE)


def consume_ok_size(consumer_tag: str) -> int:
    """Octets of its answer."""
    return 8 + 4 + len(short(consumer_tag))

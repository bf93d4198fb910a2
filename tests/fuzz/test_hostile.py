"""Input that is made to cost more than it looks: bombs of frames, tables, channels and consumers."""

import struct

import pytest

from helpers import client
from helpers.client import header_frame, method
from helpers.pair import ConnectionPair, Hall, opened

CONSUMERS = 8_000


def queue(pair: ConnectionPair) -> None:
    """There is a queue."""
    pair.send(method(1, "queue.declare", 0, "q", False, False, False, False, False, b""))
    pair.hall.commit()
    pair.heard()


@pytest.mark.parametrize(
    ("size", "name", "code"),
    [(2**63, "connection.close", 501), (2**64 - 1, "connection.close", 501), (200 << 20, "channel.close", 406)],
)
def test_bodies_that_cannot_be(size: int, name: str, code: int) -> None:
    """A body larger than any may be is refused when it is announced, before any room is made for it."""
    pair = opened(None, 1)
    header = header_frame(1, client.content_header(size))
    pair.send(method(1, "basic.publish", 0, "", "q", False, False) + header)
    (heard,) = pair.heard()
    assert (name, code) == (heard.name, heard.values[0])


def test_a_header_that_never_gets_its_body() -> None:
    """It holds its channel and nothing else: no room is made for what was announced, and other channels are served."""
    pair = opened(None, 1, 2)
    header = header_frame(1, client.content_header(100 << 20))
    pair.send(method(1, "basic.publish", 0, "", "q", False, False) + header)
    assert "basic.qos-ok" == pair.call("basic.qos", 0, 1, False, channel=2).name
    assert [] == pair.connection.channels[1].parts


@pytest.mark.parametrize("kind", [b"F", b"A"])
def test_a_table_as_deep_as_a_frame_is_long(kind: bytes) -> None:
    """It is refused by its depth, and costs nobody's stack."""
    table = b""
    while len(table) < 100_000:
        name = b"\x01a" if kind == b"F" or len(table) > 99_990 else b""
        table = name + kind + struct.pack(">I", len(table)) + table
    pair = opened(None, 1)
    pair.send(method(1, "queue.declare", 0, "", False, False, False, False, False, table))
    assert ["connection.close"] == [heard.name for heard in pair.heard()]


@pytest.mark.parametrize("table", [b"\0V" * 50_000, b"\0A" + struct.pack(">I", 100_000) + b"V" * 100_000])
def test_a_table_as_wide_as_a_frame_is_long(table: bytes) -> None:
    """It is a table like any other."""
    pair = opened(None, 1)
    assert "queue.declare-ok" == pair.call("queue.declare", 0, "", False, False, False, False, False, table).name


def test_no_more_channels_than_agreed() -> None:
    """All of them can be open at once, and one more closes the connection."""
    pair = opened()
    pair.send(*[method(number, "channel.open", "") for number in range(1, 2048)])
    assert ["channel.open-ok"] * 2047 == [heard.name for heard in pair.heard()]
    pair.send(method(2048, "channel.open", ""))
    assert ["connection.close"] == [heard.name for heard in pair.heard()]


def test_as_many_consumers_as_a_channel_has_room_for() -> None:
    """They come, receive and leave at once, without one looking at all the others."""
    pair = opened(Hall(), 1)
    queue(pair)
    calls = [method(1, "basic.consume", 0, "q", f"c{number}", False, False, False, True, b"") for number in range(CONSUMERS)]
    pair.send(*calls, client.publish(1, "", "q", b"x") * 100)
    found = pair.hall.core.vhost.queues["q"]
    assert (CONSUMERS, 100) == (found.consumer_count, found.unacked)
    pair.send(method(1, "channel.close", 200, "", 0, 0))
    assert (0, 100, 0) == (found.consumer_count, found.ready.count, len(found.dispatch.active))

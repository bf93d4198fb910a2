"""Any bytes whatever from a peer give commands or an AmqpError, never another exception, and cost bounded memory."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amqpd.protocol.states import CLOSED
from amqpd.wire.frames import FRAME_OVERHEAD
from helpers import client
from helpers.client import method
from helpers.pair import ConnectionPair, Hall, opened
from helpers.wild import PIECES, mutated

BRIEFLY = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
MESSAGE_LIMIT = 100_000
RESOURCES = (
    method(1, "queue.declare", 0, "q", False, True, False, False, False, b"")
    + method(1, "exchange.declare", 0, "x", "topic", False, True, False, False, False, b"")
    + method(1, "queue.bind", 0, "q", "x", "#", False, b"")
    + method(2, "basic.consume", 0, "q", "c", False, False, False, False, b"")
)


class Crashes(logging.Handler):
    """Keeps what was logged as an internal error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.found.append(record)


@contextmanager
def watched() -> Iterator[None]:
    """Fail with the exception of a crash."""
    crashes, root = Crashes(), logging.getLogger("amqpd")
    level = root.level
    root.addHandler(crashes)
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(crashes)
        root.setLevel(level)
    for record in crashes.found:
        if record.exc_info and record.exc_info[1]:
            raise AssertionError(record.getMessage()) from record.exc_info[1]


def check(pair: ConnectionPair) -> None:
    """What is kept of unfinished input is bounded by a frame and a message."""
    connection = pair.connection
    limit = connection.limits.frame_max + FRAME_OVERHEAD
    assert len(connection._rest) <= limit
    for channel in connection.channels.values():
        assert sum(map(len, channel.parts)) <= MESSAGE_LIMIT


def feed(pair: ConnectionPair, pieces: list[bytes]) -> None:
    """Say all this, hear what is answered, then hang up."""
    for piece in pieces:
        if not pair.socket.closed_by:
            pair.send(piece)
            check(pair)
        pair.hall.commit()
        pair.hall.core.pages.read()
    if pair.socket.written != [client.HEADER]:  # what a wrong greeting is answered with
        pair.heard()
    pair.socket.abort()
    pair.loop.run()
    assert pair.connection.state == CLOSED
    assert {} == pair.connection.channels


@BRIEFLY
@given(st.lists(st.one_of(PIECES, mutated(), st.binary(max_size=40)), max_size=12), st.booleans())
def test_anything_on_open_channels(pieces: list[bytes], is_prepared: bool) -> None:
    """Methods with any arguments, messages, damaged frames and noise, on a connection with real channels behind it."""
    with watched():
        pair = opened(Hall(max_message_size=str(MESSAGE_LIMIT)), 1, 2)
        feed(pair, [RESOURCES, *pieces] if is_prepared else pieces)


@BRIEFLY
@given(st.lists(st.one_of(PIECES, mutated(), st.binary(max_size=40)), max_size=6), st.booleans())
def test_anything_before_a_connection_is_open(pieces: list[bytes], is_greeted: bool) -> None:
    """The same from the first octet on, and after the protocol header."""
    with watched():
        pair = ConnectionPair(Hall())
        feed(pair, [client.HEADER, *pieces] if is_greeted else pieces)


@BRIEFLY
@given(st.lists(st.one_of(PIECES, PIECES, mutated()), max_size=10), st.data())
def test_anything_cut_anywhere(pieces: list[bytes], data: st.DataObject) -> None:
    """The same octets in pieces of any size."""
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    with watched():
        feed(opened(Hall(), 1, 2), [stream[start:stop] for start, stop in pairwise(edges)])

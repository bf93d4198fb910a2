"""Every error that the protocol itself raises: code, text, class and method id."""

import pytest

from amqpd.errors import NotAllowed
from amqpd.protocol.states import CLOSING, RUNNING
from amqpd.wire import frames
from amqpd.wire.frames import frame
from helpers.client import Heard, body_frame, content_header, header_frame, method
from helpers.recorder import Recorder, failing, opened

PUBLISH = method(1, "basic.publish", 0, "x", "k", False, False)
HEADER = header_frame(1, content_header(4))
BLAMELESS = (0, 0)
PUBLISHING = (60, 40)
NO_METHOD = "UNEXPECTED_FRAME - expected method frame, got non method frame instead"
NO_HEADER = "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead"
NO_BODY = "UNEXPECTED_FRAME - expected content body, got non content body frame instead"
CEILING = 512 * 1024 * 1024


def raw(key: bytes, channel: int = 1) -> bytes:
    """A method frame with this payload."""
    return frame(frames.METHOD, channel, key)


def damaged(data: bytes, end: int) -> bytes:
    """A frame with another end octet."""
    return data[:-1] + bytes((end,))


@pytest.mark.parametrize(
    ("data", "code", "text", "ids"),
    [
        (HEADER, 505, NO_METHOD, PUBLISHING),
        (body_frame(1, b"x"), 505, NO_METHOD, PUBLISHING),
        (PUBLISH + body_frame(1, b"x"), 505, NO_HEADER, PUBLISHING),
        (PUBLISH + PUBLISH, 505, NO_HEADER, BLAMELESS),
        (PUBLISH + HEADER + HEADER, 505, NO_BODY, PUBLISHING),
        (PUBLISH + HEADER + PUBLISH, 505, NO_BODY, BLAMELESS),
        (
            PUBLISH + header_frame(1, b"\x00\x5a" + content_header(4)[2:]),
            505,
            "UNEXPECTED_FRAME - expected content header for class 60, got one for class 90 instead",
            PUBLISHING,
        ),
        (PUBLISH + header_frame(1, b"\x00\x3c"), 501, "FRAME_ERROR - content header is cut short", BLAMELESS),
        (
            PUBLISH + HEADER + body_frame(1, b"12345"),
            501,
            "FRAME_ERROR - content body frame exceeds remaining content size",
            BLAMELESS,
        ),
        (
            PUBLISH + header_frame(1, content_header(CEILING + 1)),
            501,
            f"FRAME_ERROR - content body size {CEILING + 1} exceeds maximum allowed size {CEILING}",
            BLAMELESS,
        ),
        (frame(7, 1, b""), 501, "FRAME_ERROR - type 7: unknown_frame", BLAMELESS),
        (frame(7, 0, b""), 501, "FRAME_ERROR - type 7: unknown_frame", BLAMELESS),
        (b"GET / HTTP/1.1\r\n", 501, None, BLAMELESS),
        (
            frame(frames.METHOD, 1, bytes(4097)),
            501,
            "FRAME_ERROR - type 1, 4097 octets: {frame_too_large,4097,4088}",
            BLAMELESS,
        ),
        (
            damaged(method(1, "basic.ack", 1, False), 0xCD),
            501,
            "FRAME_ERROR - type 1, 13 octets: {invalid_frame_end_marker,205}",
            None,
        ),
        (frame(frames.HEARTBEAT, 1, b""), 505, "UNEXPECTED_FRAME - type 8, heartbeat on channel 1", BLAMELESS),
        (frame(frames.HEARTBEAT, 0, b"x"), 501, "FRAME_ERROR - heartbeat with a payload", BLAMELESS),
        (header_frame(0, b""), 505, "UNEXPECTED_FRAME - type 2, unexpected frame on channel 0", BLAMELESS),
        (body_frame(0, b""), 505, "UNEXPECTED_FRAME - type 3, unexpected frame on channel 0", BLAMELESS),
        (method(1, "channel.open", ""), 504, "CHANNEL_ERROR - second 'channel.open' seen", (20, 10)),
        (method(2, "basic.ack", 1, False), 504, "CHANNEL_ERROR - expected 'channel.open'", (60, 80)),
        (body_frame(2, b""), 504, "CHANNEL_ERROR - expected 'channel.open'", BLAMELESS),
        (
            method(0, "basic.ack", 1, False),
            504,
            "CHANNEL_ERROR - unexpected method in connection state running",
            (60, 80),
        ),
        (
            method(1, "connection.close-ok"),
            503,
            "COMMAND_INVALID - connection.close-ok on channel 1",
            (10, 51),
        ),
        (raw(b"\x00\x3c"), 502, "SYNTAX_ERROR - method frame is cut short", BLAMELESS),
        (raw(b"\x00\x3c", 0), 502, "SYNTAX_ERROR - method frame is cut short", BLAMELESS),
        (raw(b"\x00\x3c\x00\x50\x01"), 502, "SYNTAX_ERROR - basic.ack is cut short", (60, 80)),
        (raw(b"\x00\x3c\x00\x28\x00\x00\x05x"), 502, "SYNTAX_ERROR - basic.publish is cut short", PUBLISHING),
        (raw(PUBLISH[7:-2]), 502, "SYNTAX_ERROR - basic.publish is cut short", PUBLISHING),
        (raw(PUBLISH[7:-1] + b"\x00"), 502, "SYNTAX_ERROR - basic.publish is cut short", PUBLISHING),
        (raw(b"\x00\x32\x00\x0a\x00"), 502, "SYNTAX_ERROR - queue.declare is cut short", (50, 10)),
        (raw(b"\x00\x3c\x03\xe7"), 540, "NOT_IMPLEMENTED - unknown method 60.999", (60, 999)),
    ],
)
def test_hard_errors(data: bytes, code: int, text: str | None, ids: tuple[int, int] | None) -> None:
    """connection.close tells what was wrong and with which method; the handler hears the same text."""
    recorder = opened(1)
    recorder.feed(data)
    heard = recorder.heard()

    assert ["connection.close"] == [sent.name for sent in heard]
    assert heard[0].values[0] == code
    assert text in (None, heard[0].values[1])
    assert ids in (None, tuple(heard[0].values[2:]))
    assert recorder.events[-2:] == [("closed", 1), ("closing", heard[0].values[1], code == 501 and is_deaf(data))]
    assert recorder.connection.state == CLOSING


def is_deaf(data: bytes) -> bool:
    """True if the frames themselves are broken, so that nothing that follows can be understood."""
    recorder = opened(1)
    recorder.feed(data, method(0, "connection.close-ok"))
    return recorder.connection.state == CLOSING


def test_after_a_frame_error_nothing_is_understood() -> None:
    """The answer to the close is lost too: the handler is told, so that it waits less long."""
    recorder = opened(1)
    recorder.feed(frame(9, 0, b""))

    assert ("closing", "FRAME_ERROR - type 9: unknown_frame", True) == recorder.events[-1]
    assert [] == recorder.feed(method(0, "connection.close-ok"))


def test_a_message_over_the_configured_size_closes_the_channel() -> None:
    """406 and no more, for what other brokers would also take (2.2)."""
    recorder = opened(1)
    recorder.feed(PUBLISH + header_frame(1, content_header(100_001)))
    text = "PRECONDITION_FAILED - message size 100001 is larger than configured max size 100000"

    assert [Heard(1, "channel.close", [406, text, 60, 40])] == recorder.heard()
    assert recorder.connection.state == RUNNING


def test_a_refused_channel_number() -> None:
    """What the handler raises for channel.open closes the connection, for no channel is open."""
    recorder = failing("open", NotAllowed("too many"))
    recorder.feed(method(1, "channel.open", ""))

    assert [Heard(0, "connection.close", [530, "NOT_ALLOWED - too many", 20, 10])] == recorder.heard()


def test_reply_texts_are_cut() -> None:
    """A short string holds 255 octets, and dots stand for what is left out; a character is never cut in two."""
    recorder = failing("connection.update-secret", NotAllowed("ä" * 200))
    recorder.feed(method(0, "connection.update-secret", b"", ""))

    assert [530, "NOT_ALLOWED - " + "ä" * 119 + "...", 10, 70] == recorder.heard()[0].values


def test_unfinished_frames_of_unknown_type_are_refused_at_once() -> None:
    """Nobody waits for the rest of what can never be a frame."""
    recorder = Recorder()
    recorder.feed(b"AMQP\x00\x00\x09\x01", b"\x47\x00\x00\x00\x00\x01\x00\x00")

    assert recorder.events[-1] == ("dropped", "FRAME_ERROR - type 71: unknown_frame", False)

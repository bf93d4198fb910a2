import pytest

from amqpd.errors import NotFound
from amqpd.protocol.connection import Connection
from amqpd.protocol.output import Output
from amqpd.protocol.states import CLOSED, CLOSING, RUNNING
from amqpd.wire import frames
from amqpd.wire.frames import frame
from helpers.client import HEADER, Heard, body_frame, content_header, header_frame, method, publish
from helpers.recorder import Recorder, failing, handshake, opened

PUBLISH = method(1, "basic.publish", 0, "x", "k", False, False)


def closes(recorder: Recorder) -> list[Heard]:
    """The closes that were sent."""
    return [heard for heard in recorder.heard() if heard.name.endswith(".close")]


def test_a_whole_message_is_one_command() -> None:
    """Method and header arrive as payloads, the body joined."""
    recorder = opened(1)

    assert [
        ("basic.publish", 1, PUBLISH[7:-1], content_header(5, priority=3), b"hello"),
    ] == recorder.feed(publish(1, "x", "k", b"hello", parts=3, priority=3))


def test_an_empty_body_has_no_frame() -> None:
    """A message of no octets is whole with its header."""
    recorder = opened(1)

    assert [("basic.publish", 1, PUBLISH[7:-1], content_header(0), b"")] == recorder.feed(publish(1, "x", "k", b""))


def test_contents_of_channels_interleave() -> None:
    """Frames of another channel may stand between those of a message (specification 4.2.6)."""
    recorder = opened(1, 2)
    header = header_frame(1, content_header(2))

    assert ["basic.ack", "basic.publish"] == [
        event[0] for event in recorder.feed(PUBLISH, method(2, "basic.ack", 7, True), header, body_frame(1, b"ab"))
    ]


def test_ack_comes_with_its_values() -> None:
    """basic.ack is read without its row."""
    assert [("basic.ack", 1, 1 << 40, True), ("basic.ack", 1, 3, False)] == opened(1).feed(
        method(1, "basic.ack", 1 << 40, True) + method(1, "basic.ack", 3, False)
    )


def test_channels_open_and_close() -> None:
    """open-ok and close-ok answer; the number can be used again."""
    recorder = opened()
    events = recorder.feed(
        method(5, "channel.open", ""),
        method(5, "channel.close", 200, "bye", 0, 0),
        method(5, "channel.open", ""),
    )

    assert [("open", 5), ("closed", 5), ("open", 5)] == events
    assert ["channel.open-ok", "channel.close-ok", "channel.open-ok"] == [heard.name for heard in recorder.heard()]


def test_only_close_ok_is_heard_on_an_unopened_channel() -> None:
    """A stray close-ok is nothing; a close of what was never opened ends the connection."""
    recorder = opened()
    recorder.feed(method(3, "channel.close-ok"))
    assert recorder.connection.state == RUNNING

    recorder.feed(method(3, "channel.close", 200, "", 0, 0))
    text = "CHANNEL_ERROR - expected 'channel.open'"
    assert [Heard(0, "connection.close", [504, text, 20, 40])] == recorder.heard()


def test_a_soft_error_closes_the_channel() -> None:
    """channel.close carries code, text and the method's ids; the handler is told both ends."""
    recorder = failing("queue.purge", NotFound("no queue 'q' in vhost '/'"), 1)
    events = recorder.feed(method(1, "queue.purge", 0, "q", False))

    assert [("closed", 1), ("channel_failed", 1, "NOT_FOUND - no queue 'q' in vhost '/'")] == events[1:]
    assert [Heard(1, "channel.close", [404, "NOT_FOUND - no queue 'q' in vhost '/'", 50, 30])] == recorder.heard()


def test_a_soft_error_of_a_publish_names_the_publish() -> None:
    """Whichever frame completed the message, 60 and 40 are to blame; so it is for a message that repeats another."""
    recorder = failing("basic.publish", NotFound("x"), 1)
    for parts in (1, 2):
        recorder.feed(publish(1, "x", "k", b"ab", parts=parts))
        assert [Heard(1, "channel.close", [404, "NOT_FOUND - x", 60, 40])] == recorder.heard()
        recorder.feed(method(1, "channel.close-ok"), method(1, "channel.open", ""))
        recorder.heard()


def test_a_soft_error_in_a_repeated_message() -> None:
    """The short way through the parser blames the publish too, and goes on with the next channel's frame."""
    recorder = opened(1, 2)
    message = publish(1, "x", "k", b"ab")
    recorder.feed(message * 3)
    recorder.failures["basic.publish"] = NotFound("x")
    recorder.feed(message + method(2, "basic.ack", 1, False))

    assert [Heard(1, "channel.close", [404, "NOT_FOUND - x", 60, 40])] == recorder.heard()
    assert recorder.events[-1] == ("basic.ack", 2, 1, False)


def test_nothing_is_heard_on_a_channel_that_was_closed() -> None:
    """After channel.close only its answer counts, and a crossing close is answered (2.1)."""
    recorder = failing("basic.ack", NotFound("x"), 1)
    message = publish(1, "x", "k", b"ab")
    recorder.feed(message * 3)
    recorder.feed(method(1, "basic.ack", 1, False))
    recorder.heard()

    assert [] == recorder.feed(message, method(1, "basic.ack", 1, False), method(1, "queue.purge", 0, "q", False))
    assert [] == recorder.feed(frame(frames.METHOD, 1, b"\x00"), header_frame(1, b""), body_frame(1, b"x"))
    assert [] == recorder.heard()
    recorder.feed(method(1, "channel.close", 200, "", 0, 0))
    assert [Heard(1, "channel.close-ok", [])] == recorder.heard()
    assert [("open", 1)] == recorder.feed(method(1, "channel.close-ok"), method(1, "channel.open", ""))


def test_a_soft_error_on_channel_0_is_a_hard_one() -> None:
    """There is no channel to close, so the connection is."""
    recorder = failing("connection.update-secret", NotFound("x"), 1)
    events = recorder.feed(method(0, "connection.update-secret", b"new", "why"))

    assert [("closed", 1), ("closing", "NOT_FOUND - x", False)] == events[1:]
    assert [Heard(0, "connection.close", [404, "NOT_FOUND - x", 10, 70])] == recorder.heard()


def test_nothing_is_heard_after_connection_close_was_sent() -> None:
    """Only close and close-ok count; both end it, and close is answered."""
    for last, answer in (
        (method(0, "connection.close-ok"), []),
        (method(0, "connection.close", 200, "", 0, 0), [Heard(0, "connection.close-ok", [])]),
    ):
        recorder = opened(1, 2)
        recorder.feed(method(1, "channel.open", ""))
        recorder.heard()
        noise = publish(2, "x", "k", b"ab") * 3 + method(0, "connection.update-secret", b"", "") + OUT_OF_PLACE
        assert [] == recorder.feed(noise, method(3, "channel.open", ""))
        assert recorder.connection.state == CLOSING
        assert len(recorder.feed(last)) == 1
        assert answer == recorder.heard()
        assert recorder.connection.state == CLOSED
        assert [] == recorder.feed(noise)


OUT_OF_PLACE = header_frame(0, b"") + frame(frames.METHOD, 0, b"\x00") + frame(frames.METHOD, 0, b"\x00\x0a\x00\x32")


def test_the_peers_close_tears_down_before_it_is_answered() -> None:
    """Channels end, then the handler is told, then close-ok leaves (2.4)."""
    recorder = opened(1, 2)
    events = recorder.feed(method(0, "connection.close", 200, "bye", 0, 0) + publish(1, "x", "k", b""))

    assert [("closed", 1), ("closed", 2), ("connection.close", 0, 200, "bye", 0, 0)] == events
    assert [Heard(0, "connection.close-ok", [])] == recorder.heard()


def test_a_lost_connection_closes_its_channels_once() -> None:
    """Losing the socket tears down what is still there; after a close nothing is left."""
    recorder = opened(1, 2)
    recorder.connection.lost()
    recorder.connection.lost()

    assert [("closed", 1), ("closed", 2)] == recorder.events


def test_a_channel_that_failed_is_not_closed_again() -> None:
    """The handler of a channel hears of its end once, however the connection ends."""
    recorder = failing("basic.ack", NotFound("x"), 1)
    recorder.feed(method(1, "basic.ack", 1, False))
    recorder.connection.lost()

    assert [("closed", 1)] == [event for event in recorder.events if event[0] == "closed"]


def test_a_defect_costs_the_connection() -> None:
    """Anything but an AmqpError is reported and answered with 541 and no details."""
    recorder = failing("basic.ack", ValueError("secret"), 1)
    events = recorder.feed(method(1, "basic.ack", 1, False))

    assert ["basic.ack", "crashed", "closed", "closing"] == [event[0] for event in events]
    assert [Heard(0, "connection.close", [541, "INTERNAL_ERROR", 60, 80])] == recorder.heard()


def test_the_broker_closes_for_reasons_of_its_own() -> None:
    """Close without a method to blame has ids 0; a second close is nothing."""
    recorder = opened(1)
    recorder.connection.close(NotFound("x"), 0)
    recorder.connection.close(NotFound("y"), 0)

    assert [Heard(0, "connection.close", [404, "NOT_FOUND - x", 0, 0])] == recorder.heard()
    assert [("closed", 1), ("closing", "NOT_FOUND - x", False)] == recorder.events


@pytest.mark.parametrize("version", [HEADER, frames.PROTOCOL_HEADER_0_9])
def test_both_protocol_headers_are_served(version: bytes) -> None:
    """0-9-1, and 0-9 as its first clients say it."""
    recorder = Recorder()

    assert [("connection.start", 0)] == recorder.feed(version)
    assert b"" == recorder.output.take()


@pytest.mark.parametrize("greeting", [b"GET / HT", b"AMQP\x00\x01\x00\x00", b"AMQQ", b"\x16\x03\x01", b"AMQP\x01\x00"])
def test_other_protocols_are_told_the_right_one(greeting: bytes) -> None:
    """A wrong header is answered as soon as it is known to be wrong, and the connection is dropped (2.2)."""
    recorder = Recorder()

    assert [("dropped", "protocol header mismatch", True)] == recorder.feed(greeting)
    assert recorder.output.take() == HEADER
    assert [] == recorder.feed(handshake())


def test_the_handshake_may_come_in_one_piece() -> None:
    """Clients send tune-ok and open without waiting."""
    recorder = Recorder()
    names = [event[0] for event in recorder.feed(handshake())]

    assert ["connection.start", "connection.start-ok", "connection.tune-ok", "connection.open"] == names
    assert recorder.connection.state == RUNNING


def test_unfinished_input_is_bounded_by_a_frame() -> None:
    """A frame that is announced too large is refused before its payload comes (invariant 2)."""
    recorder = opened(1)
    recorder.feed(b"\x01\x00\x01\x7f\xff\xff\xff\x00")

    assert closes(recorder)


def test_limits_of_the_handshake_are_in_force_from_tune_ok_on() -> None:
    """Twice the least frame size before, what was agreed after; the payload may be as large as the frame was to be."""
    recorder = Recorder()
    recorder.feed(HEADER, method(0, "connection.start-ok", b"", "PLAIN", bytes(8192 - 30), "en_US"))
    assert recorder.events[-1][0] == "connection.start-ok"

    recorder = Recorder()
    recorder.feed(HEADER, frame(frames.METHOD, 0, bytes(8193)))
    assert recorder.events[-1][0] == "dropped"

    for size, is_good in ((4096, True), (4097, False)):
        recorder = opened(1)
        recorder.feed(PUBLISH, header_frame(1, content_header(size)), body_frame(1, bytes(size)))
        assert is_good is (recorder.connection.state == RUNNING)


def test_without_a_frame_limit_frames_have_any_size() -> None:
    """frame_max 0 is no limit."""
    recorder = opened(1, frame_max=0)

    assert recorder.feed(publish(1, "x", "k", bytes(90_000)) * 3)[2][4] == bytes(90_000)


def test_heartbeats_are_nothing() -> None:
    """On channel 0, at any time, without a payload (specification 4.2.7)."""
    recorder = opened(1)

    assert [] == recorder.feed(frames.HEARTBEAT_FRAME * 3, PUBLISH + frames.HEARTBEAT_FRAME)
    assert recorder.connection.state == RUNNING


def test_a_message_of_the_greatest_size_is_taken() -> None:
    """The limit itself is allowed; one octet more is not."""
    handler = Recorder()
    handler.connection = Connection(handler, Output([]), 10)
    handler.feed(handshake(), method(1, "channel.open", ""), publish(1, "x", "k", bytes(10)))

    assert handler.events[-1][0] == "basic.publish"
    handler.feed(publish(1, "x", "k", bytes(11)))
    reason = "PRECONDITION_FAILED - message size 11 is larger than configured max size 10"
    assert handler.events[-1] == ("channel_failed", 1, reason)


def test_no_more_frames_are_heard_than_are_allowed() -> None:
    """The rest of a read is kept, more input goes behind it, and all is heard in order once it resumes (7)."""
    recorder = opened(1)
    recorder.allowances = [2, 0, 3, 0]
    acks = [method(1, "basic.ack", tag, False) for tag in range(1, 7)]
    pieces = b"".join(acks[:5]) + acks[5][:9], acks[5][9:]
    tags = [[event[2] for event in recorder.feed(piece)] for piece in pieces]
    for _ in range(2):
        assert recorder.connection.waits
        recorder.events.clear()
        recorder.connection.resume()
        tags.append([event[2] for event in recorder.events])

    assert [[1, 2], [], [3, 4, 5], [6]] == tags
    assert not recorder.connection.waits


def test_what_was_not_heard_when_the_broker_closes_is_passed_over() -> None:
    """Frames that wait, also half of one, do not make close-ok unreadable."""
    recorder = opened(1)
    recorder.allowances = [1, 0]
    ack = method(1, "basic.ack", 1, False)
    recorder.feed(ack * 3 + ack[:9])
    recorder.connection.close(NotFound("bye"), 0)
    recorder.connection.resume()
    recorder.feed(ack[9:] + method(0, "connection.close-ok"))

    assert ["basic.ack", "closed", "closing", "connection.close-ok"] == [event[0] for event in recorder.events]
    assert recorder.connection.state == CLOSED

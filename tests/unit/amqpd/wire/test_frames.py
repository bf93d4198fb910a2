from pamqp import frame as pamqp_frame

from amqpd.wire import frames
from amqpd.wire.frames import body_frames
from helpers.client import split


def test_frames_are_what_pamqp_reads() -> None:
    """Type, channel, size, payload, end."""
    size, channel, body = pamqp_frame.unmarshal(frames.frame(frames.BODY, 300, b"abc"))

    assert (11, 300, b"abc") == (size, channel, getattr(body, "value", None))
    assert frames.frame(frames.HEARTBEAT, 0, b"") == frames.HEARTBEAT_FRAME


def test_bodies_are_cut_to_the_frame_limit() -> None:
    """No frame is larger than frame_max, none is empty, and together they are the body."""
    for size in (0, 1, 4088, 4089, 8176, 10_000):
        body = bytes(index % 251 for index in range(size))
        parts = split(b"".join(body_frames(3, body, 4096)))

        assert body == b"".join([payload for _, _, payload in parts])
        assert -(-size // 4088) == len(parts)
        assert all(payload and len(payload) <= 4088 for _, _, payload in parts)


def test_without_a_limit_a_body_is_one_frame() -> None:
    """frame_max 0 means no limit."""
    assert [(frames.BODY, 1, bytes(1_000_000))] == split(b"".join(body_frames(1, bytes(1_000_000), 0)))
    assert [] == body_frames(1, b"", 0)

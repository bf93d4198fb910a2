"""Frames, methods and content headers as the suite writes and reads them."""

import pytest

from conformance.wire.content import Header, encode_header
from conformance.wire.frames import BODY, METHOD, Frame, FrameReader, abbreviate
from conformance.wire.methods import BY_NAME, decode_method, encode_method


@pytest.mark.parametrize("name", BY_NAME)
def test_methods_without_arguments_come_back(name: str) -> None:
    """Every method is decoded to its name, with all its arguments empty."""
    method = decode_method(encode_method(name, {}))
    assert name == method.name
    assert not any(method.arguments.values())


def test_bits_share_octets() -> None:
    """Consecutive bits are packed from the lowest upwards."""
    payload = encode_method("queue.declare", {"queue": "q", "durable": True, "nowait": True})
    assert b"\x00\x32\x00\x0a\x00\x00\x01q\x12\x00\x00\x00\x00" == payload


def test_unknown_arguments_are_refused() -> None:
    """A misspelt argument raises KeyError, so that no case sends less than it says."""
    with pytest.raises(KeyError, match="dureable"):
        encode_method("queue.declare", {"dureable": True})


def test_unknown_properties_are_refused() -> None:
    """A misspelt property raises KeyError."""
    with pytest.raises(KeyError, match="priorty"):
        encode_header(0, {"priorty": 1})


def test_headers_come_back() -> None:
    """Body size and properties are decoded to what was encoded."""
    properties = {"content_type": "", "headers": {"a": [1, None]}, "priority": 3, "timestamp": 5, "cluster_id": "c"}
    header = Header(encode_header(7, properties))
    assert (60, 7, properties) == (header.class_id, header.body_size, header.properties)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_frames_are_found_however_octets_are_cut(size: int) -> None:
    """The reader finds the same frames in any pieces."""
    frames = [Frame(METHOD, 1, encode_method("tx.select", {})), Frame(BODY, 2, b"x" * 100), Frame(8, 0, b"")]
    octets = b"".join(frame.encode() for frame in frames)
    reader, found = FrameReader(), []
    for start in range(0, len(octets), size):
        reader.feed(octets[start : start + size])
        while frame := reader.next():
            found.append(frame)
    assert frames == found


def test_wrong_end_octets_are_reported() -> None:
    """A frame that does not end with 206 raises ValueError."""
    reader = FrameReader()
    reader.feed(Frame(BODY, 1, b"x").encode(end=0))
    with pytest.raises(ValueError, match="ends with"):
        reader.next()


def test_broken_frames_can_be_described() -> None:
    """A method frame of rubbish is shown with its octets."""
    assert "type 1 '\\xff\\xff' (2 octets)" in Frame(METHOD, 1, b"\xff\xff").describe()


def test_methods_are_described_by_what_is_set() -> None:
    """Arguments that are zero, false or empty are left out."""
    frame = Frame(METHOD, 3, encode_method("basic.consume", {"queue": "q", "no_ack": True}))
    assert "ch 3  basic.consume queue='q' no_ack=True" == frame.describe()


def test_long_octets_are_abbreviated() -> None:
    """Only the beginning of a long body is shown, with its length."""
    assert f"'{'x' * 48}'… (100 octets)" == abbreviate(b"x" * 100)

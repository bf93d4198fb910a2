import pytest

from amqpd.wire import content, frames
from amqpd.wire.methods import short_string
from helpers.client import Heard, content_header, hear, split

ADDRESS = short_string("x") + short_string("the key")


@pytest.mark.parametrize("size", [0, 1, 4088])
def test_a_delivery_in_one_frame(size: int) -> None:
    """Start, tag, rest, body and end octet make basic.deliver with its content."""
    body, header = bytes(size), content_header(size, type="t")
    data = content.deliver_start(7, short_string("ctag"), len(ADDRESS)) + (9).to_bytes(8, "big")
    data += content.deliver_rest(7, True, ADDRESS, header, size, 4096)
    if size:
        data += body + frames.END_OCTET

    assert [Heard(7, "basic.deliver", ["ctag", 9, True, "x", "the key"], header, body)] == hear(data)


def test_a_delivery_of_a_large_body_ends_with_its_header() -> None:
    """The body's frames follow."""
    header = content_header(4089)
    data = content.deliver_start(7, short_string("ctag"), len(ADDRESS)) + bytes(8)
    data += content.deliver_rest(7, False, ADDRESS, header, 4089, 4096)

    assert [frames.METHOD, frames.HEADER] == [kind for kind, _, _ in split(data)]
    assert not content.fits(4089, 4096)
    assert content.fits(4088, 4096)
    assert content.fits(1 << 30, 0)


@pytest.mark.parametrize("frame_max", [0, 4096])
def test_get_ok(frame_max: int) -> None:
    """basic.get-ok with the number of messages that remain."""
    header = content_header(9000)
    data = b"".join(content.get_ok(1, 5, True, ADDRESS, 17, header, bytes(9000), frame_max))

    assert [Heard(1, "basic.get-ok", [5, True, "x", "the key", 17], header, bytes(9000))] == hear(data)


def test_returned() -> None:
    """basic.return with its reason."""
    header = content_header(2)
    data = b"".join(content.returned(1, 312, "NO_ROUTE", ADDRESS, header, b"ab", 4096))

    assert [Heard(1, "basic.return", [312, "NO_ROUTE", "x", "the key"], header, b"ab")] == hear(data)

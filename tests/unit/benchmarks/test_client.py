from fnmatch import fnmatchcase

import pytest
from benchmarks import client
from benchmarks.client import publish
from benchmarks.objects import key, pattern

from amqpd.wire.frames import BODY, HEADER, METHOD
from helpers.client import body_frame, content_header, header_frame, method, split


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (client.declare_ok_size("queue"), method(1, "queue.declare-ok", "queue", 0, 0)),
        (client.BIND_OK_SIZE, method(1, "queue.bind-ok")),
        (client.DELETE_OK_SIZE, method(1, "queue.delete-ok", 0)),
        (client.DELETE_OK_SIZE, method(1, "queue.purge-ok", 0)),
        (client.consume_ok_size("tag"), method(1, "basic.consume-ok", "tag")),
        (
            client.delivery_size("tag", "exchange", "key", b"body"),
            method(1, "basic.deliver", "tag", 1, False, "exchange", "key")
            + header_frame(1, content_header(4))
            + body_frame(1, b"body"),
        ),
    ],
)
def test_answers_are_as_long_as_the_client_takes_them_for(expected: int, answer: bytes) -> None:
    """Counting octets counts answers."""
    assert expected == len(answer)


def test_a_message_is_three_frames() -> None:
    """Method, header and body, as the broker's own codec makes them."""
    frames = split(publish("exchange", "key", b"body"))
    assert [(METHOD, 1), (HEADER, 1), (BODY, 1)] == [(kind, channel) for kind, channel, _ in frames]
    assert (content_header(4), b"body") == (frames[1][2], frames[2][2])


def test_a_routing_key_matches_its_binding_alone() -> None:
    """So every message of that workload goes to one queue once; the patterns here are simple enough for fnmatch."""
    for number in range(60):
        for word in ("same", "n7"):
            matched = [each for each in range(60) if fnmatchcase(key(number, word), pattern(each).replace("#", "*"))]
            assert [number] == matched

import pytest

from amqpd.errors import BadSyntax, NotAllowed
from amqpd.protocol.handshake import Limits, agree, credentials
from amqpd.wire import tables

OFFERED = Limits(2047, 131072, 60)


@pytest.mark.parametrize("response", [b"\0alice\0secret", b"ignored\0alice\0secret"])
def test_plain(response: bytes) -> None:
    """The authorization identity is ignored."""
    assert ("alice", "secret") == credentials("PLAIN", response)


def test_amqplain() -> None:
    """A table without its length."""
    response = tables.encode({"LOGIN": "alice", "PASSWORD": "secret", "MORE": 1})

    assert ("alice", "secret") == credentials("AMQPLAIN", response)


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        ("PLAIN", b""),
        ("PLAIN", b"alice\0secret"),
        ("PLAIN", b"\0a\0b\0c"),
        ("AMQPLAIN", b""),
        ("AMQPLAIN", tables.encode({"LOGIN": "alice"})),
        ("AMQPLAIN", tables.encode({"LOGIN": "alice", "PASSWORD": 1})),
        ("AMQPLAIN", b"\x05LOGIN"),
    ],
)
def test_malformed_responses(mechanism: str, response: bytes) -> None:
    """They are syntax errors."""
    with pytest.raises(BadSyntax):
        credentials(mechanism, response)


def test_unknown_mechanism() -> None:
    """The text goes to the log."""
    with pytest.raises(BadSyntax, match="unknown authentication mechanism 'EXTERNAL'"):
        credentials("EXTERNAL", b"")


@pytest.mark.parametrize("given", [(2047, 131072, 60), (1, 4096, 0), (10, 5000, 65535)])
def test_limits_within_what_was_offered(given: tuple[int, int, int]) -> None:
    """Lower limits are honoured, and any heartbeat."""
    limits = agree(OFFERED, *given)

    assert given == (limits.channel_max, limits.frame_max, limits.heartbeat)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ((2048, 4096), "channel_max = 2048 is higher than the maximum allowed value (2047)"),
        ((0, 4096), "channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
        ((1, 131073), "frame_max = 131073 is higher than the maximum allowed value (131072)"),
        ((1, 0), "frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"),
        ((1, 4095), "frame_max = 4095 is lower than the minimum allowed value (4096)"),
    ],
)
def test_limits_beyond_what_was_offered(given: tuple[int, int], problem: str) -> None:
    """Worded as RabbitMQ does (2.3)."""
    with pytest.raises(NotAllowed) as caught:
        agree(OFFERED, *given, 60)

    assert f"negotiated {problem}" == caught.value.explanation


def test_no_limits_offered() -> None:
    """Then a client may want none either."""
    limits = agree(Limits(0, 0, 0), 0, 0, 0)

    assert (0, 0, 0) == (limits.channel_max, limits.frame_max, limits.heartbeat)

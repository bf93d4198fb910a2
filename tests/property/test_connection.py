"""The protocol machine: input may be cut anywhere, and its short way through repeated messages changes nothing."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from amqpd.errors import AmqpError, CommandInvalid, NotFound
from amqpd.wire import frames
from amqpd.wire.frames import frame
from helpers.client import body_frame, content_header, header_frame, method, publish
from helpers.recorder import Events, Recorder, handshake, opened

CHANNELS = st.sampled_from([1, 2])
KEYS = st.sampled_from(["k", "key"])
BODIES = st.sampled_from([b"", b"a", b"b", b"body", b"\xce" * 9, bytes(300)])
PRIORITIES = st.sampled_from([None, 1])
MESSAGES = st.builds(
    lambda channel, key, body, parts, priority: publish(channel, "x", key, body, parts=parts, priority=priority),
    CHANNELS, KEYS, BODIES, st.sampled_from([1, 1, 1, 2, 3]), PRIORITIES,
)  # fmt: skip
PARTS = st.one_of(
    st.builds(lambda channel, key: method(channel, "basic.publish", 0, "x", key, False, False), CHANNELS, KEYS),
    st.builds(lambda channel, size: header_frame(channel, content_header(size)), CHANNELS, st.sampled_from([0, 1, 4, 10**9])),
    st.builds(body_frame, CHANNELS, BODIES),
)
OTHERS = st.one_of(
    st.builds(lambda channel, tag: method(channel, "basic.ack", tag, True), CHANNELS, st.integers(0, 9)),
    st.builds(lambda channel: method(channel, "channel.close", 200, "", 0, 0), CHANNELS),
    st.builds(lambda channel: method(channel, "channel.open", ""), CHANNELS),
    st.builds(lambda channel: method(channel, "channel.close-ok"), CHANNELS),
    st.just(frames.HEARTBEAT_FRAME),
    st.just(method(1, "queue.purge", 0, "q", False)),
    st.just(method(2, "queue.delete", 0, "q", False, False, False)),
    st.just(method(0, "connection.update-secret", b"", "")),
    st.just(method(0, "connection.close", 200, "", 0, 0)),
    st.just(frame(9, 1, b"")),
)
REPEATS = st.builds(lambda message, count: message * count, MESSAGES, st.integers(2, 4))
SESSIONS = st.lists(st.one_of(MESSAGES, REPEATS, REPEATS, OTHERS, PARTS), max_size=8)
FAILURES = st.fixed_dictionaries(
    {}, optional={"queue.purge": st.just(NotFound("q")), "queue.delete": st.just(CommandInvalid("q"))}
)


def outcome(pieces: list[bytes], failures: dict[str, AmqpError]) -> tuple[Events, bytes, str]:
    """What a fresh connection does with these pieces."""
    recorder = Recorder()
    recorder.failures.update(failures)
    events = recorder.feed(handshake() + method(1, "channel.open", "") + method(2, "channel.open", ""), *pieces)
    return events, recorder.output.take(), recorder.connection.state


@given(SESSIONS, FAILURES, st.lists(st.integers(0, 4000)))
def test_input_may_be_cut_anywhere(session: list[bytes], failures: dict[str, AmqpError], cuts: list[int]) -> None:
    """One piece, octet by octet, and cut at any places: the same commands, the same output, the same end."""
    data = b"".join(session)
    whole = outcome([data], failures)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]

    assert whole == outcome([data[at : at + 1] for at in range(len(data))], failures)
    assert whole == outcome([data[start:stop] for start, stop in pairwise(edges)], failures)


@given(SESSIONS, FAILURES)
def test_the_short_way_equals_the_long_one(session: list[bytes], failures: dict[str, AmqpError]) -> None:
    """A machine that forgets what it could repeat after every piece handles the same frames in the same way."""
    recorder = opened(1, 2)
    recorder.failures.update(failures)
    plodder = opened(1, 2)
    plodder.failures.update(failures)
    for piece in session:
        recorder.feed(piece)
        for kind, channel, payload in _frames(piece):
            plodder.connection._repeat = None
            plodder.feed(frame(kind, channel, payload))

    assert plodder.events == recorder.events
    assert plodder.output.take() == recorder.output.take()


def _frames(data: bytes) -> list[tuple[int, int, bytes]]:
    found = []
    while data:
        size = int.from_bytes(data[3:7], "big")
        found.append((data[0], int.from_bytes(data[1:3], "big"), data[7 : 7 + size]))
        data = data[8 + size :]
    return found


@given(st.data(), MESSAGES.filter(lambda message: len(message) > 60))
def test_a_damaged_repetition_is_read_anew(data: st.DataObject, message: bytes) -> None:
    """One octet changed in the third of equal messages has the same effect whether or not it was to be repeated."""
    at = data.draw(st.integers(0, len(message) - 1))
    changed = bytearray(message)
    changed[at] = data.draw(st.integers(0, 255))
    quick, plain = opened(1, 2), opened(1, 2)
    quick.feed(message * 2)
    for kind, channel, payload in _frames(message * 2):
        plain.feed(frame(kind, channel, payload))
        plain.connection._repeat = None

    assert plain.feed(bytes(changed) + message) == quick.feed(bytes(changed) + message)
    assert plain.output.take() == quick.output.take()


def test_repetition_is_not_taken_for_an_unfinished_message() -> None:
    """A message in the midst of another one of its channel is unexpected, even if it repeats an earlier one."""
    recorder = opened(1)
    message = publish(1, "x", "k", b"body")
    recorder.feed(message * 3)
    start = method(1, "basic.publish", 0, "x", "other", False, False)

    recorder.feed(start + message)
    assert [505] == [heard.values[0] for heard in recorder.heard()]

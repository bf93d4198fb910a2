"""Commands that wait for an answer: they and what follows are heard later, as if nothing had happened."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from amqpd.errors import Undecided
from amqpd.protocol.handler import ChannelHandler
from amqpd.protocol.states import RUNNING
from amqpd.wire.methods import Method
from helpers.client import method, publish
from helpers.recorder import ChannelRecorder, Events, Recorder, handshake

COMMANDS = st.lists(
    st.one_of(
        st.builds(
            lambda channel, key, body, parts, count: publish(channel, "x", key, body, parts=parts) * count,
            st.sampled_from([1, 2]), st.sampled_from(["k", "key"]), st.sampled_from([b"", b"a", bytes(300)]),
            st.sampled_from([1, 1, 2]), st.integers(1, 4),
        ),
        st.just(method(1, "queue.purge", 0, "q", False)),
        st.just(method(2, "basic.ack", 1, False)),
        st.just(method(2, "channel.close", 200, "", 0, 0) + method(2, "channel.open", "")),
    ),
    max_size=6,
)  # fmt: skip
DOUBTS = st.lists(st.booleans(), max_size=60)


class DoubtfulChannel(ChannelRecorder):
    """Publishes and methods are undecided as often as the doubts say."""

    def __init__(self, number: int, events: Events, doubts: Iterator[bool]) -> None:
        super().__init__(number, events, {})
        self.doubts = doubts
        self.kept: tuple[bytes, bytes, bytes] = (b"", b"", b"")

    def publish(self, method: bytes, header: bytes, body: bytes) -> None:
        """Perhaps later."""
        if next(self.doubts, False):
            self.kept = (method, header, body)
            raise Undecided("user", ())
        super().publish(method, header, body)

    def publish_again(self) -> None:
        """Perhaps now."""
        self.publish(*self.kept)

    def method(self, method: Method, values: list[object]) -> None:
        """Perhaps later."""
        if next(self.doubts, False):
            raise Undecided("user", ())
        super().method(method, values)


class Doubtful(Recorder):
    """A connection that is in doubt from its first method on."""

    def __init__(self, doubts: list[bool]) -> None:
        super().__init__()
        self.doubts = iter(doubts)
        self.asked = 0

    def method(self, method: Method, values: list[object]) -> None:
        """Perhaps later, but the broker's greeting is never in doubt."""
        if method.name != "connection.start" and next(self.doubts, False):
            raise Undecided("user", ())
        super().method(method, values)

    def open_channel(self, number: int) -> ChannelHandler:
        """A channel opens."""
        super().open_channel(number)
        return DoubtfulChannel(number, self.events, self.doubts)

    def undecided(self, question: Undecided) -> None:
        """Somebody has to be asked."""
        self.asked += 1

    def settle(self) -> None:
        """Answer until nothing is in doubt."""
        while self.connection.waits:
            self.connection.resume()


def outcome(pieces: list[bytes], doubts: list[bool], *, at_once: bool) -> tuple[Events, bytes, str]:
    """What becomes of the pieces if questions are answered at once, or after all input."""
    doubtful = Doubtful(doubts)
    for piece in pieces:
        doubtful.connection.receive_data(piece)
        if at_once:
            doubtful.settle()
    doubtful.settle()
    return doubtful.events, doubtful.output.take(), doubtful.connection.state


@given(COMMANDS, DOUBTS, st.lists(st.integers(0, 4000)))
def test_waiting_changes_nothing(commands: list[bytes], doubts: list[bool], cuts: list[int]) -> None:
    """Whenever the answers come, and however input is cut: the same commands in the same order, and the same output."""
    data = handshake() + method(1, "channel.open", "") + method(2, "channel.open", "") + b"".join(commands)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(edges)]
    expected = outcome([data], [], at_once=False)

    assert expected[-1] == RUNNING
    assert expected == outcome([data], doubts, at_once=False)
    assert expected == outcome(pieces, doubts, at_once=True)
    assert expected == outcome(pieces, doubts, at_once=False)


def test_a_close_ends_the_waiting() -> None:
    """A message that waits when its connection is closed is never published."""
    doubtful = Doubtful([False] * 3 + [True])
    data = handshake() + method(1, "channel.open", "") + publish(1, "x", "k", b"body")
    doubtful.connection.receive_data(data)
    assert doubtful.asked == 1
    doubtful.connection.lost()
    doubtful.settle()

    assert [] == [event for event in doubtful.events if event[0] == "basic.publish"]

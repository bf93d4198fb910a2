import pytest

from amqpd.errors import AccessRefused, NotAllowed
from amqpd.protocol.states import CLOSED, CLOSING, CONNECTION, HEADER, OPENING, RUNNING, STARTING, TUNING
from amqpd.wire import frames, methods
from amqpd.wire.methods import METHODS, Method
from helpers import client
from helpers.client import Heard, method
from helpers.recorder import OPEN, START_OK, Recorder, tune_ok

STEPS = {HEADER: 0, STARTING: 1, TUNING: 2, OPENING: 3, RUNNING: 4}
SAMPLES = {"u8": 0, "u16": 0, "u32": 0, "u64": 0, "bit": False, "shortstr": "", "longstr": b"", "table": b""}
ALLOWED = {(state, name) for state, names in CONNECTION.items() for name in names}


def arrived(state: str) -> Recorder:
    """A recorder whose connection is in this state."""
    recorder = Recorder()
    recorder.feed(*[client.HEADER, START_OK, tune_ok(), OPEN][: STEPS.get(state, 4)])
    if state == CLOSING:
        recorder.connection.close(NotAllowed("x"), 0)
    elif state == CLOSED:
        recorder.feed(method(0, "connection.close", 200, "", 0, 0))
    recorder.output.take()
    recorder.events.clear()
    assert recorder.connection.state == state
    return recorder


def sample(found: Method) -> bytes:
    """A frame of this method on channel 0."""
    payload = methods.encode(found, tuple(SAMPLES[kind] for kind in found.types))
    return frames.frame(frames.METHOD, 0, payload)


def test_the_table_knows_only_real_methods() -> None:
    """Every name in it has a row in the list of methods, every state a line in it."""
    assert {name for names in CONNECTION.values() for name in names} <= set(METHODS)
    assert {following for names in CONNECTION.values() for following in names.values()} <= set(CONNECTION)


@pytest.mark.parametrize("state", [STARTING, TUNING, OPENING, RUNNING, CLOSING, CLOSED])
def test_every_method_in_every_state(state: str) -> None:
    """What the table allows reaches the handler and leads on; anything else fails as the state demands (2.1)."""
    for name, found in METHODS.items():
        recorder = arrived(state)
        recorder.feed(sample(found))
        heard = [sent.name for sent in recorder.heard()]
        if (state, name) in ALLOWED:
            assert recorder.events[-1][0] == name
            assert recorder.connection.state == CONNECTION[state][name]
            assert heard == (["connection.close-ok"] if name == "connection.close" else [])
        elif state in {CLOSING, CLOSED}:
            assert ([], [], state) == (recorder.events, heard, recorder.connection.state)
        else:
            text = f"CHANNEL_ERROR - unexpected method in connection state {state}"
            is_told = state in {OPENING, RUNNING}
            assert recorder.events == [("closing", text, False) if is_told else ("dropped", text, False)]
            assert heard == (["connection.close"] if is_told else [])


@pytest.mark.parametrize("state", [STARTING, TUNING, OPENING])
def test_channels_wait_for_the_connection(state: str) -> None:
    """No channel is heard before connection.open is answered."""
    recorder = arrived(state)
    recorder.feed(method(1, "channel.open", ""))
    text = f"CHANNEL_ERROR - unexpected method in connection state {state}"

    assert recorder.events == [("closing", text, False) if state == OPENING else ("dropped", text, False)]


def test_a_refused_login_is_told_to_those_who_understand() -> None:
    """With authentication_failure_close 403 is sent, without it the socket is dropped at once (1.12)."""
    for is_told in (True, False):
        recorder = arrived(STARTING)
        recorder.failures["connection.start-ok"] = AccessRefused("no")
        recorder.connection.closes_on_refusal = is_told
        recorder.feed(START_OK)

        if is_told:
            assert [Heard(0, "connection.close", [403, "ACCESS_REFUSED - no", 0, 0])] == recorder.heard()
        else:
            assert recorder.events[-1] == ("dropped", "ACCESS_REFUSED - no", True)
            assert b"" == recorder.output.take()


def test_bad_limits_are_told_as_a_failure_of_tune() -> None:
    """530 with the ids of connection.tune (2.1)."""
    recorder = arrived(TUNING)
    recorder.failures["connection.tune-ok"] = NotAllowed("no")
    recorder.feed(tune_ok())

    assert [Heard(0, "connection.close", [530, "NOT_ALLOWED - no", 10, 30])] == recorder.heard()


def test_a_refused_virtual_host_is_told() -> None:
    """530 with the ids of connection.open."""
    recorder = arrived(OPENING)
    recorder.failures["connection.open"] = NotAllowed("no")
    recorder.feed(OPEN)

    assert [Heard(0, "connection.close", [530, "NOT_ALLOWED - no", 10, 40])] == recorder.heard()


def test_any_other_failure_of_the_handshake_is_not_told() -> None:
    """The peer is dropped after a pause (2.1)."""
    recorder = arrived(STARTING)
    recorder.failures["connection.start-ok"] = NotAllowed("no")
    recorder.feed(START_OK)

    assert recorder.events[-1] == ("dropped", "NOT_ALLOWED - no", False)

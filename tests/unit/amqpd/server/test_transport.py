import pytest

from amqpd.errors import ConnectionForced
from amqpd.server.flush import INPUT_LIMIT
from amqpd.server.transport import ALARM
from amqpd.wire.frames import HEARTBEAT_FRAME
from helpers import client
from helpers.client import method, publish
from helpers.pair import ConnectionPair, Hall, opened

GET = method(1, "basic.get", 0, "q", False)


def hoard(heartbeat: int = 0) -> ConnectionPair:
    """A pair with a queue of 20 messages of 200,000 bytes."""
    pair = opened(None, 1, heartbeat=heartbeat)
    pair.send(method(1, "queue.declare", 0, "q", False, False, False, False, False, b""))
    pair.send(*[publish(1, "", "q", bytes(200_000), parts=2)] * 20)
    pair.heard()
    return pair


def test_one_write_a_turn() -> None:
    """Whatever a turn's input led to is written at its end, at once."""
    pair = opened(None, 1)
    pair.send(*[method(1, "basic.qos", 0, 1, False)] * 5)

    assert len(pair.socket.written) == 1
    assert ["basic.qos-ok"] * 5 == [heard.name for heard in pair.heard()]


def test_replies_wait_for_the_disk() -> None:
    """queue.declare-ok leaves when the queue is durable, and whatever comes behind it waits too (rule 1)."""
    pair = opened(None, 1)
    pair.send(method(1, "queue.declare", 0, "q", False, True, False, False, False, b""))
    pair.send(method(1, "basic.qos", 0, 1, False))
    assert pair.hall.commits.kicks > 0
    assert [] == pair.heard()
    pair.hall.commit()
    assert ["queue.declare-ok", "basic.qos-ok"] == [heard.name for heard in pair.heard()]
    pair.send(method(1, "basic.qos", 0, 1, False))
    assert len(pair.heard()) == 1


def test_silence_is_answered_with_heartbeats() -> None:
    """One each half interval without another write; two silent intervals end it (specification 4.2.7)."""
    pair = opened(heartbeat=10)
    beats = []
    for _ in range(4):
        pair.loop.advance(5)
        beats.append(pair.socket.written == [HEARTBEAT_FRAME])
        pair.socket.written.clear()
    assert [False, True, True, True] == beats
    assert pair.socket.closed_by == ""
    pair.loop.advance(5)

    assert pair.socket.closed_by == "abort"
    assert pair.hall.everybody.left == 1


def test_anything_received_is_a_sign_of_life() -> None:
    """Heartbeats of the client keep it alive for ever; without a heartbeat nobody is watched."""
    pair, unwatched = opened(heartbeat=2), opened()
    for _ in range(50):
        pair.loop.advance(1.5)
        pair.send(HEARTBEAT_FRAME)
    unwatched.loop.advance(1e6)

    assert ("", "") == (pair.socket.closed_by, unwatched.socket.closed_by)


@pytest.mark.parametrize("said", [b"", client.HEADER, client.HEADER[:3]])
def test_a_handshake_has_its_time(said: bytes) -> None:
    """Who does not finish it is dropped."""
    pair = ConnectionPair(Hall(handshake_timeout="10"))
    pair.send(said)
    pair.loop.advance(9.9)
    assert pair.socket.closed_by == ""
    pair.loop.advance(0.2)
    assert pair.socket.closed_by == "abort"


def test_a_wrong_greeting_is_answered_and_dropped() -> None:
    """The right header, then the end."""
    pair = ConnectionPair()
    pair.send(b"GET / HTTP/1.1\r\n\r\n")

    assert ([client.HEADER], "close") == (pair.socket.written, pair.socket.closed_by)


def test_the_answer_to_a_close_is_waited_for() -> None:
    """The socket stays open for connection.close-ok, but not for ever (2.1)."""
    for is_answered in (True, False):
        pair = opened(None, 1)
        pair.send(method(1, "channel.open", ""))
        assert ["connection.close"] == [heard.name for heard in pair.heard()]
        assert pair.socket.closed_by == ""
        pair.loop.advance(29)
        assert pair.socket.closed_by == ""
        if is_answered:
            pair.send(method(0, "connection.close-ok"))
            assert pair.socket.closed_by == "close"
        else:
            pair.loop.advance(2)
            assert pair.socket.closed_by == "abort"


def test_after_a_frame_error_the_wait_is_short() -> None:
    """Three seconds: the answer could not be understood anyway."""
    pair = opened()
    pair.send(b"\x09" * 8)
    pair.loop.advance(2.9)
    assert pair.socket.closed_by == ""
    pair.loop.advance(0.2)
    assert pair.socket.closed_by == "abort"


def test_a_failed_handshake_ends_after_a_pause() -> None:
    """Nothing is said, and the socket is closed three seconds later (2.1)."""
    pair = ConnectionPair()
    pair.send(client.HEADER)
    pair.heard()
    pair.send(method(0, "connection.start-ok", b"", "NOSUCH", b"", "en_US"))
    assert ([], "") == (pair.heard(), pair.socket.closed_by)
    pair.send(method(0, "connection.start-ok", b"", "PLAIN", b"\0guest\0guest", "en_US"))
    pair.loop.advance(2.9)
    assert ([], "") == (pair.heard(), pair.socket.closed_by)
    pair.loop.advance(0.2)
    assert pair.socket.closed_by == "abort"


def test_a_clean_close() -> None:
    """close-ok is written, and the client may close its socket; one that does not is cut off later."""
    pair = opened(None, 1)
    pair.send(method(0, "connection.close", 200, "bye", 0, 0))

    assert ["connection.close-ok"] == [heard.name for heard in pair.heard()]
    pair.loop.advance(9.9)
    assert ("", 0) == (pair.socket.closed_by, pair.hall.everybody.left)
    pair.loop.advance(0.2)
    assert ("abort", 1) == (pair.socket.closed_by, pair.hall.everybody.left)


def test_a_slow_client_gets_no_more_deliveries() -> None:
    """While its buffer is full nothing is delivered; after that it goes on."""
    pair = opened(None, 1)
    pair.send(
        method(1, "queue.declare", 0, "q", False, False, False, False, False, b""),
        method(1, "basic.consume", 0, "q", "c", False, True, False, False, b""),
    )
    pair.heard()
    pair.transport.pause_writing()
    pair.send(publish(1, "", "q", b"x"))
    assert [] == pair.heard()
    pair.transport.resume_writing()
    pair.loop.run()
    assert [b"x"] == [heard.body for heard in pair.heard()]


def test_a_large_backlog_is_written_turn_by_turn() -> None:
    """No turn copies more than a bounded part of it into the output."""
    pair = opened(None, 1)
    pair.send(method(1, "queue.declare", 0, "q", False, False, False, False, False, b""))
    pair.send(publish(1, "", "q", bytes(50_000)) * 100)
    pair.heard()
    pair.send(method(1, "basic.consume", 0, "q", "c", False, True, False, False, b""))

    assert len(pair.socket.written) > 1
    assert max(map(len, pair.socket.written)) < 1_000_000
    assert len(pair.heard()) == 101


def test_reading_pauses_while_the_disk_is_behind() -> None:
    """Much input during a commit stops until the commit is done (rule 3 of the flush)."""
    pair = opened(None, 1)
    pair.hall.commits.busy = True
    pair.hall.flush_set.admit(INPUT_LIMIT, pair.peer.throttle)
    pair.send(publish(1, "", "nowhere", b""))
    assert not pair.socket.is_reading
    pair.hall.commit()
    assert pair.socket.is_reading


def test_reasons_to_pause_add_up() -> None:
    """Reading goes on when the last one is gone (rule 2)."""
    pair = opened()
    pair.transport.pause("alarm")
    pair.transport.pause("commit")
    pair.transport.resume("alarm")
    assert not pair.socket.is_reading
    pair.transport.resume("commit")
    pair.transport.resume("commit")
    assert pair.socket.is_reading


def test_who_is_not_read_is_not_dead() -> None:
    """While reading is paused, silence is the broker's own doing."""
    pair = opened(heartbeat=2)
    pair.transport.pause("alarm")
    pair.loop.advance(100)
    assert pair.socket.closed_by == ""


def test_answers_are_written_turn_by_turn() -> None:
    """However much a client asks for in one piece, no turn collects more than a bounded part of the answers."""
    pair = hoard()
    pair.send(GET * 20)

    assert 7 <= len(pair.socket.written)
    assert max(map(len, pair.socket.written)) < 1_000_000
    assert list(range(1, 21)) == [heard.values[0] for heard in pair.heard()]
    assert pair.socket.is_reading


def test_who_does_not_read_answers_is_not_answered() -> None:
    """What it asked for waits until it has read, and so does what it says then; that is not taken for silence (rule 4)."""
    pair = hoard(heartbeat=2)
    pair.transport.pause_writing()
    pair.send(GET * 20)
    assert 3 == len(pair.heard())
    pair.loop.advance(100)
    assert [] == [heard for heard in pair.heard() if heard.name != "heartbeat"]
    assert ("", False) == (pair.socket.closed_by, pair.socket.is_reading)
    pair.transport.resume_writing()
    pair.loop.run()
    assert 17 == len(pair.heard())
    assert pair.socket.is_reading


def test_answers_that_wait_for_the_disk_are_not_added_to() -> None:
    """As long as much output is held, nothing more is asked for."""
    pair = hoard()
    pair.send(method(1, "queue.declare", 0, "d", False, True, False, False, False, b""), GET * 20)
    assert [] == pair.heard()
    assert not pair.socket.is_reading
    pair.hall.commit()
    assert 21 == len(pair.heard())
    assert pair.socket.is_reading


def test_long_work_is_continued_in_another_turn() -> None:
    """Once the time of a turn is used up, the rest of the input waits, and nothing more is read (rule 4)."""
    pair = opened(None, 1)
    pair.hall.core.broker.clock.now = 0
    pair.connection.receive_data(method(1, "basic.qos", 0, 1, False) * 100)
    assert len(pair.transport.pieces) < 100
    assert not pair.socket.is_reading
    pair.loop.run()
    assert len(pair.heard()) == 100
    assert pair.socket.is_reading


def test_who_leaves_in_the_middle_of_long_work_is_gone() -> None:
    """What it asked for last is not done any more, as if it had not been read."""
    pair = opened(None, 1)
    pair.hall.core.broker.clock.now = 0
    pair.connection.receive_data(method(1, "basic.qos", 0, 1, False) * 100)
    pair.transport.connection_lost(None)
    pair.loop.run()
    assert ([], 1) == (pair.heard(), pair.hall.everybody.left)


def test_a_goodbye_of_the_blocked_is_heard_however_long_it_takes() -> None:
    """All that was withheld before it is acted on in one turn."""
    pair = opened(None, 1)
    pair.transport.block(ALARM)
    pair.hall.core.broker.clock.now = 0
    pair.transport.withhold(method(1, "basic.qos", 0, 1, False) * 100 + method(1, "channel.close", 200, "", 0, 0))
    assert len(pair.transport.pieces) == 101


def test_a_lost_socket_ends_everything() -> None:
    """Channels are closed, exclusive queues go, and nothing is written any more."""
    pair = opened(None, 1)
    pair.send(method(1, "queue.declare", 0, "q", False, False, True, False, False, b""))
    pair.transport.connection_lost(ConnectionResetError("reset"))
    pair.loop.run()

    assert {} == pair.connection.channels
    assert {} == pair.hall.core.vhost.queues
    assert pair.hall.everybody.left == 1


def test_the_broker_says_goodbye() -> None:
    """320 to those who are connected; those who are not yet are dropped."""
    pair, new = opened(None, 1), ConnectionPair()
    for each in (pair, new):
        each.hall.flush_set.begin()
        each.peer.force_close("shutdown")
        each.loop.run()

    assert [[320, "CONNECTION_FORCED - shutdown", 0, 0]] == [heard.values for heard in pair.heard()]
    assert new.socket.closed_by == "abort"
    assert ConnectionForced.code == 320


def test_loopback_is_recognised() -> None:
    """By the address of the client."""
    hosts = {"127.0.0.1": True, "127.8.9.1": True, "::1": True, "::ffff:127.0.0.1": True, "10.0.0.1": False, "::2": False}

    assert hosts == {host: ConnectionPair(host=host).transport.from_loopback for host in hosts}

"""How connections begin, and how they fail to."""

import time
from collections.abc import Callable

import pytest

from amqpd.broker import passwords
from amqpd.broker.users import User, Users
from conformance.client.connection import CAPABILITIES, Connection, amqplain, plain
from conformance.wire import frames
from conformance.wire.frames import PROTOCOL_HEADER, Frame
from conformance.wire.methods import encode_method
from helpers.broker import Broker, BrokerProcess

Connect = Callable[..., Connection]
REFUSED = "ACCESS_REFUSED - Login was refused using authentication mechanism {}. For details see the broker logfile."


def tuning(connection: Connection, response: bytes = plain("guest", "guest"), mechanism: str = "PLAIN") -> Connection:
    """The connection, logged in, before its answer to connection.tune."""
    connection.start()
    connection.start_ok(response, mechanism)
    return connection


@pytest.mark.parametrize(
    "header", [b"AMQP\x01\x01\x00\x0a", b"AMQP\x00\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"]
)
def test_another_protocol_is_answered_with_this_one(broker: Broker, dial: Connect, header: bytes) -> None:
    """Any other protocol header gets the right one and the end of TCP (specification 4.2.2)."""
    connection = dial(broker)
    connection.link.send_octets(header)
    assert PROTOCOL_HEADER == connection.read_to_end()


@pytest.mark.parametrize("said", [b"", b"AMQP", PROTOCOL_HEADER])
def test_a_slow_handshake_is_cut(start_broker: Callable[..., BrokerProcess], dial: Connect, said: bytes) -> None:
    """Whoever is not done after the handshake timeout is dropped, wherever he stopped."""
    connection = dial(start_broker("--handshake-timeout", "0.4"))
    connection.link.send_octets(said)
    begin = time.monotonic()
    connection.read_to_end(timeout=5)
    assert 0.3 < time.monotonic() - begin


def test_the_handshake_timeout_ends_with_the_handshake(start_broker: Callable[..., BrokerProcess], connect: Connect) -> None:
    """An open connection may be silent for longer."""
    connection = connect(start_broker("--handshake-timeout", "0.4"))
    time.sleep(0.6)
    connection.must_live()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_opening_may_be_pipelined(broker: Broker, dial: Connect, size: int) -> None:
    """A client that knows what it will say need not wait for the answers, whatever pieces its words arrive in."""
    connection = dial(broker)
    connection.link.send_octets(PROTOCOL_HEADER)
    client = {"client_properties": {"capabilities": CAPABILITIES}, "mechanism": "PLAIN", "locale": "en_US"}
    opening = [
        method(0, "connection.start-ok", **client, response=plain("guest", "guest")),
        method(0, "connection.tune-ok", channel_max=10, frame_max=8192),
        method(0, "connection.open", virtual_host="/"),
        method(1, "channel.open"),
        method(1, "queue.declare", exclusive=True),
    ]
    connection.link.send_slices(opening, size)
    for name in ("connection.start", "connection.tune", "connection.open-ok"):
        connection.wait(name)
    connection.wait("channel.open-ok", channel=1)
    connection.wait("queue.declare-ok", channel=1)


def method(channel: int, name: str, **arguments: object) -> Frame:
    """The frame of a method."""
    return Frame(frames.METHOD, channel, encode_method(name, dict(arguments)))


def test_frames_are_as_small_as_agreed(broker: Broker, connect: Connect) -> None:
    """With the least frame_max, a large body comes in many frames, none of which exceeds it."""
    channel = connect(broker, frame_max=4096).channel()
    queue = channel.queue()
    for size in (4087, 4088, 4089, 100_000):
        body = bytes(range(256)) * (size // 256) + bytes(size % 256)
        channel.publish(body, routing_key=queue)
        message = channel.must_get(queue)
        assert body == message.body
        assert all(len(frame.payload) <= 4088 for frame in message.body_frames)
        assert -(-size // 4088) == len(message.body_frames)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"frame_max": 4095}, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"),
        ({"frame_max": 131073}, "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"),
        ({"frame_max": 0}, "negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"),
        ({"channel_max": 2048}, "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"),
        ({"channel_max": 0}, "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
    ],
)
def test_limits_beyond_the_offer_are_refused(broker: Broker, dial: Connect, limits: dict[str, int], text: str) -> None:
    """A tune-ok may only ask for less (specification 1.4.2.6)."""
    connection = tuning(dial(broker))
    connection.tune_ok(connection.wait("connection.tune"), **limits)
    assert f"NOT_ALLOWED - {text}" == connection.must_close(530, "connection.tune").reply_text


def test_channel_max_is_kept(broker: Broker, connect: Connect) -> None:
    """As many channels as agreed can be opened; one with a higher number ends the connection."""
    connection = connect(broker, channel_max=2)
    connection.channel(1)
    connection.channel(2)
    connection.bare_channel(3).send("channel.open")
    text = "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)"
    assert text == connection.must_close(530, "channel.open").reply_text


@pytest.mark.parametrize("mechanism", ["PLAIN", "AMQPLAIN"])
@pytest.mark.parametrize(("user", "password"), [("guest", "wrong"), ("guest", ""), ("nobody", "guest"), ("", "")])
def test_a_capable_client_is_told_that_it_is_refused(
    broker: Broker, dial: Connect, mechanism: str, user: str, password: str
) -> None:
    """connection.close 403 before TCP ends, with the same words whether the user exists or not."""
    encode = plain if mechanism == "PLAIN" else amqplain
    connection = tuning(dial(broker), encode(user, password), mechanism)
    close = connection.must_end_by_close(403)
    assert (REFUSED.format(mechanism), 0, 0) == (close.reply_text, close.class_id, close.method_id)


def test_an_old_client_is_just_dropped(broker: Broker, dial: Connect) -> None:
    """Without the capability authentication_failure_close, TCP ends with no frame at all."""
    connection = dial(broker)
    connection.start()
    connection.start_ok(plain("guest", "wrong"), capabilities={})
    assert b"" == connection.read_to_end()


def test_amqplain_logs_in(broker: Broker, dial: Connect) -> None:
    """The mechanism of AMQP 0-8 is offered and works."""
    connection = dial(broker)
    assert "AMQPLAIN" in connection.start().mechanisms.split()
    connection.start_ok(amqplain("guest", "guest"), "AMQPLAIN")
    connection.tune_ok(connection.wait("connection.tune"))
    connection.open("/")
    connection.must_live()


def test_a_virtual_host_that_does_not_exist_is_refused(broker: Broker, dial: Connect) -> None:
    """connection.open fails with 530."""
    connection = tuning(dial(broker))
    connection.tune_ok(connection.wait("connection.tune"))
    connection.send("connection.open", virtual_host="nowhere")
    assert "NOT_ALLOWED - vhost nowhere not found" == connection.must_close(530, "connection.open").reply_text


def test_a_secret_can_be_updated(broker: Broker, connect: Connect) -> None:
    """connection.update-secret is answered, and the connection lives on."""
    connection = connect(broker)
    connection.call("connection.update-secret", new_secret="anything", reason="renewal")
    connection.must_live()


def test_the_default_user_comes_from_this_machine_only() -> None:
    """Guest has the right password everywhere, and may log in over loopback alone; other users from anywhere."""
    users = Users()
    for name in ("guest", "worker"):
        users.by_name[name] = User(name, passwords.hash_password("secret"), passwords.SHA256, ())
    assert users.by_name["guest"] is users.login("guest", "secret", True)
    assert "user 'guest' can only connect via localhost" == users.login("guest", "secret", False)
    assert users.by_name["worker"] is users.login("worker", "secret", False)

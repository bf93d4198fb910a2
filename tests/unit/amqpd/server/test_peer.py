import pytest

from amqpd.protocol.handshake import CAPABILITIES
from amqpd.protocol.states import RUNNING
from amqpd.wire import tables
from helpers import client
from helpers.client import method
from helpers.pair import ConnectionPair, Hall, opened


def test_the_broker_introduces_itself() -> None:
    """As RabbitMQ, with its capabilities, mechanisms and locale (1.2)."""
    pair = ConnectionPair()
    pair.send(client.HEADER)
    (heard,) = pair.heard()
    properties = heard.values[2]
    assert isinstance(properties, bytes)
    found = tables.decode(properties)

    assert [0, 9, b"PLAIN AMQPLAIN", b"en_US"] == [*heard.values[:2], *heard.values[3:]]
    assert found["capabilities"] == dict.fromkeys(CAPABILITIES, True)
    assert found["product"] == "RabbitMQ"
    assert {"version", "platform", "information", "copyright", "cluster_name"} <= set(found)


def test_limits_are_offered_as_configured() -> None:
    """connection.tune carries the options."""
    pair = ConnectionPair(Hall(channel_max="100", frame_max="8192", heartbeat="7"))
    pair.send(client.HEADER, method(0, "connection.start-ok", b"", "PLAIN", b"\0guest\0guest", "en_US"))

    assert [100, 8192, 7] == pair.heard()[-1].values


def test_greeting() -> None:
    """start, tune, open-ok; the connection runs."""
    pair = ConnectionPair()
    pair.greet()

    assert ["connection.start", "connection.tune", "connection.open-ok"] == [heard.name for heard in pair.heard()]
    assert pair.connection.state == RUNNING


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1"])
def test_a_refused_login(host: str) -> None:
    """403 for clients that can hear it, silence and the end for others; guest is refused from elsewhere (1.12)."""
    password = "guest" if host == "10.0.0.1" else "wrong"
    told, untold = ConnectionPair(host=host), ConnectionPair(host=host)
    told.greet(password, authentication_failure_close=True)
    untold.greet(password)
    text = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."

    assert [403, text, 0, 0] == told.heard()[-1].values
    assert ["connection.start"] == [heard.name for heard in untold.heard()]
    assert ("", "close") == (told.socket.closed_by, untold.socket.closed_by)


def test_an_unknown_virtual_host() -> None:
    """530, blaming connection.open."""
    pair = ConnectionPair()
    pair.greet(vhost="nowhere")

    assert [530, "NOT_ALLOWED - vhost nowhere not found", 10, 40] == pair.heard()[-1].values


def test_secrets_can_be_updated() -> None:
    """Any will do (2.4)."""
    assert opened().call("connection.update-secret", b"new", "reason", channel=0).name == "connection.update-secret-ok"


def test_consumers_are_told_of_a_deleted_queue_if_they_understand() -> None:
    """The capability consumer_cancel_notify decides."""
    for is_told in (True, False):
        pair = opened(None, 1, consumer_cancel_notify=is_told)
        pair.call("queue.declare", 0, "q", False, False, False, False, False, b"")
        pair.call("basic.consume", 0, "q", "c", False, False, False, False, b"")
        pair.send(method(1, "queue.delete", 0, "q", False, False, False))
        expected = ["basic.cancel"] if is_told else []
        assert [*expected, "queue.delete-ok"] == [heard.name for heard in pair.heard()]


def test_no_channel_of_a_lost_connection_gets_what_another_one_gives_back() -> None:
    """A message that expires as it comes back is dead-lettered past the consumers of the same connection."""
    hall = Hall()
    lost, other = opened(hall, 1, 2), opened(hall, 1)
    arguments = tables.encode({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    other.send(
        method(1, "queue.declare", 0, "timed", False, False, False, False, False, arguments),
        method(1, "queue.declare", 0, "dead", False, False, False, False, False, b""),
    )
    lost.send(
        method(1, "basic.consume", 0, "timed", "holds", False, False, False, False, b""),
        method(2, "basic.consume", 0, "dead", "swallows", False, True, False, False, b""),
    )
    other.send(client.publish(1, "", "timed", b"precious", expiration="0"))
    lost.transport.connection_lost(None)
    hall.loop.run()
    other.heard()
    other.send(method(1, "basic.get", 0, "dead", True))

    assert ["basic.get-ok"] == [heard.name for heard in other.heard()]

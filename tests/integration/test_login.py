"""Ways to log in, and limits to it."""

from collections.abc import Callable

import pytest

from amqpd.broker.patience import FAILURES
from conformance.client.connection import Connection, plain
from conformance.mismatch import Mismatch
from conformance.wire.frames import PROTOCOL_HEADER
from helpers.broker import Broker, BrokerProcess
from helpers.users import give, refusal

Start = Callable[..., BrokerProcess]
Dial = Callable[[Broker], Connection]

LOGIN_REFUSED = "ACCESS_REFUSED - Login was refused using authentication mechanism"


def test_nobody_in_particular(start_broker: Start, dial: Dial) -> None:
    """With ANONYMOUS among the mechanisms clients log in as the user that is configured."""
    broker = start_broker("--mechanisms", "PLAIN,ANONYMOUS", "--anonymous-user", "public")
    connection = dial(broker)
    assert f"{LOGIN_REFUSED} ANONYMOUS" in refusal(dial(broker), b"trace", "ANONYMOUS")
    give(broker, "public", "", write=".*")

    assert refusal(connection, b"trace", "ANONYMOUS") == ""
    assert LOGIN_REFUSED in refusal(dial(broker), plain("public", ""))


@pytest.mark.parametrize("mechanism", ["ANONYMOUS", "EXTERNAL"])
def test_mechanisms_that_are_not_offered(broker: Broker, dial: Dial, mechanism: str) -> None:
    """By default there are PLAIN and AMQPLAIN; whoever tries another one is dropped without a word."""
    connection = dial(broker)
    mechanisms = connection.start().mechanisms
    connection.start_ok(b"guest", mechanism)
    with pytest.raises(Mismatch, match="closed the TCP connection"):
        connection.wait("connection.tune")

    assert {"PLAIN", "AMQPLAIN"} == set(mechanisms.split())


def test_a_mechanism_that_is_configured_away(start_broker: Start, dial: Dial) -> None:
    """Only what is offered is accepted."""
    broker = start_broker("--mechanisms", "AMQPLAIN")
    connection = dial(broker)
    assert connection.start().mechanisms == "AMQPLAIN"
    connection.start_ok(plain("guest", "guest"))
    with pytest.raises(Mismatch, match="closed the TCP connection"):
        connection.wait("connection.tune")


def test_users_of_this_machine(start_broker: Start, dial: Dial) -> None:
    """It is configured who may log in from here alone; the address that counts is the one that a proxy tells."""
    broker = start_broker("--loopback-users", "bob", "--proxy-protocol", "on")
    give(broker, "bob", "secret")
    away, here = (f"PROXY TCP4 {host} 127.0.0.1 1 2\r\n".encode() for host in ("192.0.2.1", "127.0.0.9"))

    assert LOGIN_REFUSED in refusal(dial(broker), plain("bob", "secret"), header=away + PROTOCOL_HEADER)
    assert refusal(dial(broker), plain("bob", "secret"), header=here + PROTOCOL_HEADER) == ""
    assert refusal(dial(broker), plain("guest", "guest"), header=away + PROTOCOL_HEADER) == ""


def test_open_connections_are_limited(start_broker: Start, dial: Dial) -> None:
    """One more than connection-max is refused with 530, until one of the others is closed."""
    broker = start_broker("--connection-max", "2")
    first, second, third, fourth = (dial(broker) for _ in range(4))
    texts = [refusal(connection, plain("guest", "guest")) for connection in (first, second, third)]
    first.close()

    assert ["", "", "NOT_ALLOWED - connection refused: node connection limit (2) is reached"] == texts
    assert refusal(fourth, plain("guest", "guest")) == ""


def test_guessing_ends(start_broker: Start, dial: Dial) -> None:
    """After many failures the right password is of no use either, for that user."""
    broker = start_broker()
    give(broker, "bob", "secret")
    for _ in range(FAILURES):
        assert LOGIN_REFUSED in refusal(dial(broker), plain("guest", "wrong"))

    assert LOGIN_REFUSED in refusal(dial(broker), plain("guest", "guest"))
    assert refusal(dial(broker), plain("bob", "secret")) == ""
    assert "too many failed logins from 127.0.0.1" in broker.stderr

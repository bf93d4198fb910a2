"""Ways to log in, and limits to it."""

from collections.abc import Callable

import pika
import pytest
from pika.exceptions import (
    AMQPConnectionError,
    ConnectionClosedByBroker,
    IncompatibleProtocolError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from amqpd.broker.patience import FAILURES
from conformance.client.connection import plain
from conformance.wire.frames import PROTOCOL_HEADER
from helpers import traffic
from helpers.broker import BrokerProcess
from helpers.users import give

Start = Callable[..., BrokerProcess]


class Anonymous(pika.PlainCredentials):
    """Nobody in particular."""

    TYPE = "ANONYMOUS"

    def __init__(self) -> None:
        super().__init__("", "")

    def response_for(self, start: pika.spec.Connection.Start) -> tuple[str | None, bytes | None]:
        """RFC 4505: any trace information."""
        return ("ANONYMOUS", b"somebody") if b"ANONYMOUS" in bytes(start.mechanisms).split() else (None, None)


def parameters(broker: BrokerProcess, **more: object) -> pika.ConnectionParameters:
    """How pika connects."""
    return pika.ConnectionParameters("127.0.0.1", broker.port, **more)


@pytest.fixture(autouse=True)
def _anonymous_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pika.credentials, "VALID_TYPES", [*pika.credentials.VALID_TYPES, Anonymous])


def test_nobody_in_particular(start_broker: Start) -> None:
    """With ANONYMOUS among the mechanisms clients log in as the user that is configured."""
    broker = start_broker("--mechanisms", "PLAIN,ANONYMOUS", "--anonymous-user", "public")
    give(broker, "public", "", write=".*")
    connection = pika.BlockingConnection(parameters(broker, credentials=Anonymous()))
    connection.channel().basic_publish("amq.fanout", "", b"", pika.BasicProperties(user_id="public"))
    connection.close()


def test_nobody_by_default(start_broker: Start) -> None:
    """ANONYMOUS is not offered."""
    broker = start_broker()
    with pytest.raises((AMQPConnectionError, IncompatibleProtocolError)):
        pika.BlockingConnection(parameters(broker, credentials=Anonymous()))


def test_users_of_this_machine(start_broker: Start) -> None:
    """It is configured who may log in from here alone; the address that counts is the one that a proxy tells."""
    broker = start_broker("--loopback-users", "bob", "--proxy-protocol", "on")
    give(broker, "bob", "secret")
    away, here = b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"

    assert ["connection.close", "connection.tune", "connection.tune"] == [
        login(broker, away, "bob", "secret"),
        login(broker, here, "bob", "secret"),
        login(broker, away, "guest", "guest"),
    ]


def login(broker: BrokerProcess, header: bytes, user: str, password: str) -> str:
    """What the broker answers to a login that comes after this header."""
    connection = traffic.dial(broker)
    try:
        connection.start(header + PROTOCOL_HEADER)
        connection.start_ok(plain(user, password))
        return connection.wait("connection.tune", "connection.close").name
    finally:
        connection.drop()


def test_open_connections_are_limited(start_broker: Start) -> None:
    """One more than connection-max is refused with 530, until one of the others is closed."""
    broker = start_broker("--connection-max", "2")
    first, second = (pika.BlockingConnection(parameters(broker)) for _ in range(2))
    with pytest.raises((ConnectionClosedByBroker, ProbableAccessDeniedError)) as found:
        pika.BlockingConnection(parameters(broker))
    first.close()
    pika.BlockingConnection(parameters(broker)).close()
    second.close()

    assert "NOT_ALLOWED - connection refused: node connection limit (2) is reached" in str(found.value)


def test_guessing_ends(start_broker: Start) -> None:
    """After many failures the right password is of no use either, for that user."""
    broker = start_broker()
    give(broker, "bob", "secret")
    wrong = pika.PlainCredentials("guest", "wrong")
    for _ in range(FAILURES):
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(parameters(broker, credentials=wrong))
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(parameters(broker))

    pika.BlockingConnection(parameters(broker, credentials=pika.PlainCredentials("bob", "secret"))).close()
    assert "too many failed logins from 127.0.0.1" in broker.stderr

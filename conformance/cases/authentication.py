"""Authentication: mechanisms, their responses, and the two ways in which a login is refused."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import BEYOND, EXTENSION, SHOULD, Area
from conformance.client.connection import CAPABILITIES, Connection, amqplain, plain
from conformance.mismatch import Unsupported, require
from conformance.wire.values import encode_field, encode_shortstr

authentication = Area("authentication", "Authentication")

SASL = "AMQP 0-9-1 connection.start-ok.response"
REFUSAL = "RabbitMQ: authentication failure close"
PATIENCE = 8.0


def attempt(broker: Broker, response: bytes, mechanism: str = "PLAIN", capable: bool = True) -> Connection:
    """A connection that has just sent this response."""
    connection = broker.dial()
    connection.start()
    connection.start_ok(response, mechanism, CAPABILITIES if capable else {})
    return connection


@authentication.table(
    "login",
    "Valid credentials are accepted by {}",
    SASL,
    [("PLAIN", "PLAIN"), ("AMQPLAIN", "AMQPLAIN")],
)
def _(broker: Broker, mechanism: str) -> None:
    connection = attempt(broker, broker.credentials(mechanism), mechanism)
    connection.tune_ok(connection.wait("connection.tune"))
    connection.open(broker.vhost)


def wrong_password(broker: Broker) -> bytes:
    """The caller's user with another password."""
    return plain(broker.target.amqp.user, "not the password")


def unknown_user(broker: Broker) -> bytes:
    """A user that does not exist."""
    return plain(broker.name("user"), "secret")


def empty_password(broker: Broker) -> bytes:
    """The caller's user without a password."""
    return plain(broker.target.amqp.user, "")


def empty_user(broker: Broker) -> bytes:
    """No user name."""
    del broker
    return plain("", "secret")


REFUSED = [
    ("wrong password", wrong_password),
    ("unknown user", unknown_user),
    ("empty password", empty_password),
    ("empty user", empty_user),
]


@authentication.table(
    "login.refused.close",
    "{}: a client that announced authentication_failure_close gets connection.close 403",
    REFUSAL,
    REFUSED,
    EXTENSION,
)
def _(broker: Broker, response: Any) -> None:
    attempt(broker, response(broker)).must_end_by_close(403)


@authentication.table(
    "login.refused.drop",
    "{}: another client is disconnected without connection.close",
    "AMQP 0-9-1 4.10.2 Denial of service; connection.start-ok",
    REFUSED,
)
def _(broker: Broker, response: Any) -> None:
    attempt(broker, response(broker), capable=False).must_drop(timeout=PATIENCE)


@authentication.table("login.refused", "{}: the login is refused", SASL, REFUSED)
def _(broker: Broker, response: Any) -> None:
    attempt(broker, response(broker)).must_end(403, 530, timeout=PATIENCE)


@authentication.case("login.refused.amqplain", "A wrong password is refused by AMQPLAIN too", SASL)
def _(broker: Broker) -> None:
    response = amqplain(broker.target.amqp.user, "not the password")
    attempt(broker, response, "AMQPLAIN").must_end(403, 530, timeout=PATIENCE)


@authentication.case(
    "login.refused.text", "The refusal says which mechanism was used and nothing about the reason", REFUSAL, EXTENSION
)
def _(broker: Broker) -> None:
    close = attempt(broker, wrong_password(broker)).must_end_by_close(403)
    expected = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."
    require(close.reply_text.startswith(expected), expected, close.reply_text)


@authentication.case(
    "login.refused.same-text",
    "An unknown user and a wrong password are refused in the same words",
    "Security: no user enumeration",
    SHOULD,
)
def _(broker: Broker) -> None:
    texts = {attempt(broker, response(broker)).must_end_by_close(403).reply_text for _, response in REFUSED[:2]}
    require(len(texts) == 1, "one text", sorted(texts))


@authentication.case("login.refused.ids", "The refusal's class and method ids are zero", REFUSAL, EXTENSION)
def _(broker: Broker) -> None:
    close = attempt(broker, wrong_password(broker)).must_end_by_close(403)
    require((close.class_id, close.method_id) == (0, 0), "ids 0 and 0", close)


@authentication.case(
    "plain.authzid",
    "PLAIN's authorization identity is ignored",
    "RFC 4616",
    EXTENSION,
    deviations={"RabbitMQ 3.10": "version difference: it wants the identity empty"},
)
def _(broker: Broker) -> None:
    attempt(broker, b"someone" + broker.credentials()).wait("connection.tune")


@authentication.table(
    "plain.malformed",
    "A malformed PLAIN response ({}) is refused, and the connection ends",
    "RFC 4616",
    [("empty", b""), ("no zero octet", b"guest"), ("one zero octet", b"\0guest"), ("too many", b"\0a\0b\0c\0d")],
)
def _(broker: Broker, response: bytes) -> None:
    attempt(broker, response).must_end(403, 501, 502, 530, timeout=PATIENCE)


@authentication.table(
    "amqplain.malformed",
    "A malformed AMQPLAIN response ({}) is refused, and the connection ends",
    "RabbitMQ: AMQPLAIN",
    [
        ("empty", b""),
        ("no password", encode_shortstr("LOGIN") + encode_field("guest")),
        ("no table", b"\xffguest"),
        (
            "login as a number",
            encode_shortstr("LOGIN") + encode_field(7) + encode_shortstr("PASSWORD") + encode_field(7),
        ),
    ],
    EXTENSION,
)
def _(broker: Broker, response: bytes) -> None:
    attempt(broker, response, "AMQPLAIN").must_end(403, 501, 502, 530, 541, timeout=PATIENCE)


@authentication.table(
    "mechanism.unknown",
    "The mechanism {!r} that was not offered is refused, and the connection ends",
    "AMQP 0-9-1 connection.start-ok.mechanism",
    [("NONE", "NONE"), ("empty", ""), ("plain", "plain"), ("GSSAPI", "GSSAPI")],
)
def _(broker: Broker, mechanism: str) -> None:
    attempt(broker, broker.credentials(), mechanism).must_end(403, 501, 503, 504, 530, timeout=PATIENCE)


@authentication.case("login.long-password", "A password of 5000 octets is refused like any wrong one", SASL, SHOULD)
def _(broker: Broker) -> None:
    response = plain(broker.target.amqp.user, "x" * 3000)
    attempt(broker, response).must_end(403, 530, timeout=PATIENCE)


@authentication.case("login.again", "A refused login does not hinder the next connection", SASL)
def _(broker: Broker) -> None:
    attempt(broker, wrong_password(broker)).must_end(403, 530, timeout=PATIENCE)
    broker.connect().must_live()


@authentication.case(
    "user.created",
    "A user created by the management API can log in",
    "RabbitMQ: access control",
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    user = broker.new_user(configure=".*", write=".*", read=".*")
    broker.connect(user=user).must_live()


@authentication.case(
    "user.unicode", "User names and passwords are UTF-8", "RabbitMQ: access control", EXTENSION, ["management"]
)
def _(broker: Broker) -> None:
    user = broker.name("jürgen"), "pässwörd ☃"
    broker.http.put("users", user[0], body={"password": user[1], "tags": ""})
    broker.on_cleanup(lambda: broker.http.delete("users", user[0]))
    broker.permit(user[0], configure=".*", write=".*", read=".*")
    broker.connect(user=user).must_live()


@authentication.case(
    "user.no-permission",
    "A user without permissions for the virtual host is refused with 530",
    "RabbitMQ: access control",
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    user = broker.name("user"), "secret"
    broker.http.put("users", user[0], body={"password": user[1], "tags": ""})
    broker.on_cleanup(lambda: broker.http.delete("users", user[0]))
    connection = attempt(broker, plain(*user))
    connection.tune_ok(connection.wait("connection.tune"))
    connection.send("connection.open", virtual_host=broker.vhost)
    connection.must_close(530, "connection.open")


@authentication.case(
    "user.no-password",
    "A user without a password cannot log in with an empty one",
    "RabbitMQ: passwordless users",
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    user = broker.name("user")
    broker.http.put("users", user, body={"password_hash": "", "tags": ""})
    broker.on_cleanup(lambda: broker.http.delete("users", user))
    attempt(broker, plain(user, "")).must_end_by_close(403)


@authentication.case(
    "user.changed-password",
    "After a change of password only the new one is valid",
    "RabbitMQ: access control",
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    user, _ = broker.new_user(configure=".*", write=".*", read=".*")
    broker.http.put("users", user, body={"password": "changed", "tags": ""})
    attempt(broker, plain(user, "secret")).must_end_by_close(403)
    broker.connect(user=(user, "changed")).must_live()


@authentication.case(
    "user.deleted", "A deleted user can no longer log in", "RabbitMQ: access control", EXTENSION, ["management"]
)
def _(broker: Broker) -> None:
    user = broker.new_user(configure=".*", write=".*", read=".*")
    broker.http.delete("users", user[0])
    attempt(broker, plain(*user)).must_end_by_close(403)


@authentication.case(
    "mechanism.anonymous",
    "ANONYMOUS, where it is offered, logs in without credentials",
    "RabbitMQ 4: ANONYMOUS",
    BEYOND,
)
def _(broker: Broker) -> None:
    connection = broker.dial()
    start = connection.start()
    if "ANONYMOUS" not in start.mechanisms.split(" "):
        raise Unsupported("ANONYMOUS is not offered")
    connection.start_ok(b"", "ANONYMOUS")
    connection.wait("connection.tune")

"""The exact texts of errors, which client libraries and log parsers read."""

from collections.abc import Callable
from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

texts = Area("reply-texts", "Reply texts")

SPEC = "RabbitMQ: reply texts"
INEQUIVALENT = "PRECONDITION_FAILED - inequivalent arg"
# title, arguments of the first queue.declare, of the second, text with Q for the queue and V for the virtual host
QUEUES: Final[list[tuple[str, dict[str, Any], dict[str, Any], str]]] = [
    ("durable", {}, {"durable": True}, "'durable' for queue 'Q' in vhost 'V': received 'true' but current is 'false'"),
    (
        "auto_delete",
        {"auto_delete": True},
        {},
        "'auto_delete' for queue 'Q' in vhost 'V': received 'false' but current is 'true'",
    ),
    (
        "argument added",
        {},
        {"arguments": {"x-max-length": 20}},
        "'x-max-length' for queue 'Q' in vhost 'V': received the value '20' of type 'signedint' but current is none",
    ),
    (
        "argument removed",
        {"arguments": {"x-message-ttl": 1800000}},
        {},
        "'x-message-ttl' for queue 'Q' in vhost 'V': received none but current is the value '1800000' of type 'signedint'",
    ),
    (
        "argument of a long",
        {"arguments": {"x-message-ttl": 2**35}},
        {},
        "'x-message-ttl' for queue 'Q' in vhost 'V': received none but current is the value '34359738368' of type 'long'",
    ),
    (
        "argument changed",
        {"arguments": {"x-max-length": 10}},
        {"arguments": {"x-max-length": 20}},
        "'x-max-length' for queue 'Q' in vhost 'V': received '20' but current is '10'",
    ),
    (
        "text argument added",
        {},
        {"arguments": {"x-dead-letter-exchange": "x"}},
        "'x-dead-letter-exchange' for queue 'Q' in vhost 'V': received the value 'x' of type 'longstr' but current is none",
    ),
]


@texts.table("text.queue.inequivalent", "The text when a queue is declared again: {}", SPEC, QUEUES, EXTENSION)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any], text: str) -> None:
    channel, queue = broker.channel(), broker.name()
    channel.call("queue.declare", queue=queue, **first)
    close = channel.refuses(406, "queue.declare", queue=queue, **second)
    equal("text", f"{INEQUIVALENT} {text.replace('Q', queue).replace('V', broker.vhost)}", close.reply_text)


EXCHANGES: Final[list[tuple[str, dict[str, Any], dict[str, Any], str]]] = [
    (
        "durable",
        {},
        {"durable": True},
        "'durable' for exchange 'X' in vhost 'V': received 'true' but current is 'false'",
    ),
    (
        "auto_delete",
        {},
        {"auto_delete": True},
        "'auto_delete' for exchange 'X' in vhost 'V': received 'true' but current is 'false'",
    ),
    (
        "internal",
        {"internal": True},
        {},
        "'internal' for exchange 'X' in vhost 'V': received 'false' but current is 'true'",
    ),
    (
        "alternate added",
        {},
        {"arguments": {"alternate-exchange": "a"}},
        "'alternate-exchange' for exchange 'X' in vhost 'V': received the value 'a' of type 'longstr' but current is none",
    ),
    (
        "alternate changed",
        {"arguments": {"alternate-exchange": "a"}},
        {"arguments": {"alternate-exchange": "b"}},
        "'alternate-exchange' for exchange 'X' in vhost 'V': received 'b' but current is 'a'",
    ),
]


@texts.table("text.exchange.inequivalent", "The text when an exchange is declared again: {}", SPEC, EXCHANGES, EXTENSION)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any], text: str) -> None:
    channel, exchange = broker.channel(), broker.name("x")
    channel.call("exchange.declare", exchange=exchange, type="direct", **first)
    close = channel.refuses(406, "exchange.declare", exchange=exchange, type="direct", **second)
    equal("text", f"{INEQUIVALENT} {text.replace('X', exchange).replace('V', broker.vhost)}", close.reply_text)


# title, method, arguments with N for a name that does not exist, text
SIMPLE: Final[list[tuple[str, str, dict[str, Any], str]]] = [
    ("passive queue", "queue.declare", {"queue": "N", "passive": True}, "NOT_FOUND - no queue 'N' in vhost 'V'"),
    ("consume", "basic.consume", {"queue": "N"}, "NOT_FOUND - no queue 'N' in vhost 'V'"),
    ("get", "basic.get", {"queue": "N"}, "NOT_FOUND - no queue 'N' in vhost 'V'"),
    ("purge", "queue.purge", {"queue": "N"}, "NOT_FOUND - no queue 'N' in vhost 'V'"),
    (
        "passive exchange",
        "exchange.declare",
        {"exchange": "N", "passive": True},
        "NOT_FOUND - no exchange 'N' in vhost 'V'",
    ),
    ("no last queue", "basic.get", {}, "NOT_FOUND - no previously declared queue"),
    ("unknown tag", "basic.ack", {"delivery_tag": 42}, "PRECONDITION_FAILED - unknown delivery tag 42"),
    ("unknown tag rejected", "basic.reject", {"delivery_tag": 43}, "PRECONDITION_FAILED - unknown delivery tag 43"),
    ("not transactional commit", "tx.commit", {}, "PRECONDITION_FAILED - channel is not transactional"),
    ("not transactional rollback", "tx.rollback", {}, "PRECONDITION_FAILED - channel is not transactional"),
    (
        "default exchange",
        "exchange.delete",
        {"exchange": ""},
        "ACCESS_REFUSED - operation not permitted on the default exchange",
    ),
    (
        "system exchange",
        "exchange.delete",
        {"exchange": "amq.direct"},
        "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost 'V' not allowed",
    ),
    (
        "reserved queue",
        "queue.declare",
        {"queue": "amq.q"},
        "ACCESS_REFUSED - queue name 'amq.q' contains reserved prefix 'amq.*'",
    ),
    (
        "reserved exchange",
        "exchange.declare",
        {"exchange": "amq.x", "type": "direct"},
        "ACCESS_REFUSED - exchange name 'amq.x' contains reserved prefix 'amq.*'",
    ),
    (
        "dead letter key alone",
        "queue.declare",
        {"queue": "N", "arguments": {"x-dead-letter-routing-key": "k"}},
        (
            "PRECONDITION_FAILED - invalid arg 'x-dead-letter-routing-key' for queue 'N' in vhost 'V': "
            "routing_key_but_no_dlx_defined"
        ),
    ),
    (
        "expires zero",
        "queue.declare",
        {"queue": "N", "arguments": {"x-expires": 0}},
        "PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'N' in vhost 'V': {value_zero,0}",
    ),
    (
        "negative length",
        "queue.declare",
        {"queue": "N", "arguments": {"x-max-length": -1}},
        "PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'N' in vhost 'V': {value_negative,-1}",
    ),
    (
        "priority too high",
        "queue.declare",
        {"queue": "N", "arguments": {"x-max-priority": 260}},
        "PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'N' in vhost 'V': {max_value_exceeded,260}",
    ),
]


@texts.table("text", "The text of an error: {}", SPEC, SIMPLE, EXTENSION)
def _(broker: Broker, method: str, arguments: dict[str, Any], text: str) -> None:
    channel, name = broker.channel(), broker.name()
    channel.send(method, **{key: name if value == "N" else value for key, value in arguments.items()})
    close = channel.wait("channel.close")
    channel.send("channel.close-ok")
    equal("text", text.replace("'N'", f"'{name}'").replace("'V'", f"'{broker.vhost}'"), close.reply_text)


def locked(broker: Broker, channel: Channel) -> tuple[str, str]:
    """Another connection's exclusive queue."""
    queue = broker.channel().queue()
    channel.send("basic.get", queue=queue)
    return queue, (
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'Q' in vhost 'V'. It could be originally declared on "
        "another connection or the exclusive property value does not match that of the original declaration."
    )


def in_use(broker: Broker, channel: Channel) -> tuple[str, str]:
    """queue.delete if-unused with a consumer."""
    del broker
    queue = channel.queue()
    channel.consume(queue)
    channel.send("queue.delete", queue=queue, if_unused=True)
    return queue, "PRECONDITION_FAILED - queue 'Q' in vhost 'V' in use"


def not_empty(broker: Broker, channel: Channel) -> tuple[str, str]:
    """queue.delete if-empty with a message."""
    del broker
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.send("queue.delete", queue=queue, if_empty=True)
    return queue, "PRECONDITION_FAILED - queue 'Q' in vhost 'V' not empty"


def exchange_in_use(broker: Broker, channel: Channel) -> tuple[str, str]:
    """exchange.delete if-unused with a binding."""
    del broker
    exchange = channel.exchange()
    channel.bound_queue(exchange)
    channel.send("exchange.delete", exchange=exchange, if_unused=True)
    return exchange, "PRECONDITION_FAILED - exchange 'Q' in vhost 'V' in use"


def exclusive_consumer(broker: Broker, channel: Channel) -> tuple[str, str]:
    """A second consumer beside an exclusive one."""
    del broker
    queue = channel.queue()
    channel.consume(queue, exclusive=True)
    channel.send("basic.consume", queue=queue)
    return queue, "ACCESS_REFUSED - queue 'Q' in vhost 'V' in exclusive use"


def internal(broker: Broker, channel: Channel) -> tuple[str, str]:
    """Publishing to an internal exchange."""
    del broker
    exchange = channel.exchange(internal=True)
    channel.publish(b"m", exchange=exchange)
    return exchange, "ACCESS_REFUSED - cannot publish to internal exchange 'Q' in vhost 'V'"


def missing_exchange(broker: Broker, channel: Channel) -> tuple[str, str]:
    """Publishing to a missing exchange."""
    exchange = broker.name("x")
    channel.publish(b"m", exchange=exchange)
    return exchange, "NOT_FOUND - no exchange 'Q' in vhost 'V'"


def confirm_then_tx(broker: Broker, channel: Channel) -> tuple[str, str]:
    """tx.select on a confirming channel."""
    del broker
    channel.call("confirm.select")
    channel.send("tx.select")
    return "", "PRECONDITION_FAILED - cannot switch from confirm to tx mode"


def tx_then_confirm(broker: Broker, channel: Channel) -> tuple[str, str]:
    """confirm.select on a transactional channel."""
    del broker
    channel.call("tx.select")
    channel.send("confirm.select")
    return "", "PRECONDITION_FAILED - cannot switch from tx to confirm mode"


def other_user(broker: Broker, channel: Channel) -> tuple[str, str]:
    """A user_id that is not the user's."""
    channel.publish(b"m", user_id="nobody")
    user = broker.target.amqp.user
    return "", f"PRECONDITION_FAILED - user_id property set to 'nobody' but authenticated user was '{user}'"


def reply_without_consumer(broker: Broker, channel: Channel) -> tuple[str, str]:
    """Direct reply-to without a consumer."""
    del broker
    channel.publish(b"m", reply_to="amq.rabbitmq.reply-to")
    return "", "PRECONDITION_FAILED - fast reply consumer does not exist"


def reply_with_ack(broker: Broker, channel: Channel) -> tuple[str, str]:
    """Direct reply-to with acknowledgements."""
    del broker
    channel.send("basic.consume", queue="amq.rabbitmq.reply-to")
    return "", "PRECONDITION_FAILED - reply consumer cannot acknowledge"


Provoke = Callable[[Broker, Channel], tuple[str, str]]
PROVOKED: Final[list[tuple[str, Provoke]]] = [
    (function.__name__.replace("_", " "), function)
    for function in (
        locked,
        in_use,
        not_empty,
        exchange_in_use,
        exclusive_consumer,
        internal,
        missing_exchange,
        confirm_then_tx,
        tx_then_confirm,
        other_user,
        reply_without_consumer,
        reply_with_ack,
    )
]


@texts.table("text.provoked", "The text of an error: {}", SPEC, PROVOKED, EXTENSION)
def _(broker: Broker, provoke: Provoke) -> None:
    channel = broker.channel()
    name, text = provoke(broker, channel)
    close = channel.wait("channel.close")
    channel.send("channel.close-ok")
    expected = text.replace("'Q'", f"'{name}'").replace("'V'", f"'{broker.vhost}'")
    equal("text", expected[:255], close.reply_text)


# title, method, arguments, code, text
CONNECTION: Final[list[tuple[str, str, dict[str, Any], int, str]]] = [
    ("second open", "channel.open", {}, 504, "CHANNEL_ERROR - second 'channel.open' seen"),
    ("prefetch size", "basic.qos", {"prefetch_size": 5}, 540, "NOT_IMPLEMENTED - prefetch_size!=0 (5)"),
    ("flow", "channel.flow", {"active": False}, 540, "NOT_IMPLEMENTED - active=false"),
    ("recover", "basic.recover", {"requeue": False}, 540, "NOT_IMPLEMENTED - requeue=false"),
]


@texts.table("text.connection", "The text of a connection error: {}", SPEC, CONNECTION, EXTENSION)
def _(broker: Broker, method: str, arguments: dict[str, Any], code: int, text: str) -> None:
    connection, channel = broker.connected()
    channel.send(method, **arguments)
    equal("text", text, connection.must_close(code, method).reply_text)


@texts.case("text.connection.immediate", "The text when immediate is asked for", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.publish(b"m", immediate=True)
    equal("text", "NOT_IMPLEMENTED - immediate=true", connection.must_close(540, "basic.publish").reply_text)


@texts.case("text.connection.not-open", "The text when a channel is not open", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection = broker.connect()
    connection.bare_channel(5).send("basic.qos")
    equal("text", "CHANNEL_ERROR - expected 'channel.open'", connection.must_close(504).reply_text)


@texts.case("text.connection.consumer-tag", "The text when a consumer tag is used twice", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.consume(queue, consumer_tag="tag")
    channel.send("basic.consume", queue=queue, consumer_tag="tag")
    expected = "NOT_ALLOWED - attempt to reuse consumer tag 'tag'"
    equal("text", expected, connection.must_close(530, "basic.consume").reply_text)


@texts.case("text.connection.vhost", "The text when a virtual host does not exist", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.name("vhost")
    connection, tune = broker.tuning()
    connection.tune_ok(tune)
    connection.send("connection.open", virtual_host=vhost)
    equal("text", f"NOT_ALLOWED - vhost {vhost} not found", connection.must_close(530, "connection.open").reply_text)

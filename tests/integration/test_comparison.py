"""Small behaviours, each told by one observation, as RabbitMQ shows them.

Set AMQPD_COMPARE_URL=amqp://guest:guest@127.0.0.1:5672 to make the same observations of a RabbitMQ that runs there. The
texts expected are those of RabbitMQ 3.13; `OLDER` holds what 3.10 says instead.
"""

import os
from typing import Final

import pytest

from conformance.wire import frames
from helpers.behaviours import (
    Behaviour,
    Observation,
    Q,
    after,
    consume_twice,
    delete_in_use,
    frames_of,
    observation,
    own,
    priorities,
    publish,
    redeclare,
    redeclare_exchange,
    refused,
    requeue_order,
    return_before_ack,
    rollback,
    say,
    settle,
)
from helpers.broker import Broker

LOCKED: Final = (
    f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{Q}' in vhost '/'. It could be originally declared "
    "on another connection or the exclusive property value does not match that of the original declaration."
)
NO_QUEUE: Final = "NOT_FOUND - no queue 'missing' in vhost '/'"
NO_EXCHANGE: Final = "NOT_FOUND - no exchange 'missing' in vhost '/'"
DEFAULT: Final = "ACCESS_REFUSED - operation not permitted on the default exchange"
UNEQUAL: Final = f"PRECONDITION_FAILED - inequivalent arg '{{}}' for queue '{Q}' in vhost '/': {{}}"
UNEQUAL_EXCHANGE: Final = (
    f"PRECONDITION_FAILED - inequivalent arg '{{}}' for exchange '{Q}' in vhost '/': received '{{}}' but current is '{{}}'"
)
INVALID: Final = f"PRECONDITION_FAILED - invalid arg '{{}}' for queue '{Q}' in vhost '/': {{}}"
UNKNOWN_TAG: Final = ("channel", 406, "PRECONDITION_FAILED - unknown delivery tag {}")


def expiration(text: str, problem: str) -> Observation:
    """The observation of a publish whose expiration is refused."""
    return refused(406, f"PRECONDITION_FAILED - invalid expiration '{text}': {problem}", "basic.publish")


BEHAVIOURS: Final[dict[str, tuple[Behaviour, Observation]]] = {
    # Things that are not there.
    "declare a missing queue passively": (
        say("queue.declare", queue="missing", passive=True),
        refused(404, NO_QUEUE, "queue.declare"),
    ),
    "consume a missing queue": (say("basic.consume", queue="missing"), refused(404, NO_QUEUE, "basic.consume")),
    "get from a missing queue": (say("basic.get", queue="missing"), refused(404, NO_QUEUE, "basic.get")),
    "purge a missing queue": (say("queue.purge", queue="missing"), refused(404, NO_QUEUE, "queue.purge")),
    "delete a missing queue": (say("queue.delete", queue="missing"), "queue.delete-ok"),
    "delete a missing exchange": (say("exchange.delete", exchange="missing"), "exchange.delete-ok"),
    "bind to a missing exchange": (own("queue.bind", queue=Q, exchange="missing"), refused(404, NO_EXCHANGE, "queue.bind")),
    "bind a missing queue": (say("queue.bind", queue="missing", exchange="amq.direct"), refused(404, NO_QUEUE, "queue.bind")),
    "unbind what is not bound": (own("queue.unbind", queue=Q, exchange="amq.direct", routing_key="x"), "queue.unbind-ok"),
    "unbind a missing exchange": (own("queue.unbind", queue=Q, exchange="missing"), "queue.unbind-ok"),
    "bind missing exchanges": (
        say("exchange.bind", source="missing", destination="amq.topic"),
        refused(404, NO_EXCHANGE, "exchange.bind"),
    ),
    "declare a missing exchange passively": (
        say("exchange.declare", exchange="missing", passive=True),
        refused(404, NO_EXCHANGE, "exchange.declare"),
    ),
    "publish to a missing exchange": (publish(exchange="missing"), refused(404, NO_EXCHANGE, "basic.publish")),
    "an empty queue name with nothing declared": (
        say("basic.get"),
        refused(404, "NOT_FOUND - no previously declared queue", "basic.get"),
    ),
    "look for a queue without a name": (
        own("queue.declare", passive=True),
        refused(404, "NOT_FOUND - no queue '' in vhost '/'", "queue.declare"),
    ),
    "an empty queue name": (own("queue.purge"), "queue.purge-ok"),
    "cancel an unknown consumer": (say("basic.cancel", consumer_tag="nobody"), "basic.cancel-ok"),
    # Names and rights.
    "declare the default exchange": (
        say("exchange.declare", exchange="", type="direct"),
        refused(403, DEFAULT, "exchange.declare"),
    ),
    "delete the default exchange": (say("exchange.delete", exchange=""), refused(403, DEFAULT, "exchange.delete")),
    "bind to the default exchange": (own("queue.bind", queue=Q, exchange=""), refused(403, DEFAULT, "queue.bind")),
    "declare a reserved queue": (
        say("queue.declare", queue="amq.mine"),
        refused(403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'", "queue.declare"),
    ),
    "declare a reserved exchange": (
        say("exchange.declare", exchange="amq.mine", type="direct"),
        refused(403, "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'", "exchange.declare"),
    ),
    "redeclare a reserved exchange": (
        say("exchange.declare", exchange="amq.direct", type="direct", durable=True),
        "exchange.declare-ok",
    ),
    "delete a reserved exchange": (
        say("exchange.delete", exchange="amq.direct"),
        refused(403, "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed", "exchange.delete"),
    ),
    "delete a missing reserved exchange": (
        say("exchange.delete", exchange="amq.missing"),
        refused(403, "ACCESS_REFUSED - deletion of system exchange 'amq.missing' in vhost '/' not allowed", "exchange.delete"),
    ),
    "a name that is not text": (
        own("queue.bind", queue=Q, exchange="amq.direct", routing_key=b"\xff"),
        refused(501, "FRAME_ERROR - Malformed UTF-8 in shortstr", "", "connection"),
    ),
    "a text that is too long": (
        say("basic.get", queue="q" * 255),
        refused(404, "NOT_FOUND - no queue '" + "q" * 230 + "...", "basic.get"),
    ),
    "an unknown exchange type": (
        say("exchange.declare", exchange=Q, type="no-such"),
        refused(406, "PRECONDITION_FAILED - unknown exchange type 'no-such'", "exchange.declare"),
    ),
    "declare with several wrong arguments": (
        say("queue.declare", queue="several", arguments={"x-overflow": "other", "x-max-length": -1, "x-queue-mode": 1}),
        refused(406, INVALID.format("x-max-length", "{value_negative,-1}").replace(Q, "several"), "queue.declare"),
    ),
    # Exclusive queues.
    "declare another's exclusive queue": (say("queue.declare", queue=Q, exclusive=True), refused(405, LOCKED, "queue.declare")),
    "look at another's exclusive queue": (say("queue.declare", queue=Q, passive=True), refused(405, LOCKED, "queue.declare")),
    "consume another's exclusive queue": (say("basic.consume", queue=Q), refused(405, LOCKED, "basic.consume")),
    "get from another's exclusive queue": (say("basic.get", queue=Q), refused(405, LOCKED, "basic.get")),
    "purge another's exclusive queue": (say("queue.purge", queue=Q), refused(405, LOCKED, "queue.purge")),
    "delete another's exclusive queue": (say("queue.delete", queue=Q), refused(405, LOCKED, "queue.delete")),
    "bind another's exclusive queue": (say("queue.bind", queue=Q, exchange="amq.direct"), refused(405, LOCKED, "queue.bind")),
    "bind another's exclusive queue with a wrong argument": (
        say("queue.bind", queue=Q, exchange="amq.headers", arguments={"x-match": 1}),
        refused(406, "PRECONDITION_FAILED - Invalid x-match field type signedint (value 1); expected longstr", "queue.bind"),
    ),
    "undo a binding of another's exclusive queue that is not there": (
        say("queue.unbind", queue=Q, exchange="amq.direct"),
        "queue.unbind-ok",
    ),
    "redeclare without exclusive": (redeclare({}, exclusive=False), refused(405, LOCKED, "queue.declare")),
    # Redeclaring.
    "redeclare the same": (redeclare({"arguments": {"x-max-length": 10}}, arguments={"x-max-length": 10}), "queue.declare-ok"),
    "redeclare with several other arguments": (
        redeclare({"arguments": {"x-max-length": 1}}, arguments={"x-message-ttl": 1, "x-max-priority": 1}),
        refused(
            406,
            UNEQUAL.format("x-message-ttl", "received the value '1' of type 'signedint' but current is none"),
            "queue.declare",
        ),
    ),
    "redeclare with an argument of no meaning": (redeclare({}, arguments={"x-mine": 1}), "queue.declare-ok"),
    "redeclare with auto_delete": (
        redeclare({}, auto_delete=True),
        refused(406, UNEQUAL.format("auto_delete", "received 'true' but current is 'false'"), "queue.declare"),
    ),
    "redeclare with another length": (
        redeclare({"arguments": {"x-max-length": 10}}, arguments={"x-max-length": 20}),
        refused(406, UNEQUAL.format("x-max-length", "received '20' but current is '10'"), "queue.declare"),
    ),
    "redeclare with one argument less": (
        redeclare({"arguments": {"x-max-length": 10}}),
        refused(
            406,
            UNEQUAL.format("x-max-length", "received none but current is the value '10' of type 'signedint'"),
            "queue.declare",
        ),
    ),
    "redeclare with one argument more": (
        redeclare({}, arguments={"x-expires": 100000}),
        refused(
            406,
            UNEQUAL.format("x-expires", "received the value '100000' of type 'signedint' but current is none"),
            "queue.declare",
        ),
    ),
    "redeclare with a length in words": (
        redeclare({"arguments": {"x-max-length": 10}}, arguments={"x-max-length": "ten"}),
        refused(406, UNEQUAL.format("x-max-length", "received 'ten' but current is '10'"), "queue.declare"),
    ),
    "redeclare with a length of nothing": (
        redeclare({"arguments": {"x-max-length": 10}}, arguments={"x-max-length": None}),
        refused(406, UNEQUAL.format("x-max-length", "received none but current is '10'"), "queue.declare"),
    ),
    "redeclare with an unknown type": (
        redeclare({"arguments": {"x-queue-type": "classic"}}, arguments={"x-queue-type": "other"}),
        refused(406, UNEQUAL.format("x-queue-type", "received 'other' but current is 'classic'"), "queue.declare"),
    ),
    "redeclare an exchange": (redeclare_exchange(), "exchange.declare-ok"),
    "redeclare an exchange of another type": (
        redeclare_exchange(type="fanout"),
        refused(406, UNEQUAL_EXCHANGE.format("type", "fanout", "direct"), "exchange.declare"),
    ),
    "redeclare an exchange of a type of two words": (
        redeclare_exchange(type="x-random"),
        refused(406, UNEQUAL_EXCHANGE.format("type", "'x-random'", "direct"), "exchange.declare"),
    ),
    "redeclare an exchange as durable": (
        redeclare_exchange(durable=True),
        refused(406, UNEQUAL_EXCHANGE.format("durable", "true", "false"), "exchange.declare"),
    ),
    "redeclare an exchange as internal": (
        redeclare_exchange(internal=True),
        refused(406, UNEQUAL_EXCHANGE.format("internal", "true", "false"), "exchange.declare"),
    ),
    # Arguments.
    "a negative time to live": (
        redeclare({}, queue="other", arguments={"x-message-ttl": -1}),
        refused(406, INVALID.replace(Q, "other").format("x-message-ttl", "{value_negative,-1}"), "queue.declare"),
    ),
    "a time to live in words": (
        redeclare({}, queue="other", arguments={"x-message-ttl": "soon"}),
        refused(406, INVALID.replace(Q, "other").format("x-message-ttl", '"expected integer, got longstr"'), "queue.declare"),
    ),
    "an expiry of zero": (
        redeclare({}, queue="other", arguments={"x-expires": 0}),
        refused(406, INVALID.replace(Q, "other").format("x-expires", "{value_zero,0}"), "queue.declare"),
    ),
    "too high a priority": (
        redeclare({}, queue="other", arguments={"x-max-priority": 256}),
        refused(406, INVALID.replace(Q, "other").format("x-max-priority", "{max_value_exceeded,256}"), "queue.declare"),
    ),
    "a dead letter routing key alone": (
        redeclare({}, queue="other", arguments={"x-dead-letter-routing-key": "key"}),
        refused(
            406,
            INVALID.replace(Q, "other").format("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"),
            "queue.declare",
        ),
    ),
    "a headers binding of an unknown kind": (
        own("queue.bind", queue=Q, exchange="amq.headers", arguments={"x-match": "some"}),
        refused(
            406,
            'PRECONDITION_FAILED - Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x',
            "queue.bind",
        ),
    ),
    # Publishing.
    "publish and be confirmed": (publish(routing_key=Q), "basic.ack"),
    "publish to nobody": (publish(queue=False, routing_key="nobody"), "basic.ack"),
    "publish to nobody, mandatory": (return_before_ack, ((312, "NO_ROUTE", "", "nowhere at all"), "basic.ack")),
    "publish with immediate": (
        publish(routing_key=Q, immediate=True),
        refused(540, "NOT_IMPLEMENTED - immediate=true", "basic.publish", "connection"),
    ),
    "publish in another's name": (
        publish(routing_key=Q, user_id="ada"),
        refused(406, "PRECONDITION_FAILED - user_id property set to 'ada' but authenticated user was 'guest'", "basic.publish"),
    ),
    "publish in another's name with a wrong expiration": (
        publish(routing_key=Q, user_id="ada", expiration="soon"),
        refused(406, "PRECONDITION_FAILED - user_id property set to 'ada' but authenticated user was 'guest'", "basic.publish"),
    ),
    "publish in one's own name": (publish(routing_key=Q, user_id="guest"), "basic.ack"),
    "publish with an expiration in seconds": (
        publish(routing_key=Q, expiration="1s"),
        expiration("1s", '{leftover_string,"s"}'),
    ),
    "publish with an expiration in fractions": (
        publish(routing_key=Q, expiration="1.5"),
        expiration("1.5", '{leftover_string,".5"}'),
    ),
    "publish with an expiration in words": (publish(routing_key=Q, expiration="soon"), expiration("soon", "no_integer")),
    "publish with an empty expiration": (publish(routing_key=Q, expiration=""), expiration("", "no_integer")),
    "publish with a negative expiration": (publish(routing_key=Q, expiration="-1"), expiration("-1", "{value_negative,-1}")),
    "publish with an endless expiration": (
        publish(routing_key=Q, expiration="999999999999"),
        expiration("999999999999", "{value_too_large,999999999999}"),
    ),
    # Receiving.
    "get from an empty queue": (own("basic.get", queue=Q), "basic.get-empty"),
    "consume behind an exclusive consumer": (
        consume_twice(exclusive=True, tags=("one", "two")),
        refused(403, f"ACCESS_REFUSED - queue '{Q}' in vhost '/' in exclusive use", "basic.consume"),
    ),
    "consume twice with one tag": (
        consume_twice(exclusive=False, tags=("one", "one")),
        refused(530, "NOT_ALLOWED - attempt to reuse consumer tag 'one'", "basic.consume", "connection"),
    ),
    "consume twice with one tag, then from a missing queue": (
        consume_twice(exclusive=False, tags=("one", "one"), second="missing"),
        refused(530, "NOT_ALLOWED - attempt to reuse consumer tag 'one'", "basic.consume", "connection"),
    ),
    "consume twice with one tag, then replies": (
        consume_twice(exclusive=False, tags=("one", "one"), second="amq.rabbitmq.reply-to"),
        refused(530, "NOT_ALLOWED - attempt to reuse consumer tag 'one'", "basic.consume", "connection"),
    ),
    "prefetch of bytes": (
        say("basic.qos", prefetch_size=1),
        refused(540, "NOT_IMPLEMENTED - prefetch_size!=0 (1)", "basic.qos", "connection"),
    ),
    "recover without requeue": (
        say("basic.recover", requeue=False),
        refused(540, "NOT_IMPLEMENTED - requeue=false", "basic.recover", "connection"),
    ),
    "recover with requeue": (say("basic.recover", requeue=True), "basic.recover-ok"),
    "stop the flow": (
        say("channel.flow", active=False),
        refused(540, "NOT_IMPLEMENTED - active=false", "channel.flow", "connection"),
    ),
    "ask for access": (say("access.request", realm="/data"), "access.request-ok"),
    "ack one": (settle("basic.ack", 2), ("left", 0)),
    "ack twice": (settle("basic.ack", 2, 2), (*UNKNOWN_TAG[:2], UNKNOWN_TAG[2].format(2), "basic.ack")),
    "ack what was not delivered": (settle("basic.ack", 9), (*UNKNOWN_TAG[:2], UNKNOWN_TAG[2].format(9), "basic.ack")),
    "ack many that were not delivered": (
        settle("basic.ack", 9, multiple=True),
        (*UNKNOWN_TAG[:2], UNKNOWN_TAG[2].format(9), "basic.ack"),
    ),
    "ack all": (settle("basic.ack", 0, multiple=True), ("left", 0)),
    "ack nothing twice": (settle("basic.ack", 0, 0, multiple=True), ("left", 0)),
    "ack tag zero alone": (settle("basic.ack", 0), (*UNKNOWN_TAG[:2], UNKNOWN_TAG[2].format(0), "basic.ack")),
    "nack some and requeue": (settle("basic.nack", 2, multiple=True, requeue=True), ("left", 2)),
    "reject and requeue": (settle("basic.reject", 1, requeue=True), ("left", 1)),
    "reject twice": (settle("basic.reject", 1, 1), (*UNKNOWN_TAG[:2], UNKNOWN_TAG[2].format(1), "basic.reject")),
    "requeue in any order": (requeue_order, [("1", True), ("2", True), ("3", True), ("4", False)]),
    "priorities beyond the greatest": (priorities, ["nine", "three", "one", "none", "zero"]),
    # Confirms and transactions.
    "confirms in a transaction": (
        after("tx.select", "confirm.select"),
        refused(406, "PRECONDITION_FAILED - cannot switch from tx to confirm mode", "confirm.select"),
    ),
    "a transaction with confirms": (
        after("confirm.select", "tx.select"),
        refused(406, "PRECONDITION_FAILED - cannot switch from confirm to tx mode", "tx.select"),
    ),
    "confirms twice": (after("confirm.select", "confirm.select"), "confirm.select-ok"),
    "a transaction twice": (after("tx.select", "tx.select"), "tx.select-ok"),
    "commit without a transaction": (
        say("tx.commit"),
        refused(406, "PRECONDITION_FAILED - channel is not transactional", "tx.commit"),
    ),
    "roll back without a transaction": (
        say("tx.rollback"),
        refused(406, "PRECONDITION_FAILED - channel is not transactional", "tx.rollback"),
    ),
    "roll back": (rollback, (0, "tx.commit-ok", 0)),
    # Deleting.
    "delete a queue with a consumer": (
        delete_in_use("queue.delete", queue=Q, if_unused=True),
        refused(406, f"PRECONDITION_FAILED - queue '{Q}' in vhost '/' in use", "queue.delete"),
    ),
    "delete a queue with a message": (
        delete_in_use("queue.delete", queue=Q, if_empty=True),
        refused(406, f"PRECONDITION_FAILED - queue '{Q}' in vhost '/' not empty", "queue.delete"),
    ),
    "delete a queue with both": (
        delete_in_use("queue.delete", queue=Q, if_empty=True, if_unused=True),
        refused(406, f"PRECONDITION_FAILED - queue '{Q}' in vhost '/' not empty", "queue.delete"),
    ),
    "delete an exchange with a binding": (
        delete_in_use("exchange.delete", exchange=Q, if_unused=True),
        refused(406, f"PRECONDITION_FAILED - exchange '{Q}' in vhost '/' in use", "exchange.delete"),
    ),
    # Frames.
    "open a channel twice": (
        say("channel.open"),
        refused(504, "CHANNEL_ERROR - second 'channel.open' seen", "channel.open", "connection"),
    ),
    "content without a method": (frames_of((frames.BODY, 0, b"body")), ("connection", 505)),
    "a method instead of content": (
        frames_of((frames.METHOD, 0, b"\0\x3c\0\x28\0\0\0\0\0"), (frames.METHOD, 0, b"\0\x55\0\x0a\0")),
        ("connection", 505),
    ),
    "a closed channel": (frames_of((frames.METHOD, 7, b"\0\x55\0\x0a\0")), ("connection", 504)),
    "a frame of an unknown type": (frames_of((7, 0, b"")), ("connection", 501)),
    "a heartbeat on a channel": (frames_of((frames.HEARTBEAT, 0, b"")), ("connection", 505)),
}

OLDER: Final[dict[str, Observation]] = {
    "an unknown exchange type": refused(
        503, "COMMAND_INVALID - unknown exchange type 'no-such'", "exchange.declare", "connection"
    ),
}
"""What RabbitMQ 3.10 says where it differs from 3.13."""


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_broker_behaves_as_expected(broker: Broker, name: str) -> None:
    """The observation is that of RabbitMQ 3.13."""
    behave, expected = BEHAVIOURS[name]
    assert expected == observation(broker, behave)


@pytest.mark.skipif("AMQPD_COMPARE_URL" not in os.environ, reason="AMQPD_COMPARE_URL names no RabbitMQ to compare with")
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_rabbitmq_behaves_as_expected(name: str) -> None:
    """RabbitMQ itself shows what is expected, or what is known of its older releases."""
    behave, expected = BEHAVIOURS[name]
    found = observation(Broker(os.environ["AMQPD_COMPARE_URL"]), behave)
    assert expected == found or OLDER.get(name) == found

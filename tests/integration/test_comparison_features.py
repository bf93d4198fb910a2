"""RabbitMQ's extensions, each told by one observation, as `test_comparison` does it and with the same variable.

`OTHERWISE` holds what RabbitMQ 3.10 shows where it differs, each with the reason.
"""

import os
from typing import Final

import pytest

from conformance.wire.values import Field
from helpers.behaviours import Behaviour, Observation, Q, observation, publish, refused, say
from helpers.broker import Broker
from helpers.features import (
    DURABLE,
    alone_among_others,
    bind_exchange,
    bounded,
    commit_order,
    consume_with,
    copies,
    dead,
    declare,
    declare_exchange,
    declare_quorum,
    delivery_count,
    got_and_rejected,
    modulus,
    remaining,
    replies,
    transaction_of_unknown_tag,
    unconfirmed,
    with_quorum,
)

GRAVE: Final = {"x-dead-letter-routing-key": f"{Q}-grave"}
REPLY_TO: Final = "amq.rabbitmq.reply-to"
FORGED: Final = {"count": 5, "reason": "rejected", "queue": "elsewhere", "exchange": "e", "routing-keys": ["k"]}

FIRST_AND_LAST: Final = [
    ("x-first-death-reason", "rejected"),
    ("x-last-death-reason", "rejected"),
    ("x-first-death-queue", "Q-source"),
    ("x-last-death-queue", "Q-source"),
    ("x-first-death-exchange", ""),
    ("x-last-death-exchange", ""),
]
FIRST: Final = [
    ("x-first-death-exchange", ""),
    ("x-first-death-queue", "Q-source"),
    ("x-first-death-reason", "rejected"),
]


def death(*keys: str) -> list[tuple[str, object]]:
    """The entry of x-death of a rejected message that had these routing keys."""
    where = [("queue", "Q-source"), ("exchange", ""), ("routing-keys", list(keys))]
    return [("count", 1), ("reason", "rejected"), *where]


def invalid(name: str, problem: str) -> Observation:
    """The refusal of an argument of an exclusive queue."""
    return refused(406, f"PRECONDITION_FAILED - invalid arg '{name}' for queue '{Q}' in vhost '/': {problem}", "queue.declare")


def of_another_type(name: str) -> Observation:
    """The refusal of an argument that classic queues do not have."""
    text = f"PRECONDITION_FAILED - invalid arg '{name}' for queue '{Q}' in vhost '/' of queue type rabbit_classic_queue"
    return refused(406, text, "queue.declare")


def unfit(what: str) -> Observation:
    """The refusal of a quorum queue that has this property."""
    text = f"PRECONDITION_FAILED - invalid property '{what}' for queue '{DURABLE}' in vhost '/'"
    return refused(406, text, "queue.declare")


def unconditional(condition: str) -> Observation:
    """The refusal to delete a quorum queue on a condition."""
    text = (
        f"NOT_IMPLEMENTED - cannot delete queue '{DURABLE}' in vhost '/'. "
        f"queue.delete operations with {condition} flag set are not supported by quorum queues"
    )
    return refused(540, text, "queue.delete", "connection")


def unknown_type(name: str) -> Observation:
    """What a broker says that does not have the type of exchange."""
    return refused(503, f"COMMAND_INVALID - unknown exchange type '{name}'", "exchange.declare", "connection")


FEATURES: Final[dict[str, tuple[Behaviour, Observation]]] = {
    # Exchange types (their routing is in the conformance suite).
    "an alternate exchange that is a number": (
        declare_exchange("direct", alternate_exchange=5),
        refused(
            406,
            f"PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange '{Q}' in vhost '/'",
            "exchange.declare",
        ),
    ),
    "a weight in words": (
        bind_exchange("x-consistent-hash", "heavy"),
        refused(406, 'PRECONDITION_FAILED - The binding key must be an integer: <<"heavy">>', "queue.bind"),
    ),
    "no weight": (
        bind_exchange("x-consistent-hash", "0"),
        refused(406, "PRECONDITION_FAILED - The binding key must be greater than 0", "queue.bind"),
    ),
    "two things to hash": (
        declare_exchange("x-consistent-hash", hash_header="a", hash_property="message_id"),
        refused(406, "PRECONDITION_FAILED - hash-header and hash-property are mutually exclusive", "exchange.declare"),
    ),
    "a property that is not hashed": (
        declare_exchange("x-consistent-hash", hash_property="type"),
        refused(406, "PRECONDITION_FAILED - Unsupported property: type", "exchange.declare"),
    ),
    "a hash modulo the queues": (modulus, ([0, 0, 30], 50, True)),
    "a random exchange ignores binding keys": (bind_exchange("x-random", "key"), "queue.bind-ok"),
    "a local random exchange has none": (
        bind_exchange("x-local-random", "key"),
        refused(406, "PRECONDITION_FAILED - Non empty binding 'key' key not permitted", "queue.bind"),
    ),
    "a history of nothing": (
        declare_exchange("x-recent-history", x_recent_history_length=0),
        refused(
            406,
            "PRECONDITION_FAILED - Invalid argument 0, 'x-recent-history-length' must be a positive integer",
            "exchange.declare",
        ),
    ),
    "a delayed exchange of no type": (
        declare_exchange("x-delayed-message"),
        refused(
            406,
            "PRECONDITION_FAILED - Invalid argument, 'x-delayed-type' must be an existing exchange type",
            "exchange.declare",
        ),
    ),
    # Queue types.
    "a quorum queue without a name": (
        declare_quorum({"queue": ""}),
        refused(406, "PRECONDITION_FAILED - Cannot declare a server-named queue for type rabbit_quorum_queue", "queue.declare"),
    ),
    "a transient quorum queue": (declare_quorum({"durable": False}), unfit("non-durable")),
    "an exclusive quorum queue": (declare_quorum({"exclusive": True}), unfit("exclusive-owner")),
    "an auto-delete quorum queue": (declare_quorum({"auto_delete": True}), unfit("auto-delete")),
    "delete an unused quorum queue": (with_quorum("queue.delete", if_unused=True), unconditional("if-unused")),
    "delete an empty quorum queue": (with_quorum("queue.delete", if_empty=True), unconditional("if-empty")),
    "purge a quorum queue": (with_quorum("queue.purge"), "queue.purge-ok"),
    "consume a quorum queue alone": (with_quorum("basic.consume", exclusive=True), "basic.consume-ok"),
    "consume a quorum queue with a shared limit": (with_quorum("basic.consume", shared_limit=True), "basic.consume-ok"),
    "consume a quorum queue alone among others": (alone_among_others, ["basic.consume-ok"] * 3),
    "how often a message of a quorum queue came back": (got_and_rejected, [0, 1, None]),
    "return a message of a quorum queue too often": (delivery_count, ([None, 1, 2], 0)),
    "an unknown type of queue": (declare(x_queue_type="other"), invalid("x-queue-type", "\"unsupported queue type 'other'\"")),
    # Queue arguments (their effects are in the conformance suite).
    "a type that is a number": (declare(x_queue_type=5), invalid("x-queue-type", "{unacceptable_type,signedint}")),
    "a dead letter exchange that is a number": (
        declare(x_dead_letter_exchange=5),
        refused(
            406,
            f"PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue '{Q}' in vhost '/'",
            "queue.declare",
        ),
    ),
    "a dead letter routing key that is a number": (
        declare(x_dead_letter_exchange="", x_dead_letter_routing_key=5),
        invalid("x-dead-letter-routing-key", "{unacceptable_type,signedint}"),
    ),
    "an unknown overflow": (declare(x_overflow="other"), invalid("x-overflow", "invalid_overflow")),
    "an overflow that is a number": (declare(x_overflow=5), invalid("x-overflow", "{unacceptable_type,signedint}")),
    "a negative length": (declare(x_max_length=-1), invalid("x-max-length", "{value_negative,-1}")),
    "a length in words": (declare(x_max_length="ten"), invalid("x-max-length", '"expected integer, got longstr"')),
    "a negative length in octets": (declare(x_max_length_bytes=-1), invalid("x-max-length-bytes", "{value_negative,-1}")),
    "a negative number of priorities": (declare(x_max_priority=-1), invalid("x-max-priority", "{value_negative,-1}")),
    "too long a life": (declare(x_message_ttl=315_360_000_001), invalid("x-message-ttl", "{value_too_large,315360000001}")),
    "too late an expiry": (declare(x_expires=315_360_000_001), invalid("x-expires", "{value_too_large,315360000001}")),
    "an unknown mode": (declare(x_queue_mode="other"), invalid("x-queue-mode", "\"unsupported queue mode 'other'\"")),
    "an unknown version": (declare(x_queue_version=3), invalid("x-queue-version", "\"unsupported queue version '3'\"")),
    "a single active consumer in words": (
        declare(x_single_active_consumer="yes"),
        invalid("x-single-active-consumer", "{unacceptable_type,longstr}"),
    ),
    "a master locator": (declare(x_queue_master_locator="min-masters"), "queue.declare-ok"),
    "a delivery limit of a classic queue": (declare(x_delivery_limit=3), of_another_type("x-delivery-limit")),
    "a group of a classic queue": (declare(x_quorum_initial_group_size=3), of_another_type("x-quorum-initial-group-size")),
    "an age of a classic queue": (declare(x_max_age="1D"), of_another_type("x-max-age")),
    "more octets than a queue may have": (bounded, (["basic.ack", "basic.ack", "basic.nack"], 2)),
    "an argument of no type": (declare(x_mine="anything"), "queue.declare-ok"),
    # Consumer arguments.
    "a consumer's priority in words": (
        consume_with(x_priority="high"),
        refused(
            406,
            f"PRECONDITION_FAILED - invalid arg 'x-priority' for queue '{Q}' in vhost '/': \"expected integer, got longstr\"",
            "basic.consume",
        ),
    ),
    "a consumer's priority that is a time": (
        consume_with(x_priority=Field("T", 5)),
        refused(
            406,
            f"PRECONDITION_FAILED - invalid arg 'x-priority' for queue '{Q}' in vhost '/': \"expected integer, got timestamp\"",
            "basic.consume",
        ),
    ),
    "a consumer's negative priority": (consume_with(x_priority=-5), "basic.consume-ok"),
    "a consumer's offset in a classic queue": (
        consume_with(x_stream_offset="first"),
        refused(
            406,
            f"PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue '{Q}' in vhost '/' "
            "of queue type rabbit_classic_queue",
            "basic.consume",
        ),
    ),
    "a consumer's argument of no meaning": (consume_with(x_mine=1), "basic.consume-ok"),
    # Headers that the broker reads.
    "a carbon copy": (copies(CC=[Q]), [("CC", ["Q"])]),
    "a blind carbon copy": (copies(BCC=[Q], n=1), [("n", 1)]),
    "a carbon copy that is no list": (
        copies(CC=Q),
        refused(406, 'PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"CC",longstr}', "basic.publish"),
    ),
    "a blind carbon copy that is no list": (
        copies(BCC=5),
        refused(406, 'PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"BCC",signedint}', "basic.publish"),
    ),
    # Dead letters.
    "a dead letter": (dead({}, GRAVE), ("Q-grave", [("x-death", [death("Q-source")]), *FIRST_AND_LAST])),
    "a dead letter with copies and another key": (
        dead({"CC": ["copy"], "n": 1}, GRAVE),
        ("Q-grave", [("n", 1), ("x-death", [death("Q-source", "copy")]), *FIRST_AND_LAST]),
    ),
    "a dead letter whose publisher tells of a death": (
        dead({"x-first-death-reason": "mine"}, GRAVE),
        ("Q-grave", [("x-death", [death("Q-source")]), *FIRST_AND_LAST]),
    ),
    "a dead letter with a history of its publisher": (
        dead({"x-death": [FORGED]}, GRAVE),
        ("Q-grave", [("x-death", [death("Q-source"), list(FORGED.items())]), *FIRST_AND_LAST]),
    ),
    # Publishers, consumers, transactions.
    "publish to an internal exchange": (
        publish(exchange="amq.rabbitmq.trace"),
        refused(
            403,
            "ACCESS_REFUSED - cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'",
            "basic.publish",
        ),
    ),
    "delete a queue before the confirm": (unconfirmed, ["basic.ack", "queue.delete-ok"]),
    "what is left after each get": (remaining, [2, 1, 0]),
    "acknowledge an unknown tag in a transaction": (
        transaction_of_unknown_tag,
        refused(406, "PRECONDITION_FAILED - unknown delivery tag 5", "basic.ack"),
    ),
    "commit what nobody takes": (commit_order, ("basic.return", "tx.commit-ok")),
    # Direct replies.
    "replies with acknowledgements": (
        say("basic.consume", queue=REPLY_TO),
        refused(406, "PRECONDITION_FAILED - reply consumer cannot acknowledge", "basic.consume"),
    ),
    "replies twice": (
        replies("basic.consume", queue=REPLY_TO, no_ack=True),
        refused(406, "PRECONDITION_FAILED - reply consumer already set", "basic.consume"),
    ),
    "ask before waiting for replies": (
        publish(queue=False, routing_key="nowhere", reply_to=REPLY_TO),
        refused(406, "PRECONDITION_FAILED - fast reply consumer does not exist", "basic.publish"),
    ),
    "get a reply": (
        replies("basic.get", queue=REPLY_TO),
        refused(404, f"NOT_FOUND - no queue '{REPLY_TO}' in vhost '/'", "basic.get"),
    ),
    "look for oneself": (replies("queue.declare", queue=REPLY_TO, passive=True), "queue.declare-ok"),
    "look for a requester who has gone": (
        replies("queue.declare", queue=f"{REPLY_TO}.gone", passive=True),
        refused(404, f"NOT_FOUND - no queue '{REPLY_TO}.gone' in vhost '/'", "queue.declare"),
    ),
    "bind replies": (
        replies("queue.bind", queue=REPLY_TO, exchange="amq.direct"),
        refused(403, "ACCESS_REFUSED - cannot bind or unbind to a volatile (direct reply-to) queue", "queue.bind"),
    ),
}

OTHERWISE: Final[dict[str, Observation]] = {
    # Types that came later, or with a plugin that is not at hand.
    "a hash modulo the queues": unknown_type("x-modulus-hash"),
    "a local random exchange has none": unknown_type("x-local-random"),
    "a delayed exchange of no type": unknown_type("x-delayed-message"),
    # RabbitMQ 4.3 reads a shared limit as one for each consumer; here it is shared as on classic queues.
    "consume a quorum queue with a shared limit": refused(
        540,
        f"NOT_IMPLEMENTED - queue '{DURABLE}' in vhost '/' does not support global qos",
        "basic.consume",
        "connection",
    ),
    # The headers x-last-death-* came with 3.13, and with them another order.
    "a dead letter": ("Q-grave", [("x-death", [death("Q-source")]), *FIRST]),
    "a dead letter whose publisher tells of a death": ("Q-grave", [("x-death", [death("Q-source")]), *FIRST]),
    "a dead letter with copies and another key": (
        "Q-grave",
        [("n", 1), ("x-death", [death("Q-source", "copy")]), *FIRST],
    ),
    # A history that the publisher sent changes the order of the fields, and x-first-death-* is then not told.
    "a dead letter with a history of its publisher": (
        "Q-grave",
        [("x-death", [sorted(death("Q-source")), list(FORGED.items())])],
    ),
    # 403 since 4.2: there is no queue to bind, but who asks is told that there never can be.
    "bind replies": refused(404, f"NOT_FOUND - no queue '{REPLY_TO}' in vhost '/'", "queue.bind"),
}
"""What RabbitMQ 3.10 shows where it differs."""


@pytest.mark.parametrize("name", FEATURES)
def test_the_broker_behaves_as_expected(broker: Broker, name: str) -> None:
    """The observation is the documented one."""
    behave, expected = FEATURES[name]
    assert expected == observation(broker, behave)


@pytest.mark.skipif("AMQPD_COMPARE_URL" not in os.environ, reason="AMQPD_COMPARE_URL names no RabbitMQ to compare with")
@pytest.mark.parametrize("name", FEATURES)
def test_rabbitmq_behaves_as_expected(name: str) -> None:
    """RabbitMQ itself shows what is expected, or differs for a reason that is written down."""
    behave, expected = FEATURES[name]
    assert OTHERWISE.get(name, expected) == observation(Broker(os.environ["AMQPD_COMPARE_URL"]), behave)

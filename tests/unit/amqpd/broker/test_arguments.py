import pytest

from amqpd.broker.arguments import QueueArguments
from amqpd.errors import BadSyntax, PreconditionFailed
from amqpd.wire import tables

WHERE = "queue 'q' in vhost '/'"
TEN_YEARS = 315_360_000_000


def made(table: bytes) -> QueueArguments:
    """Checked arguments of queue q."""
    return QueueArguments(table, "q", "/")


def table(**arguments: object) -> bytes:
    """Arguments as they come; underscores in names stand for hyphens."""
    return tables.encode({name.replace("_", "-"): value for name, value in arguments.items()})


def given(**arguments: object) -> QueueArguments:
    """Checked arguments."""
    return made(table(**arguments))


GOOD: list[dict[str, object]] = [
    {},
    {"x_expires": 1},
    {"x_expires": TEN_YEARS},
    {"x_message_ttl": 0},
    {"x_max_length": 0, "x_max_length_bytes": 0},
    {"x_max_priority": 255},
    {"x_overflow": "reject-publish-dlx"},
    {"x_dead_letter_exchange": ""},
    {"x_dead_letter_exchange": "x", "x_dead_letter_routing_key": "k"},
    {"x_dead_letter_exchange": "é" * 127, "x_dead_letter_routing_key": "k" * 255},
    {"x_single_active_consumer": True},
    {"x_queue_type": ""},
    {"x_queue_type": "undefined"},
    {"x_queue_mode": "lazy", "x_queue_version": 2, "x_queue_master_locator": "min-masters"},
    {"x_queue_type": "quorum", "x_delivery_limit": -1, "x_quorum_initial_group_size": 3},
    {"x_unknown": {"a": [1]}},
]


@pytest.mark.parametrize("arguments", GOOD)
def test_good_arguments(arguments: dict[str, object]) -> None:
    """The least and the greatest values, every choice, and what nobody knows (1.5)."""
    assert {name.replace("_", "-"): value for name, value in arguments.items()} == given(**arguments).values()


BAD: list[tuple[dict[str, object], str | None]] = [
    ({"x_expires": 0}, "invalid arg 'x-expires' for {}: {value_zero,0}"),
    ({"x_expires": -5}, "invalid arg 'x-expires' for {}: {value_negative,-5}"),
    ({"x_expires": TEN_YEARS + 1}, f"invalid arg 'x-expires' for {{}}: {{value_too_large,{TEN_YEARS + 1}}}"),
    ({"x_message_ttl": "10"}, "invalid arg 'x-message-ttl' for {}: \"expected integer, got longstr\""),
    ({"x_message_ttl": 1.0}, "invalid arg 'x-message-ttl' for {}: \"expected integer, got double\""),
    ({"x_max_length": True}, "invalid arg 'x-max-length' for {}: \"expected integer, got bool\""),
    ({"x_max_length": -1}, "invalid arg 'x-max-length' for {}: {value_negative,-1}"),
    ({"x_max_priority": 260}, "invalid arg 'x-max-priority' for {}: {max_value_exceeded,260}"),
    ({"x_overflow": "other"}, "invalid arg 'x-overflow' for {}: invalid_overflow"),
    ({"x_overflow": 1}, "invalid arg 'x-overflow' for {}: {unacceptable_type,signedint}"),
    ({"x_single_active_consumer": 1}, "invalid arg 'x-single-active-consumer' for {}: {unacceptable_type,signedint}"),
    ({"x_queue_mode": "other"}, "invalid arg 'x-queue-mode' for {}: \"unsupported queue mode 'other'\""),
    ({"x_queue_version": 3}, "invalid arg 'x-queue-version' for {}: \"unsupported queue version '3'\""),
    ({"x_queue_version": -1}, "invalid arg 'x-queue-version' for {}: {value_negative,-1}"),
    ({"x_dead_letter_exchange": 5}, "invalid type 'signedint' for arg 'x-dead-letter-exchange' in {}"),
    (
        {"x_dead_letter_routing_key": "k"},
        "invalid arg 'x-dead-letter-routing-key' for {}: routing_key_but_no_dlx_defined",
    ),
    ({"x_dead_letter_exchange": "é" * 128}, "invalid arg 'x-dead-letter-exchange' for {}: {value_too_long,256}"),
    (
        {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": "k" * 256},
        "invalid arg 'x-dead-letter-routing-key' for {}: {value_too_long,256}",
    ),
    ({"x_queue_type": "other"}, "invalid arg 'x-queue-type' for {}: \"unsupported queue type 'other'\""),
    ({"x_queue_type": 1}, "invalid arg 'x-queue-type' for {}: {unacceptable_type,signedint}"),
    (
        {"x_overflow": "other", "x_max_length": -1, "x_expires": 0, "x_dead_letter_exchange": ""},
        "invalid arg 'x-expires' for {}: {value_zero,0}",
    ),
    ({"x_expires": 0, "x_queue_type": 1}, "invalid arg 'x-queue-type' for {}: {unacceptable_type,signedint}"),
    ({"x_max_age": "1D"}, "invalid arg 'x-max-age' for {} of queue type rabbit_classic_queue"),
    ({"x_delivery_limit": 1}, "invalid arg 'x-delivery-limit' for {} of queue type rabbit_classic_queue"),
    (
        {"x_queue_type": "quorum", "x_max_priority": 1},
        "invalid arg 'x-max-priority' for {} of queue type rabbit_quorum_queue",
    ),
]
"""Arguments and the error, None for any text; of several wrong ones RabbitMQ complains of the first in an order of its own."""


@pytest.mark.parametrize(("arguments", "text"), BAD)
def test_bad_arguments(arguments: dict[str, object], text: str | None) -> None:
    """406 in RabbitMQ's words (1.5)."""
    with pytest.raises(PreconditionFailed) as caught:
        given(**arguments)

    assert text is None or text.replace("{}", WHERE) == caught.value.explanation


def test_a_malformed_table() -> None:
    """A syntax error like everywhere."""
    with pytest.raises(BadSyntax):
        made(b"\x05short")


@pytest.mark.parametrize(("refused", "flags"), [
    ("non-durable", (False, False, False)), ("exclusive-owner", (True, True, False)), ("auto-delete", (True, False, True)),
])  # fmt: skip
def test_quorum_queues_are_durable_and_shared(refused: str, flags: tuple[bool, bool, bool]) -> None:
    """Other ones of their type cannot be declared; classic queues can be anything."""
    given().check_properties(False, *flags)
    given(x_queue_type="quorum").check_properties(True, True, False, False)
    with pytest.raises(PreconditionFailed, match=f"invalid property '{refused}' for {WHERE}"):
        given(x_queue_type="quorum").check_properties(True, *flags)


def test_quorum_queues_have_names() -> None:
    """The server chooses none for them."""
    with pytest.raises(PreconditionFailed, match="Cannot declare a server-named queue for type rabbit_quorum_queue"):
        given(x_queue_type="quorum").check_properties(False, True, False, False)


TEN = b"\x0cx-max-length"


@pytest.mark.parametrize("one", [b"b\x0a", b"B\x0a", b"s\x00\x0a", b"u\x00\x0a", b"I\x00\x00\x00\x0a", b"i\x00\x00\x00\x0a"])
def test_integers_of_every_width_are_equal(one: bytes) -> None:
    """2.10: byte 10 is long 10."""
    made(TEN + one).check_equivalent(TEN + b"l" + (10).to_bytes(8, "big"))


SAME: list[tuple[dict[str, object], dict[str, object]]] = [
    ({}, {"x_queue_type": "classic"}),
    ({"x_queue_type": "classic"}, {"x_queue_type": ""}),
    ({"x_unknown": 1}, {}),
    ({"x_unknown": 1}, {"x_unknown": "other"}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equivalent_declarations(one: dict[str, object], other: dict[str, object]) -> None:
    """What the type does not know is not compared; no type is classic."""
    given(**one).check_equivalent(table(**other))
    given(**other).check_equivalent(table(**one))


DIFFERENT: list[tuple[dict[str, object], dict[str, object], str]] = [
    ({"x_max_length": 10}, {"x_max_length": 20}, "received '20' but current is '10'"),
    ({"x_max_length": 10}, {}, "received none but current is the value '10' of type 'signedint'"),
    ({}, {"x_max_length": 20}, "received the value '20' of type 'signedint' but current is none"),
    ({"x_max_length": 10}, {"x_max_length": "many"}, "received 'many' but current is '10'"),
    ({"x_max_length": 10}, {"x_max_length": None}, "received none but current is '10'"),
    (
        {"x_max_length": 1 << 40},
        {},
        f"received none but current is the value '{1 << 40}' of type 'long'",
    ),
]


@pytest.mark.parametrize(("current", "received", "text"), DIFFERENT)
def test_inequivalent_declarations(current: dict[str, object], received: dict[str, object], text: str) -> None:
    """406 names the first argument that differs (2.2)."""
    with pytest.raises(PreconditionFailed) as caught:
        given(**current).check_equivalent(table(**received))

    assert f"inequivalent arg 'x-max-length' for {WHERE}: {text}" == caught.value.explanation


def test_types_differ() -> None:
    """A quorum queue is no classic one."""
    with pytest.raises(PreconditionFailed, match="inequivalent arg 'x-queue-type'"):
        given().check_equivalent(table(x_queue_type="quorum"))

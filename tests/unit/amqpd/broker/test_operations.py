"""Declaring, deleting and binding: rights, texts, and what means the same."""

from collections.abc import Callable

import pytest

from amqpd.broker import operations
from amqpd.broker.client import Client
from amqpd.errors import AccessRefused, AmqpError, NotAllowed, NotFound, PreconditionFailed, ResourceLocked
from amqpd.wire import tables
from helpers.core import Core, declare

Action = Callable[[Client, Core], object]
OTHER_ALTERNATE = "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/'"
OTHER_LENGTH = "inequivalent arg 'x-max-length' for queue 'q' in vhost '/'"
TO_NONE = "but current is none"
NOT_DEFAULT = "operation not permitted on the default exchange"
LOCKED = (
    "cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another connection "
    "or the exclusive property value does not match that of the original declaration."
)


def setting() -> Core:
    """A core with queue q, direct exchange x, and a binding between them."""
    core = Core()
    declare(core, "q")
    exchange = core.vhost.declare_exchange("direct", "x", True, False, False, b"")
    core.vhost.declare_exchange("direct", "y", True, False, False, b"")
    core.vhost.bind(exchange, "q", "k", b"")
    return core


def declare_exchange(
    client: Client, core: Core, name: str, kind: str = "direct", *, durable: bool = True, auto_delete: bool = False,
    internal: bool = False, **arguments: object,
) -> None:  # fmt: skip
    """exchange.declare; underscores in names of arguments stand for hyphens."""
    table = tables.encode({key.replace("_", "-"): value for key, value in arguments.items()})
    operations.declare_exchange(client, core.vhost, name, kind, durable, auto_delete, internal, table)


def declare_queue(
    client: Client, core: Core, name: str, *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
    **arguments: object,
) -> str:  # fmt: skip
    """queue.declare; underscores in names of arguments stand for hyphens."""
    table = tables.encode({key.replace("_", "-"): value for key, value in arguments.items()})
    return operations.declare_queue(client, core.vhost, name, durable, exclusive, auto_delete, table).name


ACTIONS: dict[str, tuple[Action, dict[str, str]]] = {
    "exchange.declare": (lambda client, core: declare_exchange(client, core, "n"), {"configure": "n"}),
    "exchange.declare again": (lambda client, core: declare_exchange(client, core, "x"), {"configure": "x"}),
    "exchange.declare with alternate": (
        lambda client, core: declare_exchange(client, core, "n", alternate_exchange="x"),
        {"configure": "n", "read": "n", "write": "x"},
    ),
    "exchange.delete": (
        lambda client, core: operations.delete_exchange(client, core.vhost, "x", False),
        {"configure": "x"},
    ),
    "queue.declare": (lambda client, core: declare_queue(client, core, "n"), {"configure": "n"}),
    "queue.declare again": (lambda client, core: declare_queue(client, core, "q"), {"configure": "q"}),
    "queue.declare with dead letters": (
        lambda client, core: declare_queue(client, core, "n", x_dead_letter_exchange="x"),
        {"configure": "n", "read": "n", "write": "x"},
    ),
    "queue.delete": (
        lambda client, core: operations.delete_queue(client, core.vhost, "q", False, False),
        {"configure": "q"},
    ),
    "queue.bind": (
        lambda client, core: operations.bind_queue(client, core.vhost, "q", "x", "k", b""),
        {"write": "q", "read": "x"},
    ),
    "queue.unbind": (
        lambda client, core: operations.unbind_queue(client, core.vhost, "q", "x", "k", b""),
        {"write": "q", "read": "x"},
    ),
    "exchange.bind": (
        lambda client, core: operations.bind_exchange(client, core.vhost, "y", "x", "k", b""),
        {"write": "y", "read": "x"},
    ),
    "exchange.unbind": (
        lambda client, core: operations.unbind_exchange(client, core.vhost, "y", "x", "k", b""),
        {"write": "y", "read": "x"},
    ),
    "queue.purge": (lambda client, core: operations.purge_queue(client, core.vhost, "q"), {"read": "q"}),
    "basic.get and consume": (lambda client, core: operations.readable_queue(client, core.vhost, "q"), {"read": "q"}),
    "basic.publish": (lambda client, core: core.channel(client).publish("x", "k"), {"write": "x"}),
}
"""What needs which right on what (1.12)."""


@pytest.mark.parametrize("name", ACTIONS)
def test_rights(name: str) -> None:
    """With exactly the rights of the matrix it can be done; with one of them less it is refused with 403."""
    action, needed = ACTIONS[name]
    rights = {right: f"^{resource}$" for right, resource in needed.items()}
    core = setting()
    action(core.limited_client(**rights), core)

    for right, resource in needed.items():
        core = setting()
        client = core.limited_client(**{**rights, right: ""})
        with pytest.raises(AccessRefused) as caught:
            action(client, core)
        kind = "exchange" if resource in {"x", "y"} or name.startswith("exchange") else "queue"
        problem = f"{right} access to {kind} '{resource}' in vhost '/' refused for user 'alice'"
        assert problem == caught.value.explanation


def test_passive_declares_need_no_right() -> None:
    """Anybody may ask whether something is there."""
    core = setting()
    client = core.limited_client()
    operations.declare_queue_passively(client, core.vhost, "q")
    operations.declare_exchange_passively(core.vhost, "x")

    with pytest.raises(NotFound, match="no queue 'n' in vhost '/'"):
        operations.declare_queue_passively(client, core.vhost, "n")
    with pytest.raises(NotFound, match="no exchange 'n' in vhost '/'"):
        operations.declare_exchange_passively(core.vhost, "n")


DEFAULT: list[Action] = [
    lambda client, core: declare_exchange(client, core, ""),
    lambda _client, core: operations.declare_exchange_passively(core.vhost, ""),
    lambda client, core: operations.delete_exchange(client, core.vhost, "", False),
    lambda client, core: operations.bind_queue(client, core.vhost, "q", "", "k", b""),
    lambda client, core: operations.unbind_queue(client, core.vhost, "q", "", "k", b""),
    lambda client, core: operations.bind_exchange(client, core.vhost, "", "x", "k", b""),
    lambda client, core: operations.bind_exchange(client, core.vhost, "x", "", "k", b""),
    lambda client, core: operations.unbind_exchange(client, core.vhost, "x", "", "k", b""),
]


@pytest.mark.parametrize("action", DEFAULT)
def test_the_default_exchange_is_left_alone(action: Action) -> None:
    """403 for everything but publishing (2.2)."""
    core = setting()

    with pytest.raises(AccessRefused) as caught:
        action(core.client(), core)
    assert NOT_DEFAULT == caught.value.explanation


REFUSALS: list[tuple[Action, type[AmqpError], str]] = [
    (
        lambda client, core: declare_exchange(client, core, "amq.x"),
        AccessRefused,
        "exchange name 'amq.x' contains reserved prefix 'amq.*'",
    ),
    (
        lambda client, core: declare_queue(client, core, "amq.q"),
        AccessRefused,
        "queue name 'amq.q' contains reserved prefix 'amq.*'",
    ),
    (
        lambda client, core: operations.delete_exchange(client, core.vhost, "amq.direct", False),
        AccessRefused,
        "deletion of system exchange 'amq.direct' in vhost '/' not allowed",
    ),
    (
        lambda client, core: operations.bind_queue(client, core.vhost, "amq.rabbitmq.reply-to.x", "x", "k", b""),
        AccessRefused,
        "cannot bind or unbind to a volatile (direct reply-to) queue",
    ),
    (
        lambda client, core: declare_exchange(client, core, "n", "unheard-of"),
        PreconditionFailed,
        "unknown exchange type 'unheard-of'",
    ),
    (
        lambda client, core: declare_exchange(client, core, "n", alternate_exchange=5),
        PreconditionFailed,
        "invalid type 'signedint' for arg 'alternate-exchange' in exchange 'n' in vhost '/'",
    ),
    (
        lambda client, core: operations.delete_exchange(client, core.vhost, "x", True),
        PreconditionFailed,
        "exchange 'x' in vhost '/' in use",
    ),
    (
        lambda client, core: operations.bind_queue(client, core.vhost, "n", "x", "k", b""),
        NotFound,
        "no queue 'n' in vhost '/'",
    ),
    (
        lambda client, core: operations.bind_queue(client, core.vhost, "q", "n", "k", b""),
        NotFound,
        "no exchange 'n' in vhost '/'",
    ),
    (
        lambda client, core: operations.bind_exchange(client, core.vhost, "n", "x", "k", b""),
        NotFound,
        "no exchange 'n' in vhost '/'",
    ),
    (lambda client, core: operations.purge_queue(client, core.vhost, "n"), NotFound, "no queue 'n' in vhost '/'"),
    (lambda client, core: operations.readable_queue(client, core.vhost, "n"), NotFound, "no queue 'n' in vhost '/'"),
    (
        lambda client, core: declare_exchange(client, core, "x", "fanout"),
        PreconditionFailed,
        "inequivalent arg 'type' for exchange 'x' in vhost '/': received 'fanout' but current is 'direct'",
    ),
    (
        lambda client, core: declare_exchange(client, core, "x", durable=False),
        PreconditionFailed,
        "inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'false' but current is 'true'",
    ),
    (
        lambda client, core: declare_exchange(client, core, "x", auto_delete=True),
        PreconditionFailed,
        "inequivalent arg 'auto_delete' for exchange 'x' in vhost '/': received 'true' but current is 'false'",
    ),
    (
        lambda client, core: declare_exchange(client, core, "x", internal=True),
        PreconditionFailed,
        "inequivalent arg 'internal' for exchange 'x' in vhost '/': received 'true' but current is 'false'",
    ),
    (
        lambda client, core: declare_exchange(client, core, "x", alternate_exchange="y"),
        PreconditionFailed,
        f"{OTHER_ALTERNATE}: received the value 'y' of type 'longstr' {TO_NONE}",
    ),
    (
        lambda client, core: declare_queue(client, core, "q", durable=False),
        PreconditionFailed,
        "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
    ),
    (
        lambda client, core: declare_queue(client, core, "q", auto_delete=True),
        PreconditionFailed,
        "inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but current is 'false'",
    ),
    (
        lambda client, core: declare_queue(client, core, "q", x_max_length=20),
        PreconditionFailed,
        f"{OTHER_LENGTH}: received the value '20' of type 'signedint' {TO_NONE}",
    ),
    (lambda client, core: declare_queue(client, core, "q", exclusive=True), ResourceLocked, LOCKED),
]


@pytest.mark.parametrize(("action", "error", "text"), REFUSALS)
def test_refusals(action: Action, error: type[AmqpError], text: str) -> None:
    """What cannot be done is told in RabbitMQ's words (2.2), and leaves no trace."""
    core = setting()
    queues, exchanges = list(core.vhost.queues), list(core.vhost.exchanges)

    with pytest.raises(error) as caught:
        action(core.client(), core)
    assert text == caught.value.explanation
    assert (queues, exchanges) == (list(core.vhost.queues), list(core.vhost.exchanges))


IDEMPOTENT: list[Action] = [
    lambda client, core: operations.delete_exchange(client, core.vhost, "n", True),
    lambda client, core: operations.delete_queue(client, core.vhost, "n", True, True),
    lambda client, core: operations.unbind_queue(client, core.vhost, "n", "x", "k", b""),
    lambda client, core: operations.unbind_queue(client, core.vhost, "q", "n", "k", b""),
    lambda client, core: operations.unbind_queue(client, core.vhost, "q", "x", "other", b""),
    lambda client, core: operations.unbind_exchange(client, core.vhost, "n", "x", "k", b""),
    lambda client, core: operations.unbind_exchange(client, core.vhost, "y", "x", "k", b""),
    lambda client, core: operations.bind_queue(client, core.vhost, "q", "x", "k", b""),
    lambda client, core: declare_exchange(client, core, "x", x_unknown="ignored"),
    lambda client, core: declare_queue(client, core, "q", x_unknown="ignored", x_queue_type="classic"),
]


@pytest.mark.parametrize("action", IDEMPOTENT)
def test_what_is_so_already_stays_so(action: Action) -> None:
    """Deleting and unbinding what is not there, and repeating what is, succeed and change nothing."""
    core = setting()
    saved, generation = dict(core.journal.rows), core.vhost.generation
    action(core.client(), core)

    assert (saved, generation) == (core.journal.rows, core.vhost.generation)


def test_exclusive_queues_are_locked() -> None:
    """405 for every operation of another connection, even a passive declare (2.2)."""
    core = setting()
    owner, other = core.client(), core.client()
    operations.delete_queue(owner, core.vhost, "q", False, False)
    declare_queue(owner, core, "q", exclusive=True)
    declare_queue(owner, core, "q", exclusive=True, durable=False)
    operations.bind_queue(owner, core.vhost, "q", "x", "k", b"")
    vhost = core.vhost
    for action in (
        lambda: declare_queue(other, core, "q", exclusive=True),
        lambda: declare_queue(other, core, "q"),
        lambda: declare_queue(owner, core, "q"),
        lambda: operations.declare_queue_passively(other, vhost, "q"),
        lambda: operations.delete_queue(other, vhost, "q", False, False),
        lambda: operations.purge_queue(other, vhost, "q"),
        lambda: operations.readable_queue(other, vhost, "q"),
        lambda: operations.bind_queue(other, vhost, "q", "x", "k", b""),
        lambda: operations.unbind_queue(other, vhost, "q", "x", "k", b""),
    ):
        with pytest.raises(ResourceLocked) as caught:
            action()
        assert LOCKED == caught.value.explanation
    assert operations.delete_queue(owner, vhost, "q", False, False) == 0


def test_conditional_deletes() -> None:
    """if-empty and if-unused; the answer counts ready messages."""
    core = setting()
    client, channel = core.client(), core.channel()
    channel.publish("", "q")
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' not empty"):
        operations.delete_queue(client, core.vhost, "q", False, True)
    channel.consume(core.vhost.queues["q"])
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' in use"):
        operations.delete_queue(client, core.vhost, "q", True, False)
    assert operations.purge_queue(client, core.vhost, "q") == 1
    channel.publish("", "q")

    channel.session.cancel("c")
    channel.session.recover()
    assert operations.delete_queue(client, core.vhost, "q", True, False) == 1


def test_the_broker_finds_names() -> None:
    """Each server-named queue has a name of its own (1.7.2.1)."""
    core = setting()
    names = {declare_queue(core.client(), core, "") for _ in range(3)}

    assert len(names) == 3
    assert all(name.startswith("amq.gen-") and len(name) == 30 for name in names)
    assert operations.clean("a\r\nb") == "ab"


def test_a_consumer_tag_is_used_once() -> None:
    """530 closes the connection (2.3); after a cancel the tag is free."""
    core = setting()
    channel, queue = core.channel(), core.vhost.queues["q"]
    used = channel.session.consumers
    channel.consume(queue, "tag")
    with pytest.raises(NotAllowed, match="attempt to reuse consumer tag 'tag'"):
        operations.consumer_tag("tag", used)
    channel.session.cancel("tag")
    channel.session.cancel("tag")

    assert ("tag", 0) == (operations.consumer_tag("tag", used), queue.consumer_count)
    assert operations.consumer_tag("", used) != operations.consumer_tag("", used)

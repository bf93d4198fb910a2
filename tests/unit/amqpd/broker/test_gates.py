"""Exchanges with gates, through channels of a core without sockets."""

from typing import Any

import pytest

from amqpd.broker.delay import milliseconds
from amqpd.errors import PreconditionFailed
from amqpd.wire import properties, tables
from exchanges.base import ArgumentError
from helpers.client import Heard
from helpers.core import Core, CoreChannel, declare
from persistence.calendar import NEVER


def start() -> Core:
    """A new core, not at the beginning of time."""
    core = Core()
    core.broker.clock.now = 1
    return core


def exchange(core: Core, kind: str, *, durable: bool = True, **arguments: Any) -> None:  # noqa: ANN401 - any field
    """A new exchange `x`; underscores in names of arguments stand for hyphens."""
    table = tables.encode({key.replace("_", "-"): value for key, value in arguments.items()})
    core.vhost.declare_exchange(kind, "x", durable, False, False, table)


def bind(core: Core, queue: str, name: str = "x", key: str = "") -> None:
    """Bind a new queue."""
    declare(core, queue)
    core.vhost.bind(core.vhost.exchanges[name], queue, key, b"")


def delayed(core: Core, **arguments: Any) -> CoreChannel:  # noqa: ANN401 - any field
    """A delayed fanout exchange with a queue, and a channel with confirms."""
    exchange(core, "x-delayed-message", x_delayed_type="fanout", **arguments)
    bind(core, "q")
    return confirming(core)


def confirming(core: Core) -> CoreChannel:
    """A channel that hears confirms."""
    channel = core.channel()
    channel.session.select_confirms()
    return channel


def headers(**values: object) -> bytes:
    """An encoded table; underscores in names stand for hyphens."""
    return tables.encode({key.replace("_", "-"): value for key, value in values.items()})


def advance(core: Core, now: int) -> None:
    """It is this time, and what is due happens."""
    core.broker.clock.now = now
    while 0 < core.broker.agenda.next() <= now:
        core.broker.agenda.run(now)
        core.settle()


def waiting(core: Core, queue: str = "q") -> list[bytes]:
    """The bodies that wait in a queue, which is empty afterwards."""
    channel = core.channel()
    found = core.vhost.queues[queue]
    while channel.session.get(found, True):
        pass
    return [heard.body for heard in channel.heard()]


def names(heard: list[Heard]) -> list[str]:
    """Which methods these were."""
    return [one.name for one in heard]


def table_of(heard: Heard) -> dict[str, Any]:
    """The headers of a message."""
    return properties.decoded_headers(properties.parse(heard.header))


# --- delay -------------------------------------------------------------------------------------------------------------


def test_a_delayed_message_comes_when_it_is_due() -> None:
    """It is confirmed once it is stored, counted meanwhile, and carries its delay negated."""
    core = Core()
    channel = delayed(core)
    core.broker.clock.now = 1000
    channel.publish("x", "k", b"late", headers=headers(x_delay=500, other="kept"))
    core.finish()
    assert [] == channel.heard()
    core.commit()
    assert ["basic.ack"] == names(channel.heard())
    schedule = core.vhost.gates.schedule(core.vhost.exchanges["x"])
    assert schedule is not None
    assert 1 == schedule.count
    advance(core, 1499)
    assert [] == waiting(core)
    advance(core, 1500)
    channel.session.get(core.vhost.queues["q"], True)
    (heard,) = channel.heard()
    assert (b"late", {"x-delay": -500, "other": "kept"}, 0) == (heard.body, table_of(heard), schedule.count)


@pytest.mark.parametrize("delay", [0, -5, None, "soon", True, "", float("nan"), "-3"])
def test_what_is_no_delay_delays_nothing(delay: object) -> None:
    """The message goes on at once, as it came."""
    core = Core()
    channel = delayed(core)
    channel.publish("x", "k", b"now", headers=headers(x_delay=delay))
    channel.publish("x", "k", b"plain")
    assert [b"now", b"plain"] == waiting(core)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), ("5", 5), (5.9, 5), ("5.9", 5), ("+7", 7), ("1e3", 1000), (-5, -5), (2**62, 2**62), ("9" * 30, NEVER)],
)
def test_delays_may_be_numbers_of_any_kind(value: object, expected: int) -> None:
    """Integers, fractions that are cut off, and both as text; milliseconds have 64 bits."""
    assert expected == milliseconds(value)


def test_a_delayed_message_outlives_a_crash() -> None:
    """Whatever its delivery mode, in a durable exchange; the queue and the exchange work as before."""
    core = Core()
    channel = delayed(core)
    channel.publish("x", "k", b"persistent", headers=headers(x_delay=500), delivery_mode=2)
    channel.publish("x", "k", b"transient", headers=headers(x_delay=600))
    core.commit()
    core = core.restart()
    core.settle()
    assert [] == waiting(core)
    advance(core, 600)
    assert [b"persistent", b"transient"] == waiting(core)


def test_what_a_transient_exchange_delays_is_confirmed_at_once() -> None:
    """There is no disk to wait for."""
    core = Core()
    exchange(core, "x-delayed-message", durable=False, x_delayed_type="direct")
    channel = confirming(core)
    channel.publish("x", "k", headers=headers(x_delay=500), delivery_mode=2)
    core.finish()
    assert ["basic.ack"] == names(channel.heard())


def test_a_delayed_message_is_never_returned() -> None:
    """Nobody knows yet whether it will be routed; one that is not delayed is returned."""
    core = Core()
    exchange(core, "x-delayed-message", x_delayed_type="direct", alternate_exchange="amq.fanout")
    declare(core, "q")
    core.vhost.bind(core.vhost.exchanges["amq.fanout"], "q", "", b"")
    channel = core.channel()
    channel.publish("x", "k", b"late", mandatory=True, headers=headers(x_delay=500))
    assert ([], []) == (channel.heard(), waiting(core))
    advance(core, 500)
    assert ([], [b"late"]) == (channel.heard(), waiting(core))
    core.vhost.delete_queue(core.vhost.queues["q"])
    channel.publish("x", "k", b"now", mandatory=True)
    assert ["basic.return"] == names(channel.heard())


def test_deleting_the_exchange_drops_what_it_delays() -> None:
    """Another exchange of its name begins with nothing."""
    core = Core()
    channel = delayed(core)
    channel.publish("x", "k", b"lost", headers=headers(x_delay=500))
    core.commit()
    core.vhost.delete_exchange(core.vhost.exchanges["x"])
    exchange(core, "x-delayed-message", x_delayed_type="fanout")
    core.vhost.bind(core.vhost.exchanges["x"], "q", "", b"")
    core.commit()
    advance(core, 500)
    assert [] == waiting(core)
    core = core.restart()
    assert [] == waiting(core)


def test_copies_are_delayed_with_the_message() -> None:
    """Routing keys in CC and BCC count when it is due; BCC is not shown."""
    core = Core()
    exchange(core, "x-delayed-message", x_delayed_type="direct")
    for key in ("one", "two", "three"):
        bind(core, key, key=key)
    core.channel().publish("x", "one", b"m", headers=headers(x_delay=5, CC=["two"], BCC=["three"]))
    core.commit()
    core = core.restart()
    core.settle()
    advance(core, 5)
    channel = core.channel()
    for key in ("one", "two", "three"):
        channel.session.get(core.vhost.queues[key], True)
    assert [{"x-delay": -5, "CC": ["two"]}] * 3 == [table_of(heard) for heard in channel.heard()]


def test_dead_letters_and_bindings_are_delayed_too() -> None:
    """A gate stands before its exchange whichever way a message comes, and lets it through when it is due."""
    core = Core()
    delayed(core)
    declare(core, "source", x_dead_letter_exchange="x")
    core.vhost.bind(core.vhost.exchanges["amq.fanout"], core.vhost.exchanges["x"], "", b"")
    channel = core.channel()
    channel.publish("", "source", b"dead", headers=headers(x_delay=500))
    channel.publish("amq.fanout", "", b"bound", headers=headers(x_delay=600))
    channel.consume(core.vhost.queues["source"])
    core.finish()
    channel.session.nack(1, False, False)
    assert [] == waiting(core)
    advance(core, 500)
    assert [b"dead"] == waiting(core)
    advance(core, 600)
    assert [b"bound"] == waiting(core)


def test_properties_route_a_message_that_is_due() -> None:
    """An inner exchange that hashes a property finds it again."""
    core = Core()
    exchange(core, "x-delayed-message", x_delayed_type="x-consistent-hash", hash_property="message_id")
    for queue in ("one", "two"):
        bind(core, queue, key="1")
    channel = core.channel()
    for number in range(20):
        channel.publish("x", "", b"now", message_id=str(number))
        channel.publish("x", "", b"late", message_id=str(number), headers=headers(x_delay=5))
    advance(core, 5)
    for queue in ("one", "two"):
        bodies = waiting(core, queue)
        assert bodies.count(b"now") == bodies.count(b"late") > 0


# --- recent history ----------------------------------------------------------------------------------------------------


def test_new_bindings_hear_the_last_messages() -> None:
    """Oldest first, through a bound exchange too; the same binding once more hears nothing."""
    core = Core()
    exchange(core, "x-recent-history", x_recent_history_length=2)
    channel = core.channel()
    for number in range(3):
        channel.publish("x", "k", b"%d" % number)
    channel.publish("x", "k", b"secret", headers=headers(x_recent_history_no_store=True))
    bind(core, "q")
    bind(core, "behind", "amq.fanout")
    core.vhost.bind(core.vhost.exchanges["x"], core.vhost.exchanges["amq.fanout"], "", b"")
    core.vhost.bind(core.vhost.exchanges["x"], "q", "", b"")
    assert [[b"1", b"2"]] * 2 == [waiting(core), waiting(core, "behind")]
    channel.publish("x", "k", b"3")
    assert [[b"3"]] * 2 == [waiting(core), waiting(core, "behind")]


def test_history_ends_with_the_broker() -> None:
    """Recovered bindings hear nothing, and neither do new ones."""
    core = Core()
    exchange(core, "x-recent-history")
    bind(core, "q")
    core.channel().publish("x", "k", b"old", delivery_mode=2)
    core.commit()
    core = core.restart()
    core.settle()
    assert [b"old"] == waiting(core)
    bind(core, "new")
    assert [] == waiting(core, "new")


# --- deduplication -----------------------------------------------------------------------------------------------------


def test_an_exchange_drops_what_it_has_seen() -> None:
    """Whatever its type; a duplicate is confirmed and not returned, and a message without identifier never is one."""
    core = start()
    exchange(core, "direct", x_message_deduplication=True)
    bind(core, "q", key="k")
    channel = confirming(core)
    for identifier in ("a", "a", 1, "1", 1, None, None):
        channel.publish("x", "k", str(identifier).encode(), mandatory=True, headers=headers(x_deduplication_header=identifier))
    channel.publish("x", "k", b"plain")
    channel.publish("x", "k", b"plain")
    core.commit()
    assert [b"a", b"1", b"1", b"None", b"plain", b"plain"] == waiting(core)
    (heard,) = channel.heard()
    assert ("basic.ack", 9) == (heard.name, heard.values[0])


def test_a_duplicate_waits_for_what_it_repeats() -> None:
    """It is not confirmed before the first one is on disk, nor later than the next commit."""
    core = start()
    exchange(core, "direct", x_message_deduplication=True)
    bind(core, "q", key="k")
    first, second = confirming(core), confirming(core)
    first.publish("x", "k", delivery_mode=2, headers=headers(x_deduplication_header=1))
    batch = core.store.close_batch()
    second.publish("x", "k", delivery_mode=2, headers=headers(x_deduplication_header=1))
    core.finish()
    assert ([], True) == (second.heard(), core.store.has_work())
    assert batch is not None
    core.store.apply(batch)
    core.store.committed(batch)
    core.commit()
    assert ["basic.ack"] == names(second.heard())


def test_a_message_that_came_to_nothing_may_come_again() -> None:
    """One that nobody took, or that a full queue refused, is not remembered."""
    core = start()
    exchange(core, "direct", x_message_deduplication=True)
    channel = confirming(core)
    channel.publish("x", "k", b"m", mandatory=True, headers=headers(x_deduplication_header=1))
    declare(core, "q", x_max_length=1, x_overflow="reject-publish")
    core.vhost.bind(core.vhost.exchanges["x"], "q", "k", b"")
    channel.publish("x", "k", b"m", mandatory=True, headers=headers(x_deduplication_header=1))
    channel.publish("x", "k", b"full", headers=headers(x_deduplication_header=2))
    assert [b"m"] == waiting(core)
    channel.publish("x", "k", b"full", headers=headers(x_deduplication_header=2))
    assert [b"full"] == waiting(core)
    core.commit()
    assert ["basic.return", "basic.ack", "basic.nack", "basic.ack"] == names(channel.heard())


def test_a_delayed_message_is_no_duplicate_of_itself() -> None:
    """It passes the exchange's gates once; its duplicate is dropped while it waits."""
    core = start()
    channel = delayed(core, x_message_deduplication=True)
    for _ in range(2):
        channel.publish("x", "k", b"m", headers=headers(x_delay=5, x_deduplication_header=1))
    core.commit()
    core = core.restart()
    core.settle()
    advance(core, 6)
    core.channel().publish("x", "k", b"m", headers=headers(x_deduplication_header=1))
    assert [b"m"] == waiting(core)


@pytest.mark.parametrize(
    "arguments",
    [
        {"x_message_deduplication": 1},
        {"x_message_deduplication": True, "x_cache_size": 0},
        {"x_message_deduplication": True, "x_cache_ttl": "1"},
        {"x_message_deduplication": True, "x_deduplication_header": 1},
    ],
)
def test_arguments_of_an_exchange_are_checked(arguments: dict[str, Any]) -> None:
    """A wrong one is refused, and nothing is declared."""
    core = start()
    with pytest.raises(ArgumentError, match="Invalid argument"):
        exchange(core, "direct", **arguments)
    assert "x" not in core.vhost.exchanges


def test_a_queue_drops_what_it_has_seen() -> None:
    """Also after a restart, and after the message is gone; what is requeued is no duplicate."""
    core = start()
    queue = declare(core, "q", x_message_deduplication=True, x_deduplication_header="id")
    channel = confirming(core)
    for number in (1, 1, 2):
        channel.publish("", "q", b"%d" % number, delivery_mode=2, headers=headers(id=number))
    core.commit()
    assert [("basic.ack", [3, True])] == [(heard.name, heard.values) for heard in channel.heard()]
    assert 2 == queue.published
    channel.consume(queue)
    core.finish()
    channel.session.nack(1, False, True)
    core.finish()
    assert [b"1", b"2", b"1"] == channel.bodies()
    channel.session.ack(0, True)
    core.commit()
    core = core.restart()
    core.broker.clock.now = 1
    for number in (1, 2, 3):
        core.channel().publish("", "q", b"%d" % number, delivery_mode=2, headers=headers(id=number))
    assert [b"3"] == waiting(core)


def test_a_full_queue_refuses_before_it_remembers() -> None:
    """A publisher that tries again is not taken for a duplicate."""
    core = start()
    declare(core, "q", x_message_deduplication=True, x_max_length=0, x_overflow="reject-publish")
    channel = confirming(core)
    for _ in range(2):
        channel.publish("", "q", headers=headers(x_deduplication_header=1))
    core.finish()
    assert ["basic.nack", "basic.nack"] == names(channel.heard())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"x_message_deduplication": 1}, "{unacceptable_type,signedint}"),
        ({"x_cache_size": 0}, "value_zero"),
        ({"x_cache_ttl": -1}, "value_negative"),
        ({"x_deduplication_header": 1}, "{unacceptable_type,signedint}"),
    ],
)
def test_arguments_of_a_queue_are_checked(arguments: dict[str, Any], problem: str) -> None:
    """As its other arguments are."""
    with pytest.raises(PreconditionFailed, match=problem):
        declare(Core(), "q", **arguments)

import gc

from amqpd.broker.vhost import PREDECLARED
from amqpd.wire import tables
from exchanges.base import Exchange
from helpers.core import Core, declare
from persistence import rows


def test_predeclared_exchanges() -> None:
    """Every virtual host has them, and the default exchange (specification 3.1.3)."""
    exchanges = Core().vhost.exchanges

    assert {"", *[name for name, _, _ in PREDECLARED]} <= set(exchanges)
    assert [True] * len(PREDECLARED) == [exchanges[name].durable for name, _, _ in PREDECLARED]


def test_only_what_is_durable_is_saved() -> None:
    """A binding is, if both its ends are; deleting removes the rows (invariant 2)."""
    core = Core()
    vhost = core.vhost
    before = set(core.journal.rows)
    durable = vhost.declare_exchange("direct", "d", True, False, False, b"")
    transient = vhost.declare_exchange("direct", "t", False, False, False, b"")
    for name, is_durable in (("dq", True), ("tq", False)):
        declare(core, name, durable=is_durable)
        for exchange in (durable, transient):
            vhost.bind(exchange, name, "k", b"")
    vhost.bind(durable, vhost.exchanges["amq.fanout"], "k", tables.encode({"a": 1}))
    vhost.bind(transient, vhost.exchanges["amq.fanout"], "k", b"")
    saved = set(core.journal.rows) - before

    assert {
        ("exchanges", "/", "d"),
        ("queues", "/", "dq"),
        ("bindings", "/", "d", "dq", "queue", "k", b""),
        ("bindings", "/", "d", "amq.fanout", "exchange", "k", tables.encode({"a": 1})),
    } == saved
    for queue in list(vhost.queues.values()):
        vhost.delete_queue(queue)
    vhost.delete_exchange(durable)
    assert before == set(core.journal.rows)


def test_an_auto_delete_queue_goes_with_its_last_consumer() -> None:
    """Never before its first; its bindings go with it (invariant 3)."""
    core = Core()
    queue = declare(core, "q", auto_delete=True)
    channel = core.channel()
    channel.consume(queue, "a")
    channel.consume(queue, "b")
    channel.session.cancel("a")
    assert "q" in core.vhost.queues
    channel.session.cancel("b")

    assert queue.deleted
    assert "q" not in core.vhost.queues
    assert {} == channel.session.consumers


def test_auto_delete_goes_along_a_chain() -> None:
    """A queue's end unbinds it, which ends its exchange, which unbinds that from the exchange before it."""
    core = Core()
    vhost = core.vhost
    queue = declare(core, "q", auto_delete=True)
    first, second, third = (vhost.declare_exchange("fanout", name, True, True, False, b"") for name in "abc")
    stays = vhost.declare_exchange("fanout", "s", True, False, False, b"")
    vhost.bind(first, second, "", b"")
    vhost.bind(second, third, "", b"")
    vhost.bind(third, "q", "", b"")
    vhost.bind(stays, first, "", b"")
    channel = core.channel()
    channel.consume(queue)
    channel.session.close()

    assert set() == {"a", "b", "c", "q"} & {*vhost.exchanges, *vhost.queues}
    assert {} == stays.bindings
    assert [] == [row for row in core.journal.rows.values() if isinstance(row, rows.Binding | rows.Queue)]


def test_an_auto_delete_exchange_waits_for_its_first_binding() -> None:
    """And it goes with its last one."""
    core = Core()
    vhost = core.vhost
    declare(core, "q")
    exchange = vhost.declare_exchange("direct", "x", False, True, False, b"")
    vhost.unbind(exchange, "q", "k", b"")
    assert "x" in vhost.exchanges
    for key in ("k", "l"):
        vhost.bind(exchange, "q", key, b"")
    vhost.unbind(exchange, "q", "k", b"")
    assert "x" in vhost.exchanges
    vhost.unbind(exchange, "q", "l", b"")
    assert "x" not in vhost.exchanges


def test_a_queue_ends_once() -> None:
    """A second end is nothing."""
    core = Core()
    queue = declare(core, "q")
    core.channel().publish("", "q")

    assert [1, 0] == [core.vhost.delete_queue(queue), core.vhost.delete_queue(queue)]


def test_a_deleted_exchange_is_unbound_on_both_sides() -> None:
    """Neither its sources nor its destinations know it any more; messages take the other ways."""
    core = Core()
    vhost = core.vhost
    declare(core, "q")
    exchange = vhost.declare_exchange("fanout", "x", True, False, False, b"")
    vhost.bind(vhost.exchanges["amq.fanout"], exchange, "", b"")
    vhost.bind(exchange, "q", "", b"")
    vhost.delete_exchange(exchange)
    core.channel().publish("amq.fanout", "")

    assert {} == vhost.exchanges["amq.fanout"].bindings
    assert vhost.queues["q"].ready.count == 0


def test_an_exchange_that_is_not_bound_any_more_is_not_kept() -> None:
    """Neither its last binding to a queue nor anything else keeps it, however long the queue lives."""
    core = Core()
    queue = declare(core, "q")
    exchange = core.vhost.declare_exchange("direct", "x", True, False, False, b"")
    for key in ("one", "two"):
        core.vhost.bind(exchange, queue.name, key, b"")
    for key in ("one", "two"):
        core.vhost.unbind(exchange, queue.name, key, b"")
    core.vhost.delete_exchange(exchange)
    core.commit()
    del exchange
    gc.collect()
    assert [] == [found for found in gc.get_objects() if isinstance(found, Exchange) and found.name == "x"]

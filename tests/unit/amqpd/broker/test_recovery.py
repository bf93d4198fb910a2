from amqpd.broker import administration
from amqpd.wire import tables
from helpers.core import Core, CoreChannel, declare


def test_everything_durable_comes_back() -> None:
    """Virtual hosts, users with their rights, exchanges, queues, bindings and messages."""
    core = Core()
    vhost = core.vhost
    core.broker.add_vhost("other")
    alice = core.broker.add_user("alice", "secret", ("monitoring", "impersonator"))
    core.broker.set_permission(alice, "other", "a", "b", "c")
    exchange = vhost.declare_exchange("headers", "x", True, True, True, tables.encode({"alternate-exchange": "amq.fanout"}))
    declare(core, "q", x_max_priority=5, x_unknown="kept")
    arguments = tables.encode({"x-match": "any", "number": 5, "nested": {"a": [None]}})
    vhost.bind(exchange, "q", "key", arguments)
    vhost.bind(exchange, vhost.exchanges["amq.fanout"], "", b"")
    core.channel().publish("", "q", b"body", delivery_mode=2, priority=3)
    core.commit()

    again = core.restart()
    found = again.broker.users.login("alice", "secret", False)
    queue, source = again.vhost.queues["q"], again.vhost.exchanges["x"]
    assert {"/", "other"} == set(again.broker.vhosts)
    assert not isinstance(found, str)
    assert found.tags == ("monitoring", "impersonator")
    assert again.broker.enter(found, "other", False).access.can("read", "c")
    assert ("headers", True, True, True) == (source.type, source.durable, source.auto_delete, source.internal)
    assert source.alternate == "amq.fanout"
    assert (queue.durable, queue.auto_delete, queue.exclusive_to) == (True, False, None)
    assert {"x-max-priority": 5, "x-unknown": "kept"} == queue.arguments.values()
    assert len(source.bindings) == 2
    assert again.channel().get(queue) == (1, b"body")


def test_a_recovered_binding_is_the_same_binding() -> None:
    """It routes, binding again changes nothing, and unbinding with the client's own bytes removes it and its row."""
    core = Core()
    declare(core, "q")
    table = b"\x01ab\x05"
    core.vhost.bind(core.vhost.exchanges["amq.direct"], "q", "k", table)
    again = core.restart()
    source = again.vhost.exchanges["amq.direct"]
    again.vhost.bind(source, "q", "k", table)
    again.channel().publish("amq.direct", "k")

    assert again.vhost.queues["q"].ready.count == 1
    assert len(source.bindings) == 1
    again.vhost.unbind(source, "q", "k", table)
    assert [] == [key for key in core.journal.rows if key[0] == "bindings"]


def test_what_is_transient_does_not_come_back() -> None:
    """Transient queues and exchanges, and transient messages in durable queues."""
    core = Core()
    core.vhost.declare_exchange("fanout", "x", False, False, False, b"")
    declare(core, "t", durable=False)
    declare(core, "q")
    channel = core.channel()
    channel.publish("", "t", delivery_mode=2)
    channel.publish("", "q", delivery_mode=1)
    core.commit()
    again = core.restart()

    assert "x" not in again.vhost.exchanges
    assert {"q": 0} == {name: queue.ready.count for name, queue in again.vhost.queues.items()}


def test_what_was_not_committed_is_lost() -> None:
    """A crash keeps whole batches only; the queue id of a later queue is new."""
    core = Core()
    queue = declare(core, "q")
    channel = core.channel()
    channel.publish("", "q", b"1", delivery_mode=2)
    core.commit()
    channel.publish("", "q", b"2", delivery_mode=2)
    again = core.restart()

    assert again.vhost.queues["q"].ready.count == 1
    assert declare(again, "r").id > queue.id


def test_a_recovered_auto_delete_exchange_goes_with_its_last_binding() -> None:
    """The bindings that came back count."""
    core = Core()
    declare(core, "q")
    exchange = core.vhost.declare_exchange("direct", "x", True, True, False, b"")
    core.vhost.bind(exchange, "q", "k", b"")
    again = core.restart()
    again.vhost.delete_queue(again.vhost.queues["q"])

    assert "x" not in again.vhost.exchanges


def test_recovered_queues_serve_consumers() -> None:
    """Held messages come back too, in order, and can be acknowledged for good."""
    core = Core()
    declare(core, "q")
    channel = core.channel()
    channel.publish_many("q", [b"1", b"2", b"3"], delivery_mode=2)
    channel.get(core.vhost.queues["q"])
    core.commit()
    again = core.restart()
    consumer = CoreChannel(again, again.client())
    consumer.consume(again.vhost.queues["q"])
    again.settle()
    assert [b"1", b"2", b"3"] == consumer.bodies()
    consumer.session.ack(2, True)
    again.commit()

    assert again.restart().vhost.queues["q"].ready.count == 1


def test_a_paused_queue_comes_back_paused() -> None:
    """A pause lasts until the queue is resumed or deleted; a new queue of that name is not paused."""
    core = Core()
    for name in ("paused", "resumed", "deleted"):
        administration.pause_queue(core.broker, declare(core, name))
    administration.resume_queue(core.broker, core.vhost.queues["resumed"])
    core.vhost.delete_queue(core.vhost.queues["deleted"])
    declare(core, "deleted")
    again = core.restart()
    assert {"paused": True, "resumed": False, "deleted": False} == {
        name: queue.dispatch.paused for name, queue in again.vhost.queues.items()
    }

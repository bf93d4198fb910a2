"""The gate of a delayed exchange, for publishers that repeat themselves and for exchanges that end."""

from amqpd.wire import properties, tables
from amqpd.wire.methods import short_string
from helpers.client import content_header
from helpers.core import Core, declare


def delayed() -> Core:
    """A core with a delayed fanout exchange `x` and a queue `q` behind it, not at the beginning of time."""
    core = Core()
    core.broker.clock.now = 1
    arguments = tables.encode({"x-delayed-type": "fanout"})
    exchange = core.vhost.declare_exchange("x-delayed-message", "x", True, False, False, arguments)
    declare(core, "q")
    core.vhost.bind(exchange, "q", "", b"")
    return core


def test_messages_that_are_alike_share_an_envelope() -> None:
    """Each is delayed as its own header says, whatever the one before it said, and those without a delay are not."""
    core = delayed()
    session = core.channel().session
    publication = session.publication("x", "", False, short_string("x") + short_string(""))
    drafts = {
        delay: session.draft(publication, content_header(1, headers=tables.encode({"x-delay": delay}))) for delay in (0, 10, 20)
    }
    for delay in (10, 10, 20, 0, 10):
        session.publish(drafts[delay], b"m")
    queue = core.vhost.queues["q"]
    counts = [queue.ready.count]
    for now in (11, 21):
        core.broker.clock.now = now
        core.broker.agenda.run(now)
        counts.append(queue.ready.count)
    assert [1, 4, 5] == counts

    envelopes = [entry.message.envelope for entry in queue.lane.head]
    told = [properties.decoded_headers(properties.parse(envelope.header))["x-delay"] for envelope in envelopes]
    assert [0, -10, -10, -10, -20] == told
    assert envelopes[1] is envelopes[2]


def test_a_deleted_exchange_has_no_appointments() -> None:
    """What it held back is gone at once, not when it would have been due."""
    core = delayed()
    core.channel().publish("x", "", b"m", headers=tables.encode({"x-delay": 1_000_000}))
    assert 1_000_001 == core.broker.agenda.next()
    core.vhost.delete_exchange(core.vhost.exchanges["x"])

    assert 0 == core.broker.agenda.next()

"""Direct reply-to, through channels of a core without sockets."""

from collections.abc import Callable

import pytest

from amqpd.broker import replies
from amqpd.broker.lane import HEAD_RECORDS
from amqpd.errors import NotFound, PreconditionFailed
from amqpd.message import address_of
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties
from helpers.core import Core, CoreChannel, declare

REPLY_TO = "amq.rabbitmq.reply-to"


def requester(core: Core) -> CoreChannel:
    """A channel that waits for replies."""
    channel = core.channel()
    replies.consume(channel.session, "replies", True)
    return channel


def reply_to(core: Core, channel: CoreChannel) -> str:
    """The reply_to that a request of the channel carries when it arrives."""
    queue = core.vhost.queues.get("requests") or declare(core, "requests")
    channel.publish("", "requests", reply_to=REPLY_TO)
    server = core.channel()
    server.session.get(queue, True)
    (heard,) = server.heard()
    return str(properties.parse(heard.header).reply_to)


def test_a_reply_reaches_its_requester() -> None:
    """Directly or as a copy, mandatory or not, and nobody else; it is confirmed at once, although it is persistent."""
    core = Core()
    client, other, server = requester(core), requester(core), core.channel()
    server.session.select_confirms()
    name = reply_to(core, client)
    server.publish("", name, b"answer", mandatory=True, delivery_mode=2)
    server.publish("", "nowhere", b"copy", headers=tables.encode({"CC": [name]}))
    core.finish()
    assert ([b"answer", b"copy"], []) == (client.bodies(), other.bodies())
    assert ["basic.ack"] == [heard.name for heard in server.heard()]


def test_names_are_opaque() -> None:
    """Each requester has one that cannot be guessed, also after it cancelled and began again."""
    core = Core()
    client, other = requester(core), requester(core)
    names = {reply_to(core, client), reply_to(core, other)}
    client.session.cancel("replies")
    replies.consume(client.session, "replies", True)
    names.add(reply_to(core, client))
    assert 3 == len(names)
    assert {len(REPLY_TO) + 1 + 22} == {len(name) for name in names}
    assert all(name.startswith(f"{REPLY_TO}.") for name in names)


@pytest.mark.parametrize("leave", [lambda client: client.session.cancel("replies"), lambda client: client.session.close()])
def test_replies_to_who_is_gone_are_dropped(leave: Callable[[CoreChannel], None]) -> None:
    """Also by publishers that knew the way before; a mandatory one is returned, and nothing is left behind."""
    core = Core()
    client, server = requester(core), core.channel()
    name = reply_to(core, client)
    publication = server.session.publication("", name, False, address_of("", name))
    draft = server.session.draft(publication, properties.encode(Properties(), 0))
    server.session.publish(draft, b"")
    leave(client)
    client.heard()
    server.session.publish(draft, b"")
    server.publish("", name, mandatory=True)
    core.finish()
    assert ([], {}) == (client.bodies(), core.vhost.reply_queues)
    assert ["basic.return"] == [heard.name for heard in server.heard()]
    with pytest.raises(NotFound, match=f"no queue '{name}' in vhost '/'"):
        replies.check_alive(core.vhost, name)


def test_names_can_be_asked_for() -> None:
    """That of a requester who waits, and the common one, of which nothing is known; no other."""
    core = Core()
    replies.check_alive(core.vhost, reply_to(core, requester(core)))
    replies.check_alive(core.vhost, REPLY_TO)
    for name in (f"{REPLY_TO}.", f"{REPLY_TO}x"):
        with pytest.raises(NotFound):
            replies.check_alive(core.vhost, name)


def test_what_is_refused() -> None:
    """Acknowledgements, a second consumer, and requests without a consumer, in RabbitMQ's words and order."""
    core = Core()
    channel = core.channel()
    declare(core, "q")
    with pytest.raises(PreconditionFailed, match="reply consumer cannot acknowledge"):
        replies.consume(channel.session, "c", False)
    with pytest.raises(PreconditionFailed, match="fast reply consumer does not exist"):
        channel.publish("", "q", reply_to=REPLY_TO, expiration="bad")
    replies.consume(channel.session, "c", True)
    with pytest.raises(PreconditionFailed, match="reply consumer already set"):
        replies.consume(channel.session, "d", True)
    channel.session.cancel("c")
    with pytest.raises(PreconditionFailed, match="fast reply consumer does not exist"):
        channel.publish("", "q", reply_to=REPLY_TO)


def test_any_other_reply_to_is_left_alone() -> None:
    """Only the common name is replaced, and all other properties stay."""
    core = Core()
    queue = declare(core, "q")
    channel = requester(core)
    channel.publish("", "q", reply_to="my.queue", correlation_id="1")
    channel.publish("", "q", b"body", reply_to=REPLY_TO, correlation_id="2", headers=tables.encode({"a": 1}))
    server = core.channel()
    server.session.get(queue, True)
    server.session.get(queue, True)
    first, second = server.heard()
    found = properties.parse(second.header)
    assert "my.queue" == properties.parse(first.header).reply_to
    assert ("2", {"a": 1}, b"body") == (found.correlation_id, properties.decoded_headers(found), second.body)


def test_the_hidden_queue_is_hidden() -> None:
    """It is neither among the queues, nor in the definitions, nor can it be deleted."""
    core = Core()
    before = set(core.journal.rows)
    client = requester(core)
    assert ({}, before) == (core.vhost.queues, set(core.journal.rows))
    assert client.session.reply_name() in core.vhost.reply_queues


def test_replies_that_nobody_reads_leave_memory() -> None:
    """A requester that does not read is sent its replies later, which wait on the disk when memory is short."""
    core = Core(memory_limit=10_000)
    client, server = requester(core), core.channel()
    name = reply_to(core, client)
    client.flow.writable = False
    bodies = [b"%05d" % number * 1000 for number in range(HEAD_RECORDS)]
    server.publish_many(name, bodies)
    core.settle()
    before = core.broker.memory.resident
    core.broker.relieve_memory()
    core.settle()
    core.broker.relieve_memory()
    assert before / 2 > core.broker.memory.resident
    read: list[bytes] = []
    while len(read) < len(bodies):
        client.flow.open()
        core.settle()
        read += client.bodies()
    assert bodies == read

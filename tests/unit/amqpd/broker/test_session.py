import pytest

from amqpd.errors import AccessRefused, NotFound, PreconditionFailed
from amqpd.wire import tables
from helpers.client import Heard
from helpers.core import Core, CoreChannel, declare


def setting(*queues: str) -> tuple[Core, CoreChannel]:
    """A core with these queues, and a channel."""
    core = Core()
    for name in queues:
        declare(core, name)
    core.commit()
    return core, core.channel()


def counts(core: Core, name: str = "q") -> tuple[int, int]:
    """Ready and unacknowledged messages of a queue."""
    queue = core.vhost.queues[name]
    return queue.ready.count, queue.unacked


# --- publish -----------------------------------------------------------------------------------------------------------


def test_a_message_goes_to_all_queues_it_was_routed_to() -> None:
    """By its key, and by those in CC and BCC; each queue once."""
    core, channel = setting("a", "b", "c")
    headers = tables.encode({"CC": ["b", "a"], "BCC": ["c"], "other": 1})
    channel.publish("", "a", b"x", headers=headers)

    assert [(1, 0)] * 3 == [counts(core, name) for name in "abc"]
    channel.get(core.vhost.queues["c"])
    entry = channel.session.ledger.unacked[1]
    assert b"BCC" not in entry.message.envelope.header
    assert b"CC" in entry.message.envelope.header


def test_an_unroutable_message_is_dropped_or_returned() -> None:
    """With mandatory it comes back with 312 NO_ROUTE and its content."""
    _, channel = setting()
    channel.publish("amq.direct", "nowhere", b"x")
    assert [] == channel.heard()
    channel.publish("amq.direct", "nowhere", b"x", mandatory=True, type="t")
    (returned,) = channel.heard()

    assert ("basic.return", [312, "NO_ROUTE", "amq.direct", "nowhere"]) == (returned.name, returned.values)
    assert returned.body == b"x"
    assert returned.header.endswith(b"\x01t")


def test_routes_follow_what_changes() -> None:
    """A draft that was resolved before a binding, a queue or an exchange came or went is resolved again."""
    core, channel = setting("q")
    vhost, session = core.vhost, channel.session
    exchange = vhost.declare_exchange("direct", "x", True, False, False, b"")
    publication = session.publication("x", "k", True, b"\x01x\x01k")
    draft = session.draft(publication, b"\x00\x3c" + bytes(12))
    session.publish(draft, b"")
    vhost.bind(exchange, "q", "k", b"")
    session.publish(draft, b"")
    vhost.delete_queue(vhost.queues["q"])
    session.publish(draft, b"")
    vhost.delete_exchange(exchange)

    assert ["basic.return", "basic.return"] == [heard.name for heard in channel.heard()]
    with pytest.raises(NotFound, match="no exchange 'x' in vhost '/'"):
        session.publish(draft, b"")


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"expiration": "abc"}, "invalid expiration 'abc': "),
        ({"expiration": "10s"}, "invalid expiration '10s': "),
        ({"expiration": "-1"}, "invalid expiration '-1': "),
        ({"user_id": "bob"}, "user_id property set to 'bob' but authenticated user was 'guest'"),
        ({"headers": tables.encode({"CC": "text"})}, 'invalid message: {unacceptable_type_in_header,"CC",longstr}'),
        ({"headers": b"\x05short"}, "invalid message: "),
    ],
)
def test_bad_properties(properties: dict[str, object], problem: str) -> None:
    """406, worded as RabbitMQ does (2.2)."""
    _, channel = setting("q")

    with pytest.raises(PreconditionFailed) as caught:
        channel.publish("", "q", b"", mandatory=False, **properties)
    assert problem in caught.value.explanation


def test_a_users_own_name_is_a_good_user_id() -> None:
    """And an impersonator may use any."""
    core, channel = setting("q")
    channel.publish("", "q", user_id="guest")
    core.broker.users.by_name["guest"] = core.broker.add_user("guest", "guest", ("impersonator",))
    core.broker.set_permission(core.broker.users.by_name["guest"], "/", ".*", ".*", ".*")
    core.channel().publish("", "q", user_id="bob")

    assert counts(core) == (2, 0)


def test_publishing_is_checked() -> None:
    """In this order: right, existence, internal (2.2)."""
    core, _ = setting("q")
    core.vhost.declare_exchange("fanout", "inside", False, False, True, b"")
    channel = core.channel(core.limited_client(write="^inside|^missing"))

    with pytest.raises(AccessRefused, match="write access to exchange 'x' in vhost '/' refused for user 'alice'"):
        channel.publish("x", "q")
    with pytest.raises(AccessRefused, match=r"write access to exchange 'amq\.default' in vhost '/'"):
        channel.publish("", "q")
    with pytest.raises(NotFound, match="no exchange 'missing' in vhost '/'"):
        channel.publish("missing", "q")
    with pytest.raises(AccessRefused, match="cannot publish to internal exchange 'inside' in vhost '/'"):
        channel.publish("inside", "q")


# --- receive -----------------------------------------------------------------------------------------------------------


def test_a_delivery_says_where_it_came_from() -> None:
    """Consumer tag, delivery tag, exchange, routing key, properties and body as they were."""
    core, channel = setting("q")
    channel.consume(core.vhost.queues["q"], "tag")
    channel.publish("", "q", b"body", type="t")
    (heard,) = channel.heard()

    assert ("basic.deliver", ["tag", 1, False, "", "q"], b"body") == (heard.name, heard.values, heard.body)
    assert heard.header.endswith(b"\x01t")


def test_without_acknowledgements_nothing_is_held() -> None:
    """Messages that are delivered on the spot never enter the queue."""
    core, channel = setting("q")
    channel.consume(core.vhost.queues["q"], no_ack=True)
    channel.publish("", "q", b"1", delivery_mode=2)
    channel.publish("", "q", b"2")

    assert [b"1", b"2"] == channel.bodies()
    assert counts(core) == (0, 0)
    assert not core.store.has_work()


def test_get() -> None:
    """One message with the number of those that remain; held unless it needs no acknowledgement."""
    core, channel = setting("q")
    channel.publish_many("q", [b"1", b"2"])
    queue = core.vhost.queues["q"]
    assert channel.session.get(queue, False)
    assert channel.session.get(queue, True)
    assert not channel.session.get(queue, True)

    assert [[1, False, "", "q", 1], [2, False, "", "q", 0]] == [heard.values for heard in channel.heard()]
    assert counts(core) == (0, 1)


def test_a_get_costs_no_consumer_its_credit() -> None:
    """A message that a consumer gave back and somebody else got does not count against that consumer's prefetch."""
    core, channel = setting("q")
    queue = core.vhost.queues["q"]
    channel.consume(queue, prefetch=1)
    channel.publish("", "q", b"1")
    channel.session.nack(1, False, True)
    channel.heard()
    getter = core.channel()
    assert getter.get(queue) == (1, b"1")
    channel.publish("", "q", b"2")
    core.finish()

    assert [b"2"] == channel.bodies()


def test_consumers_of_a_deleted_queue_are_told() -> None:
    """With basic.cancel, if their client understands it."""
    core, channel = setting("q")
    queue = core.vhost.queues["q"]
    channel.consume(queue, "tag")
    deaf = core.channel(core.client(wants_cancels=False))
    deaf.consume(queue, "deaf")
    core.vhost.delete_queue(queue)

    assert [Heard(1, "basic.cancel", ["tag", True])] == channel.heard()
    assert [] == deaf.heard()
    assert {} == channel.session.consumers == deaf.session.consumers


# --- acknowledge -------------------------------------------------------------------------------------------------------


def test_acks() -> None:
    """One, all up to one, or with tag 0 all; the message is gone then."""
    core, channel = setting("q")
    channel.consume(core.vhost.queues["q"])
    channel.publish_many("q", [b"x"] * 10, delivery_mode=2)
    channel.session.ack(2, False)
    assert counts(core) == (0, 9)
    channel.session.ack(5, True)
    assert counts(core) == (0, 5)
    channel.session.ack(0, True)
    channel.session.ack(0, True)
    assert counts(core) == (0, 0)
    core.commit()
    assert core.restart().vhost.queues["q"].ready.count == 0


@pytest.mark.parametrize(("tag", "multiple"), [(3, False), (0, False), (9, True), (1, False), (1, True)])
def test_unknown_tags(tag: int, multiple: bool) -> None:
    """406 for what is not outstanding (2.2)."""
    core, channel = setting("q")
    channel.consume(core.vhost.queues["q"])
    channel.publish_many("q", [b"x"] * 2)
    channel.session.ack(1, False)

    with pytest.raises(PreconditionFailed, match=f"^unknown delivery tag {tag}$"):
        channel.session.ack(tag, multiple)
    with pytest.raises(PreconditionFailed, match=f"^unknown delivery tag {tag}$"):
        channel.session.nack(tag, multiple, True)


def test_nack_with_requeue_restores_the_order() -> None:
    """Messages go back to their places, marked as redelivered."""
    core, channel = setting("q")
    for body in (b"1", b"2", b"3"):
        channel.publish("", "q", body)
    queue = core.vhost.queues["q"]
    for _ in range(2):
        channel.get(queue)
    channel.session.nack(2, False, True)
    channel.session.nack(1, False, True)
    channel.consume(queue)
    core.finish()

    assert [(b"1", True), (b"2", True), (b"3", False)] == [(heard.body, heard.values[2]) for heard in channel.heard()]


def test_reject_without_requeue_drops() -> None:
    """Nothing is left, in memory or on disk."""
    core, channel = setting("q")
    channel.publish_many("q", [b"x"] * 3, delivery_mode=2)
    for _ in range(3):
        channel.get(core.vhost.queues["q"])
    channel.session.nack(1, False, False)
    channel.session.nack(3, True, False)
    core.commit()

    assert counts(core) == (0, 0)
    assert core.restart().vhost.queues["q"].ready.count == 0


def test_recover_gives_everything_back() -> None:
    """basic.recover with requeue."""
    core, channel = setting("q")
    channel.publish_many("q", [b"x"] * 3)
    for _ in range(3):
        channel.get(core.vhost.queues["q"])
    channel.session.recover()

    assert counts(core) == (3, 0)


# --- transactions ------------------------------------------------------------------------------------------------------


def test_a_commit_does_everything_at_once() -> None:
    """Publishes and acknowledgements happen at commit, in one batch."""
    core, channel = setting("q", "r")
    channel.publish("", "q", b"old", delivery_mode=2)
    core.commit()
    channel.get(core.vhost.queues["q"])
    channel.session.select_tx()
    channel.publish("", "r", b"new", delivery_mode=2)
    channel.session.ack(1, False)
    assert (counts(core), counts(core, "r")) == ((0, 1), (0, 0))
    channel.session.commit()
    assert (counts(core), counts(core, "r")) == ((0, 0), (1, 0))
    number = core.store.open_number
    core.commit()
    restarted = core.restart()

    assert core.store.open_number == number + 1
    assert [0, 1] == [restarted.vhost.queues[name].ready.count for name in "qr"]


def test_a_rollback_undoes_everything() -> None:
    """Publishes are dropped, acknowledged messages are outstanding again and can be acknowledged anew."""
    core, channel = setting("q")
    channel.publish_many("q", [b"x"] * 3)
    for _ in range(3):
        channel.get(core.vhost.queues["q"])
    channel.session.select_tx()
    channel.publish("", "q")
    channel.session.ack(1, False)
    channel.session.nack(3, True, False)
    channel.session.rollback()

    assert counts(core) == (0, 3)
    assert [1, 2, 3] == list(channel.session.ledger.unacked)
    channel.session.ack(2, False)
    channel.session.commit()
    assert counts(core) == (0, 2)


def test_transactions_follow_one_another() -> None:
    """After commit and rollback the next one is open; nacks meet their fates."""
    core, channel = setting("q")
    channel.session.select_tx()
    channel.publish("", "q", b"1")
    channel.session.commit()
    channel.publish("", "q", b"2")
    channel.session.rollback()
    channel.get(core.vhost.queues["q"])
    channel.session.nack(1, False, True)
    assert counts(core) == (0, 1)
    channel.session.commit()

    assert counts(core) == (1, 0)


def test_a_commit_that_cannot_be_done_does_nothing() -> None:
    """If an exchange is gone, none of the publishes happen."""
    core, channel = setting("q")
    exchange = core.vhost.declare_exchange("fanout", "x", False, False, False, b"")
    channel.session.select_tx()
    channel.publish("", "q")
    channel.publish("x", "")
    core.vhost.delete_exchange(exchange)
    with pytest.raises(NotFound):
        channel.session.commit()

    assert counts(core) == (0, 0)


def test_a_channel_has_one_mode() -> None:
    """Confirms or transactions; commit and rollback need a transaction (2.2)."""
    _, channel = setting()
    for action in (channel.session.commit, channel.session.rollback):
        with pytest.raises(PreconditionFailed, match="channel is not transactional"):
            action()
    channel.session.select_tx()
    channel.session.select_tx()
    with pytest.raises(PreconditionFailed, match="cannot switch from tx to confirm mode"):
        channel.session.select_confirms()
    _, channel = setting()
    channel.session.select_confirms()
    with pytest.raises(PreconditionFailed, match="cannot switch from confirm to tx mode"):
        channel.session.select_tx()


# --- end ---------------------------------------------------------------------------------------------------------------


def test_a_closed_channel_gives_everything_back() -> None:
    """Consumers leave, the open transaction is rolled back, and held messages return in order (invariant 3)."""
    core, channel = setting("q")
    for body in (b"1", b"2", b"3"):
        channel.publish("", "q", body)
    queue = core.vhost.queues["q"]
    channel.consume(queue)
    core.finish()
    channel.session.select_tx()
    channel.publish("", "q", b"4")
    channel.session.ack(1, False)
    channel.session.close()
    other = core.channel()
    other.consume(queue)
    core.finish()

    assert queue.consumer_count == 1
    assert [b"1", b"2", b"3"] == other.bodies()


def test_a_closed_connection_takes_its_exclusive_queues() -> None:
    """Their messages are gone, though a channel still holds some."""
    core, _ = setting()
    client = core.client()
    from_core = core.channel(client)
    queue = core.vhost.declare_queue("mine", False, False, client, declare(core, "q").arguments)
    from_core.publish("", "mine")
    from_core.get(queue)
    core.broker.leave(client)
    from_core.session.close()

    assert "mine" not in core.vhost.queues
    assert {} == client.exclusive_queues

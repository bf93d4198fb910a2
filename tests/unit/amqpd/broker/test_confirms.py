from amqpd.broker.confirms import Confirms
from amqpd.broker.durability import Durability
from helpers.client import Heard
from helpers.core import Core, CoreChannel, declare


def confirming(core: Core) -> CoreChannel:
    """A channel with confirms."""
    channel = core.channel()
    channel.session.select_confirms()
    return channel


def ack(tag: int, *, multiple: bool) -> Heard:
    """A confirm."""
    return Heard(1, "basic.ack", [tag, multiple])


def test_what_needs_no_disk_is_confirmed_at_the_end_of_the_turn() -> None:
    """Not before; several at once with multiple; a single one without."""
    core = Core()
    declare(core, "q")
    channel = confirming(core)
    channel.publish("", "q")
    assert [] == channel.heard()
    core.finish()
    assert [ack(1, multiple=False)] == channel.heard()

    for _ in range(3):
        channel.publish("", "q")
    core.finish()
    core.finish()
    assert [ack(4, multiple=True)] == channel.heard()


def test_what_is_stored_is_confirmed_when_it_is_durable() -> None:
    """One frame confirms everything of a batch (invariants 2 and 3)."""
    core = Core()
    declare(core, "q")
    channel = confirming(core)
    channel.publish("", "q", delivery_mode=2)
    channel.publish("", "q", delivery_mode=2)
    core.finish()
    assert [] == channel.heard()
    core.commit()
    assert [ack(2, multiple=True)] == channel.heard()


def test_confirms_keep_their_order() -> None:
    """A transient message behind a persistent one waits for it; one before it does not."""
    core = Core()
    declare(core, "q")
    channel = confirming(core)
    channel.publish("", "q")
    channel.publish("", "q", delivery_mode=2)
    channel.publish("", "q")
    core.finish()
    assert [ack(1, multiple=False)] == channel.heard()
    core.commit()
    assert [ack(3, multiple=True)] == channel.heard()


def test_tags_start_with_confirm_select() -> None:
    """Publishes before it are not counted; selecting again changes nothing (invariant 1)."""
    core = Core()
    declare(core, "q")
    channel = core.channel()
    channel.publish("", "q")
    channel.session.select_confirms()
    channel.publish("", "q")
    channel.session.select_confirms()
    channel.publish("", "q")
    core.finish()

    assert [ack(2, multiple=True)] == channel.heard()


def test_a_message_without_a_queue_is_confirmed() -> None:
    """Returned first if it is mandatory."""
    core = Core()
    channel = confirming(core)
    channel.publish("", "nowhere", b"b", mandatory=True)
    core.commit()
    returned, confirmed = channel.heard()

    assert ("basic.return", [312, "NO_ROUTE", "", "nowhere"], b"b") == (returned.name, returned.values, returned.body)
    assert ack(1, multiple=False) == confirmed


def test_a_message_to_several_queues_waits_for_all() -> None:
    """It is stored if one of its queues stores it."""
    core = Core()
    channel = confirming(core)
    for name, durable in (("a", False), ("b", True)):
        declare(core, name, durable=durable)
        core.vhost.bind(core.vhost.exchanges["amq.fanout"], name, "", b"")
    core.commit()
    channel.publish("amq.fanout", "", delivery_mode=2)
    core.finish()
    assert [] == channel.heard()
    core.commit()
    assert [ack(1, multiple=False)] == channel.heard()


def test_a_closed_channel_confirms_nothing() -> None:
    """Its batch may become durable after it is gone."""
    core = Core()
    declare(core, "q")
    channel = confirming(core)
    channel.publish("", "q", delivery_mode=2)
    channel.publish("", "q")
    channel.session.close()
    core.commit()

    assert [] == channel.heard()


def test_batches_are_confirmed_one_by_one() -> None:
    """While an earlier batch is awaited, nothing of a later one is due."""
    confirms = Confirms()
    assert [True, False, True] == [confirms.publish_stored(5), confirms.publish_stored(5), confirms.publish_stored(6)]
    confirms.publish()
    assert confirms.due() == 0

    confirms.batch_durable(4)
    assert confirms.due() == 0
    confirms.batch_durable(5)
    assert confirms.due() == 2
    confirms.confirmed = 2
    confirms.batch_durable(7)
    assert confirms.due() == 4


def test_awaiters_are_told_in_the_order_of_batches() -> None:
    """All that wait for a number up to the durable one, and each once."""
    core = Core()
    declare(core, "q")
    one, two = confirming(core), confirming(core)
    for channel in (one, two, one):
        channel.publish("", "q", delivery_mode=2)
    durability = core.broker.durability
    assert durability.is_awaited()
    durability.batch_durable(core.store.open_number - 1)
    assert [] == one.heard() + two.heard()
    durability.batch_durable(core.store.open_number)

    assert ([ack(2, multiple=True)], [ack(1, multiple=False)]) == (one.heard(), two.heard())
    assert not durability.is_awaited()
    assert durability.through == core.store.open_number


def test_nobody_waits_at_first() -> None:
    """A durable batch without awaiters is only counted."""
    durability = Durability()
    durability.batch_durable(3)

    assert (3, False) == (durability.through, durability.is_awaited())

from collections import OrderedDict

from amqpd.broker.consumer import RATION
from helpers.core import Core, CoreChannel, declare

NUMBERS = [b"%03d" % number for number in range(1000)]


def consuming(core: Core, name: str = "q", **options: int) -> CoreChannel:
    """A channel with a consumer of a queue."""
    channel = core.channel()
    channel.consume(core.vhost.queues[name], **options)  # type: ignore[arg-type]  # named as its parameters
    return channel


def test_consumers_take_turns() -> None:
    """Message by message, in the order of their coming, whether messages come before or after them."""
    core = Core()
    declare(core, "q")
    publisher = core.channel()
    publisher.publish_many("q", NUMBERS[:3])
    consumers = [consuming(core), consuming(core, no_ack=True), consuming(core)]
    core.finish()
    publisher.publish_many("q", NUMBERS[3:6])

    assert [[b"000", b"003"], [b"001", b"004"], [b"002", b"005"]] == [consumer.bodies() for consumer in consumers]


def test_a_full_consumer_is_passed_over() -> None:
    """Its prefetch bounds what it holds; an ack gives it a turn again (specification 1.8.3.1)."""
    core = Core()
    declare(core, "q")
    one, two = consuming(core, prefetch=1), consuming(core, prefetch=2)
    core.channel().publish_many("q", NUMBERS[:6])
    core.finish()
    assert ([b"000"], [b"001", b"002"]) == (one.bodies(), two.bodies())

    one.session.ack(1, False)
    core.finish()
    assert ([b"003"], []) == (one.bodies(), two.bodies())
    two.session.ack(2, True)
    core.finish()
    assert ([], [b"004", b"005"]) == (one.bodies(), two.bodies())


def test_consumers_hold_little_while_memory_is_low() -> None:
    """One without a prefetch gets as many as the ration, whenever it came; those with one and those that hold none, all."""
    core = Core()
    bodies = [b"%06d" % number for number in range(2 * RATION)]
    publisher = core.channel()
    for queue in ("early", "late", "bounded", "untold"):
        declare(core, queue)
        publisher.publish_many(queue, bodies)
    early, late, bounded, untold = (core.channel() for _ in range(4))
    early.consume(core.vhost.queues["early"])
    core.broker.ration(True)
    core.finish()
    late.consume(core.vhost.queues["late"])
    bounded.consume(core.vhost.queues["bounded"], prefetch=2 * RATION)
    untold.consume(core.vhost.queues["untold"], no_ack=True)
    core.finish()
    assert [RATION] * 2 + [2 * RATION] * 2 == [len(channel.bodies()) for channel in (early, late, bounded, untold)]

    late.session.ack(2, True)
    core.finish()
    assert bodies[RATION : RATION + 2] == late.bodies()
    core.broker.ration(False)
    core.finish()
    assert [bodies[RATION:], bodies[RATION + 2 :]] == [channel.bodies() for channel in (early, late)]


def test_who_holds_more_than_the_ration_gets_nothing() -> None:
    """What a consumer holds when memory becomes low stays with it; it gets more once it holds less than the ration."""
    core = Core()
    queue = declare(core, "q")
    channel = consuming(core)
    publisher = core.channel()
    publisher.publish_many("q", [b"before"] * (RATION + 2))
    core.broker.ration(True)
    publisher.publish_many("q", [b"during"] * 3)
    core.finish()
    assert (3, RATION + 2) == (queue.ready.count, queue.unacked)
    channel.session.ack(2, True)
    core.finish()
    assert (3, RATION) == (queue.ready.count, queue.unacked)
    channel.session.ack(3, False)
    core.finish()
    assert (2, RATION) == (queue.ready.count, queue.unacked)


def test_a_channels_own_limit() -> None:
    """basic.qos with global bounds all consumers of the channel together; raising it wakes them."""
    core = Core()
    declare(core, "q")
    channel = core.channel()
    channel.session.qos(3, True)
    for tag in ("a", "b"):
        channel.consume(core.vhost.queues["q"], tag, prefetch=2)
    core.channel().publish_many("q", NUMBERS[:9])
    core.finish()
    assert NUMBERS[:3] == channel.bodies()
    channel.session.qos(0, True)
    core.finish()
    assert [b"003"] == channel.bodies()


def test_a_channels_own_limit_does_not_count_gets() -> None:
    """What basic.get fetched neither uses the limit up nor gives credit back when it is acknowledged."""
    core = Core()
    queue = declare(core, "q")
    channel = core.channel()
    channel.session.qos(1, True)
    core.channel().publish_many("q", NUMBERS[:4])
    assert (1, b"000") == channel.get(queue)
    channel.consume(queue)
    core.finish()
    assert [b"001"] == channel.bodies()
    channel.session.ack(1, False)
    core.finish()
    assert [] == channel.bodies()


def test_a_channels_own_limit_and_consumers_without_acknowledgement() -> None:
    """They wait while the channel's limit is reached, but do not use it up."""
    core = Core()
    held, free = declare(core, "held"), declare(core, "free")
    channel = core.channel()
    channel.session.qos(1, True)
    channel.consume(held, "held")
    channel.consume(free, "free", no_ack=True)
    core.channel().publish_many("held", NUMBERS[:1])
    core.finish()
    core.channel().publish_many("free", NUMBERS[1:4])
    core.finish()
    assert [b"000"] == channel.bodies()
    channel.session.ack(1, False)
    core.finish()
    assert NUMBERS[1:4] == channel.bodies()


def test_a_channels_own_limit_is_shared_fairly() -> None:
    """Queues take turns, also with one that never has more than the message whose turn it is."""
    core = Core()
    channel = core.channel()
    channel.session.qos(1, True)
    for name in ("a", "b", "c"):
        channel.consume(declare(core, name), name)
    for name, count in (("a", 3), ("b", 3), ("c", 1)):
        core.channel().publish_many(name, [name.encode()] * count)
    served = b""
    for tag in range(1, 9):
        core.finish()
        heard = b"".join(channel.bodies())
        if heard == b"c":
            core.channel().publish_many("c", [b"c"])
        served += heard
        channel.session.ack(tag, False)

    assert b"abcabcab" == served


def test_the_highest_priority_is_served_first() -> None:
    """Equals take turns; lower ones get what the higher ones cannot take."""
    core = Core()
    declare(core, "q")
    low = consuming(core, priority=-1)
    highs = [consuming(core, priority=5, prefetch=2) for _ in range(2)]
    normal = consuming(core, prefetch=1)
    core.channel().publish_many("q", NUMBERS[:7])
    core.finish()

    assert [[b"000", b"002"], [b"001", b"003"]] == [high.bodies() for high in highs]
    assert ([b"004"], [b"005", b"006"]) == (normal.bodies(), low.bodies())
    highs[1].session.ack(1, False)
    core.channel().publish_many("q", NUMBERS[7:9])
    core.finish()
    assert ([b"007"], [b"008"]) == (highs[1].bodies(), low.bodies())


def test_a_slow_socket_pauses_a_consumer() -> None:
    """While its socket takes no more, others are served; after that it is again."""
    core = Core()
    declare(core, "q")
    slow, quick = consuming(core, no_ack=True), consuming(core, prefetch=1)
    slow.flow.writable = False
    core.channel().publish_many("q", NUMBERS[:4])
    core.finish()
    assert ([], [b"000"]) == (slow.bodies(), quick.bodies())
    slow.flow.open()
    core.finish()
    assert (NUMBERS[1:4], []) == (slow.bodies(), quick.bodies())


def test_output_that_piles_up_pauses_a_consumer() -> None:
    """A backlog is not copied into the output at once."""
    core = Core()
    declare(core, "q")
    core.channel().publish_many("q", [bytes(100_000)] * 20)
    consumer = consuming(core, no_ack=True)
    core.finish()

    assert not consumer.flow.writable
    assert len(consumer.bodies()) < 10
    consumer.flow.open()
    core.finish()
    assert len(consumer.bodies()) > 0


def test_a_cancelled_consumer_gets_nothing() -> None:
    """Nor does it come back when its credit does."""
    core = Core()
    declare(core, "q")
    channel = consuming(core, prefetch=1)
    core.channel().publish_many("q", NUMBERS[:3])
    core.finish()
    assert [b"000"] == channel.bodies()
    channel.session.cancel("c")
    channel.session.ack(1, False)
    core.finish()

    assert [] == channel.bodies()
    assert core.vhost.queues["q"].ready.count == 2


def test_turns_are_fair_over_time() -> None:
    """Consumers with the same limits that acknowledge at once get the same share."""
    core = Core()
    declare(core, "q")
    consumers = [consuming(core, prefetch=2) for _ in range(4)]
    publisher = core.channel()
    counts = [0] * 4
    for number in range(50):
        publisher.publish_many("q", NUMBERS[number * 8 : number * 8 + 8])
        core.finish()
        for index, consumer in enumerate(consumers):
            counts[index] += len(consumer.bodies())
            consumer.session.ack(0, True)

    assert [100] * 4 == counts


def test_messages_come_in_order() -> None:
    """One consumer sees what one publisher sent as it was sent (specification 4.7)."""
    core = Core()
    declare(core, "q")
    channel = consuming(core, prefetch=7)
    publisher = core.channel()
    bodies: list[bytes] = []
    for number in range(0, 300, 3):
        publisher.publish_many("q", NUMBERS[number : number + 1])
        publisher.publish_many("q", NUMBERS[number + 1 : number + 3], delivery_mode=2)
        core.finish()
        bodies += channel.bodies()
        channel.session.ack(0, True)
    while len(bodies) < 300:
        core.finish()
        bodies += channel.bodies()
        channel.session.ack(0, True)

    assert NUMBERS[:300] == bodies


def test_consumers_that_leave_are_not_served() -> None:
    """Whoever is left takes turns as before, however many left and wherever they stood."""
    core = Core()
    declare(core, "q")
    publisher = core.channel()
    consumers = [consuming(core, no_ack=True) for _ in range(7)]
    publisher.publish_many("q", NUMBERS[:3])
    for leaver in (4, 0, 6, 3, 2):
        consumers[leaver].session.cancel("c")
        publisher.publish_many("q", NUMBERS[10:12])

    for consumer in consumers:
        consumer.heard()
    publisher.publish_many("q", NUMBERS[20:24])
    counts = [len(consumer.bodies()) for consumer in consumers]
    assert [0, 2, 0, 0, 0, 2, 0] == counts
    queue = core.vhost.queues["q"]
    assert (2, True) == (queue.consumer_count, len(queue.dispatch.active) <= 3)


def test_the_next_single_active_consumer_is_not_searched_for() -> None:
    """Each that leaves is followed by the first of those left; an ordered dictionary knows it, however many left."""
    core = Core()
    queue = declare(core, "q", x_single_active_consumer=True)
    channel = core.channel()
    for tag in "abcdef":
        channel.consume(queue, tag)
    assert isinstance(queue.dispatch.consumers, OrderedDict)

    served = ""
    for leaver in "acbfde":
        served += queue.dispatch.first.tag
        channel.session.cancel(leaver)
    assert ("abbdde", 0) == (served, queue.consumer_count)


def test_turns_are_taken_among_those_of_the_highest_priority_alone() -> None:
    """Whoever waits below them is not looked at, wherever it came and whatever its priority."""
    core = Core()
    queue = declare(core, "q")
    lows = [consuming(core, no_ack=True, priority=number % 5) for number in range(50)]
    highs = [consuming(core, prefetch=2, priority=10) for _ in range(2)]
    core.channel().publish_many("q", NUMBERS[:4])
    assert ([NUMBERS[0:4:2], NUMBERS[1:4:2]], 2) == ([high.bodies() for high in highs], len(queue.dispatch.active))

    core.channel().publish_many("q", NUMBERS[4:15])
    fours = [low.bodies() for low in lows[4::5]]
    assert ([[NUMBERS[4], NUMBERS[14]]] + [[body] for body in NUMBERS[5:14]], 10) == (fours, len(queue.dispatch.active))
    highs[1].session.ack(1, False)
    core.channel().publish_many("q", NUMBERS[15:17])
    assert ([NUMBERS[15]], 10) == (highs[1].bodies(), len(queue.dispatch.active))
    assert [NUMBERS[16]] == lows[9].bodies()


def test_who_leaves_another_priority_is_not_served() -> None:
    """However many leave, above and below, the rest is served by its priority; nobody is active once all left."""
    core = Core()
    queue = declare(core, "q")
    publisher = core.channel()
    consumers = [consuming(core, no_ack=True, priority=number % 3) for number in range(9)]
    served = []
    for leaver in (0, 8, 3, 5, 2, 1, 7):
        consumers[leaver].session.cancel("c")
        publisher.publish_many("q", NUMBERS[:1])
        served.append([number for number, consumer in enumerate(consumers) if consumer.bodies()])
    assert [[2], [5], [2], [2], [1], [4], [4]] == served

    consumers[4].session.cancel("c")
    publisher.publish_many("q", NUMBERS[:1])
    assert [NUMBERS[0]] == consumers[6].bodies()
    consumers[6].session.cancel("c")
    assert (0, False) == (queue.consumer_count, bool(queue.dispatch.active))

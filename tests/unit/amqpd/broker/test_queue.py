"""Queues whose messages have an end: deadlines, length, dead letters."""

from amqpd.broker.lane import GONE_SLACK
from amqpd.broker.queue import DROPPED_PER_TURN, EXPIRED_PER_TURN, Queue
from amqpd.broker.vhost import LETTERS_AT_ONCE
from amqpd.wire import properties
from helpers.client import Heard
from helpers.core import Core, CoreChannel, declare


def start() -> Core:
    """A new core, not at the beginning of time."""
    core = Core()
    core.broker.clock.now = 1_000
    return core


def pass_time(core: Core, milliseconds: int) -> None:
    """Keep the appointments of that time."""
    now = core.broker.clock.now = core.broker.clock.now + milliseconds
    while 0 < core.broker.agenda.next() <= now:
        core.broker.agenda.run(now)
        core.settle()


def in_memory(queue: Queue) -> int:
    """Entries that the queue's lane refers to, those that are gone included."""
    return len(queue.lane.head) + len(queue.lane.tail) + len(queue.lane.returned.heap)


def deaths(heard: Heard) -> list[dict[str, object]]:
    """The entries of x-death of what was got."""
    headers = properties.decoded_headers(properties.parse(heard.header))
    found = headers["x-death"]
    assert isinstance(found, list)
    return found


def got(channel: CoreChannel, queue: Queue) -> Heard:
    """The first message of a queue, which is taken from it."""
    assert channel.session.get(queue, True)
    (heard,) = channel.heard()
    return heard


def test_a_message_without_a_deadline_at_the_beginning_of_time() -> None:
    """It waits in a queue with a limit, also when the clock shows 0."""
    core = Core()
    queue = declare(core, "q", x_max_length=5)
    core.channel().publish("", "q", b"m")
    core.finish()

    assert 1 == queue.ready.count


def test_expired_messages_leave_memory() -> None:
    """Those of a queue that nobody consumes and that is never stored do not stay behind."""
    core = start()
    queue = declare(core, "q", durable=False, x_message_ttl=10)
    channel = core.channel()
    for _ in range(5):
        channel.publish_many("q", [b"m"] * 2 * EXPIRED_PER_TURN)
        pass_time(core, 10)

    assert (0, 0, 0) == (queue.ready.count, in_memory(queue), queue.lane.head_size)


def test_what_expires_behind_others_leaves_memory() -> None:
    """Half of the line at most is messages that are gone, and the others keep their order."""
    core = start()
    queue = declare(core, "q", durable=False)
    channel = core.channel()
    channel.publish("", "q", b"first")
    for _ in range(5):
        channel.publish_many("q", [b"m"] * 1000, expiration="10")
        pass_time(core, 10)
    channel.publish("", "q", b"last")

    assert 2 == queue.ready.count
    assert in_memory(queue) <= 2 * 2 + GONE_SLACK
    assert [b"first", b"last"] == [got(channel, queue).body for _ in range(2)]


def test_what_expired_makes_room() -> None:
    """A queue that is too long by a message that has just expired loses no other one."""
    core = start()
    dead = declare(core, "dead")
    queue = declare(core, "q", x_max_length=1, x_message_ttl=10, x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    channel = core.channel()
    channel.publish("", "q", b"old")
    core.broker.clock.now += 10
    channel.publish("", "q", b"new")
    core.finish()

    assert (1, 1) == (queue.ready.count, dead.ready.count)
    assert b"new" == got(channel, queue).body
    assert "expired" in str(got(channel, dead))


def test_a_deleted_queue_has_no_appointments() -> None:
    """Nothing holds it until it would have expired, also if a consumer leaves after it."""
    core = start()
    queue = declare(core, "q", x_expires=1_000_000)
    core.channel().consume(queue)
    core.vhost.delete_queue(queue)

    assert 0 == core.broker.agenda.next()


def test_a_queue_that_became_too_long_is_shortened_by_and_by() -> None:
    """Other work has its turn between two parts, and in the end the newest messages are left."""
    core = start()
    queue = declare(core, "q", durable=False)
    channel = core.channel()
    total = 3 * DROPPED_PER_TURN
    channel.publish_many("q", [b"%05d" % number for number in range(total)])
    queue.limits.max_length = 5
    queue.configure(queue.limits)
    assert total - DROPPED_PER_TURN == queue.ready.count
    pass_time(core, 0)

    assert 5 == queue.ready.count
    assert b"%05d" % (total - 5) == got(channel, queue).body


def test_x_death_tells_the_second() -> None:
    """Messages that are alike have equal headers if they die in the same second, and others if not."""
    core = start()
    dead = declare(core, "dead")
    declare(core, "q", x_message_ttl=10, x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    channel = core.channel()
    for _ in range(2):
        channel.publish_many("q", [b"1", b"2"])
        pass_time(core, 1000)

    heard = [got(channel, dead) for _ in range(4)]
    assert [b"1", b"2", b"1", b"2"] == [each.body for each in heard]
    assert [2, 2, 3, 3] == [death["time"] for each in heard for death in deaths(each)]
    assert [1, 1, 1, 1] == [death["count"] for each in heard for death in deaths(each)]


def test_dead_letters_follow_their_bindings() -> None:
    """A route that was found for one dead letter counts for the next only as long as nothing changes."""
    core = start()
    first, second = declare(core, "first"), declare(core, "second")
    declare(core, "q", x_message_ttl=10, x_dead_letter_exchange="amq.fanout")
    fanout = core.vhost.exchanges["amq.fanout"]
    channel = core.channel()
    for change, name in ((core.vhost.bind, "first"), (core.vhost.bind, "second"), (core.vhost.unbind, "first")):
        change(fanout, name, "", b"")
        channel.publish("", "q", b"m")
        pass_time(core, 10)

    assert (2, 2) == (first.ready.count, second.ready.count)


def test_a_dead_letter_is_on_disk_before_its_publisher_hears() -> None:
    """A message that expires as it comes is confirmed with what became of it."""
    core = start()
    dead = declare(core, "dead")
    declare(core, "q", x_dead_letter_exchange="", x_dead_letter_routing_key="dead", x_message_ttl=0)
    core.commit()
    channel = core.channel()
    channel.session.select_confirms()
    channel.publish("", "q", b"precious", delivery_mode=2)
    core.finish()
    assert 1 == dead.ready.count
    assert [] == channel.heard()
    core.commit()
    assert ["basic.ack"] == [heard.name for heard in channel.heard()]


def test_a_get_does_not_wait_for_a_look_at_deadlines() -> None:
    """What stands in a window that is being looked through for what has expired is got all the same, and once."""
    core = start()
    declare(core, "q")
    publisher = core.channel()
    for number in range(3):
        publisher.publish("", "q", b"%d" % number, delivery_mode=2, expiration="60000" if number else "5")
    core.settle()
    core = core.restart()
    queue = core.vhost.queues["q"]
    core.broker.clock.now += 100
    core.broker.agenda.run(core.broker.clock.now)
    assert queue.lane.sifted is not None
    channel = core.channel()
    assert b"1" == got(channel, queue).body
    core.pages.read()
    assert b"2" == got(channel, queue).body
    assert (None, 0) == (channel.get(queue), queue.ready.count)


def test_what_is_rejected_after_its_queue_leaves_the_disk() -> None:
    """Whoever holds a message of a queue that was deleted can acknowledge, reject or return it: nothing of it stays."""
    core = start()
    queues = [declare(core, f"q{number}") for number in range(6)]
    channel = core.channel()
    for queue in queues:
        channel.publish("", queue.name, b"x" * 1000, delivery_mode=2)
    core.commit()
    for queue in queues:
        channel.get(queue)
        core.vhost.delete_queue(queue)
    assert 0 < core.store._mixer._bytes
    channel.session.ack(1, False)
    channel.session.nack(2, False, True)
    for tag in (3, 4, 5, 6):
        channel.session.nack(tag, False, False)
    core.commit()
    assert 0 == core.store._mixer._bytes


def test_dead_letters_do_not_multiply_without_end() -> None:
    """Queues that all give up to each other end after a number of letters."""
    core = start()
    exchange = core.vhost.declare_exchange("fanout", "f", True, False, False, b"")
    queues = [declare(core, f"q{number}", x_dead_letter_exchange="f", x_max_length=0) for number in range(8)]
    for queue in queues:
        core.vhost.bind(exchange, queue.name, "", b"")
    core.channel().publish("", "q0", b"")
    assert 1 + 8 * LETTERS_AT_ONCE >= sum(queue.published for queue in queues) > LETTERS_AT_ONCE

"""What the broker as a whole has counted."""

from amqpd.broker.totals import CHANNEL_COUNTERS, QUEUE_COUNTERS
from helpers.core import Core, declare


def channels(core: Core) -> dict[str, int]:
    """What all channels have counted."""
    return dict(zip(CHANNEL_COUNTERS, core.broker.totals.channel_row(), strict=True))


def test_a_channel_counts_publishes_and_what_became_of_them() -> None:
    """Messages without a queue are dropped, or returned if they are mandatory."""
    core = Core()
    declare(core, "q")
    channel = core.channel()
    channel.publish("", "q")
    channel.publish("", "nowhere")
    channel.publish("", "nowhere", mandatory=True)
    assert {"published": 3, "confirmable": 0, "confirmed": 0, "returned": 1, "dropped": 1} == channels(core)


def test_only_publishes_after_confirm_select_can_be_confirmed() -> None:
    """What was published before is no part of that counter, and refused messages are not confirmed."""
    core = Core()
    core.broker.clock.now = 1000
    declare(core, "q", x_max_length=1, x_overflow="reject-publish")
    channel = core.channel()
    channel.publish("", "q")
    channel.session.select_confirms()
    channel.publish("", "q")
    channel.publish("", "nowhere")
    core.commit()
    found = channels(core)
    assert (3, 2, 1) == (found["published"], found["confirmable"], found["confirmed"])


def test_a_closed_channel_leaves_its_numbers_once() -> None:
    """The sum is the same after its end, however often that is told."""
    core = Core()
    channel = core.channel()
    channel.publish("", "nowhere")
    before = channels(core)
    channel.session.close()
    core.broker.totals.channel_closed(channel.session.counts)
    assert before == channels(core)
    assert {} == core.broker.totals.channels


def test_a_deleted_queue_leaves_its_numbers() -> None:
    """By the type of the queue."""
    core = Core()
    queue = declare(core, "q")
    channel = core.channel()
    channel.publish("", "q")
    channel.publish("", "q")
    channel.get(queue, no_ack=True)
    channel.get(queue)
    channel.session.get(queue, True)
    core.vhost.delete_queue(queue)
    left = dict(zip(QUEUE_COUNTERS, core.broker.totals.deleted_queues["classic"], strict=True))
    assert (2, 2, 1, 1, 0) == (left["published"], left["got"], left["got_no_ack"], left["missed"], left["acknowledged"])
    assert 1 == core.broker.totals.queues_deleted


def test_declarations_are_counted_apart_from_creations() -> None:
    """Declaring what exists creates nothing."""
    core = Core()
    declare(core, "q")
    declare(core, "q")
    assert (2, 1) == (core.broker.totals.queues_declared, core.broker.totals.queues_created)


def test_dead_letters_are_counted_by_reason_and_whether_they_go_anywhere() -> None:
    """A queue without a dead letter exchange gives up messages, too."""
    core = Core()
    core.broker.clock.now = 1000
    declare(core, "kept", x_max_length=1, x_dead_letter_exchange="")
    declare(core, "lost", x_max_length=1)
    channel = core.channel()
    for queue in ("kept", "lost", "lost"):
        channel.publish("", queue)
        channel.publish("", queue)
    expected = {("classic", "maxlen", True): 1, ("classic", "maxlen", False): 3}
    assert expected == core.broker.totals.dead_letters

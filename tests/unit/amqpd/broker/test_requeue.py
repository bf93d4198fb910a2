import pytest

from helpers.core import Core, declare


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_queue_that_what_comes_back_makes_too_long_drops_its_head(is_closed: bool) -> None:
    """The oldest message goes, however the one that was held comes back."""
    core = Core()
    queue = declare(core, "q", x_max_length=1, x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    dead = declare(core, "dead")
    publisher, holder = core.channel(), core.channel()
    publisher.publish("", "q", b"old")
    held = holder.get(queue)
    assert held is not None
    publisher.publish("", "q", b"new")

    if is_closed:
        holder.session.close()
    else:
        holder.session.nack(held[0], False, True)

    assert [b"new", b"old"] == [got[1] for got in map(publisher.get, (queue, dead)) if got]


def test_what_came_back_and_went_again_does_not_expire() -> None:
    """A message whose first consumer was there before it, and who sent it back, has one fate: whoever holds it decides."""
    core = Core()
    queue = declare(core, "q", x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    dead = declare(core, "dead")
    consumer = core.channel()
    consumer.consume(queue)
    consumer.publish("", "q", b"x", expiration="1000")
    consumer.session.nack(1, False, True)
    core.finish()
    core.broker.clock.now += 2000
    core.broker.agenda.run(core.broker.clock.now)

    assert [b"x", b"x"] == consumer.bodies()
    assert (0, 1, 0) == (queue.ready.count, queue.unacked, dead.ready.count)
    consumer.session.ack(2, False)
    assert (0, 0) == (queue.ready.count, queue.unacked)


def test_what_came_back_is_not_delivered_after_its_deadline() -> None:
    """A message that waits for its consumer's credit expires as if it had never been delivered."""
    core = Core()
    queue = declare(core, "q")
    consumer = core.channel()
    consumer.consume(queue)
    consumer.publish("", "q", b"x", expiration="1000")
    consumer.session.cancel("c")
    consumer.session.nack(1, False, True)
    core.broker.clock.now += 2000
    late = core.channel()

    assert late.get(queue) is None

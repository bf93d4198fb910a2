"""A broker whose disk or memory is nearly full blocks those who publish, and bounds what consumers hold."""

from collections.abc import Callable
from typing import Final

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ConnectionBlockedTimeout

from amqpd.broker.consumer import RATION
from conformance.client.connection import Connection, plain
from helpers.api import Api
from helpers.broker import Broker, BrokerProcess

MORE_THAN_THERE_IS: Final = "100000TB"


@pytest.fixture
def full_broker(start_broker: Callable[..., BrokerProcess]) -> BrokerProcess:
    """A broker that finds its disk too full."""
    return start_broker("--disk-free-limit", MORE_THAN_THERE_IS)


def test_a_publisher_that_asked_is_told(full_broker: Broker, pika_channel: Callable[..., BlockingChannel]) -> None:
    """connection.blocked comes with the first publish, with its reason; pika gives up when it has waited long enough."""
    channel = pika_channel(full_broker, blocked_connection_timeout=0.3)
    reasons: list[str] = []
    channel.connection.add_on_connection_blocked_callback(lambda _, frame: reasons.append(frame.method.reason))
    channel.queue_declare("queue")
    channel.connection.process_data_events(0)
    assert [] == reasons
    channel.basic_publish("", "queue", b"")
    with pytest.raises(ConnectionBlockedTimeout):
        channel.connection.sleep(10)
    assert ["low on disk"] == reasons


def test_a_publisher_that_did_not_ask_is_not_told(
    full_broker: Broker, dial: Callable[[Broker], Connection], connect: Callable[[Broker], Connection]
) -> None:
    """A client without the capability is kept from publishing in silence."""
    silent = dial(full_broker)
    silent.start()
    silent.start_ok(plain("guest", "guest"), capabilities={})
    silent.tune_ok(silent.wait("connection.tune"))
    silent.open("/")
    publisher = silent.channel()
    publisher.queue("queue", exclusive=False)
    publisher.publish(b"message", routing_key="queue")
    observer = connect(full_broker).channel()
    observer.consume("queue")
    observer.must_be_silent()
    assert not silent.inbox(0)


def test_limits_change_while_the_broker_runs(
    start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]
) -> None:
    """An administrator's limit blocks and unblocks at once, and is shown; what makes no sense changes nothing."""
    started = start_broker()
    api = Api(started.http_url)
    node = api.get("/api/overview")["node"]
    usual = api.get(f"/api/nodes/{node}")["mem_limit"]
    publisher = connect(started).channel()
    publisher.queue("queue", exclusive=False)
    assert 204 == api.put(f"/api/nodes/{node}/watermarks", {"vm_memory_high_watermark": {"relative": 0}})
    publisher.publish(b"message", routing_key="queue")
    assert "low on memory" == publisher.stream.wait("connection.blocked").reason
    for senseless in ({"relative": 1.1}, {"relative": "0.5"}, {"absolute": "much"}, {"absolute": 1, "relative": 1}, 0.5):
        assert 400 == api.put(f"/api/nodes/{node}/watermarks", {"vm_memory_high_watermark": senseless})
    limits = {"vm_memory_high_watermark": {"absolute": usual}, "disk_free_limit": {"absolute": "1MB"}}
    assert 204 == api.put(f"/api/nodes/{node}/watermarks", limits)
    publisher.stream.wait("connection.unblocked")
    shown = api.get(f"/api/nodes/{node}")
    assert (usual, 1_000_000) == (shown["mem_limit"], shown["disk_free_limit"])


def test_consumers_go_on(start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]) -> None:
    """Whoever does not publish declares, receives and acknowledges as ever, while others wait with their first message."""
    started = start_broker()
    api = Api(started.http_url)
    limits = f"/api/nodes/{api.get('/api/overview')['node']}/watermarks"
    publisher = connect(started).channel()
    publisher.queue("queue", exclusive=False)
    publisher.publish_all("queue", "before")
    publisher.fence("queue")
    assert 204 == api.put(limits, {"vm_memory_high_watermark": {"relative": 0}})
    publisher.publish_all("queue", "during", "still")
    assert "low on memory" == publisher.stream.wait("connection.blocked").reason
    channel = connect(started).channel()
    channel.consume("queue")
    channel.ack(channel.must_receive("before")[0].delivery_tag)
    channel.queue("another")
    channel.must_be_silent("queue")
    assert 204 == api.put(limits, {"vm_memory_high_watermark": {"relative": 0.9}})
    channel.must_receive("during", "still")


def test_consumers_hold_little_while_memory_is_low(
    start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]
) -> None:
    """One that asked for no prefetch gets no more than the ration before it acknowledges, and the rest after the alarm."""
    started = start_broker()
    api = Api(started.http_url)
    limits = f"/api/nodes/{api.get('/api/overview')['node']}/watermarks"
    publisher = connect(started).channel()
    publisher.queue("queue", exclusive=False)
    bodies = [str(number) for number in range(RATION + 100)]
    publisher.publish_all("queue", *bodies)
    publisher.fence("queue")
    assert 204 == api.put(limits, {"vm_memory_high_watermark": {"relative": 0}})
    channel = connect(started).channel()
    channel.consume("queue")
    held = channel.must_receive(*bodies[:RATION])
    channel.must_be_silent("queue")
    assert 0 == api.get("/api/consumers")[0]["prefetch_count"]
    channel.ack(held[9].delivery_tag, multiple=True)
    channel.must_receive(*bodies[RATION : RATION + 10])
    assert 204 == api.put(limits, {"vm_memory_high_watermark": {"relative": 0.9}})
    channel.must_receive(*bodies[RATION + 10 :])

"""The firehose and the event exchange through a real client; the same on amqpd and, with AMQPD_TEST_URL, on RabbitMQ."""

from collections.abc import Callable, Iterator
from typing import Final

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers.broker import Broker
from helpers.management import management

Open = Callable[..., BlockingChannel]
Copy = tuple[str, dict[str, object], bytes]
EVERYTHING: Final = {"configure": ".*", "write": ".*", "read": ".*"}


@pytest.fixture
def traced(broker: Broker, unique_name: str) -> Iterator[str]:
    """The name of a virtual host that is traced."""
    name = unique_name.replace("[", "").replace("]", "")
    api = management(broker)
    api.put("vhosts", name, body={"tracing": True})
    api.put("permissions", name, "guest", body=EVERYTHING)
    yield name
    api.delete("vhosts", name)


def taken(channel: BlockingChannel, queue: str, count: int) -> list[Copy]:
    """So many messages of a queue, in the order of their keys: key, headers, body."""
    found: list[Copy] = []
    while len(found) < count:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is not None:
            found.append((method.routing_key, properties.headers, body))
    return sorted(found, key=lambda copy: copy[0])


def test_everything_is_copied(broker: Broker, pika_channel: Open, traced: str) -> None:
    """What is published and what is delivered, with RabbitMQ's headers."""
    channel = pika_channel(broker, virtual_host=traced)
    channel.queue_declare("traces", exclusive=True)
    channel.queue_bind("traces", "amq.rabbitmq.trace", "#")
    other = channel.connection.channel(7)
    other.queue_declare("queue")
    other.queue_bind("queue", "amq.direct", "key")
    properties = pika.BasicProperties(headers={"CC": ["more"], "n": 1}, priority=3, content_type="text", timestamp=5)
    other.basic_publish("amq.direct", "key", b"body", properties)
    assert other.basic_get("queue", auto_ack=True)[2] == b"body"
    delivered, published = taken(channel, "traces", 2)

    told: dict[str, object] = {
        "exchange_name": "amq.direct",
        "routing_keys": ["key", "more"],
        "properties": {"timestamp": 5, "priority": 3, "headers": {"CC": ["more"], "n": 1}, "content_type": "text"},
        "vhost": traced,
        "channel": 7,
        "user": "guest",
    }
    assert ("publish.amq.direct", b"body") == (published[0], published[2])
    assert ("deliver.queue", b"body") == (delivered[0], delivered[2])
    assert {**told, "routed_queues": ["queue"]} == without(published[1], "node", "connection")
    assert {**told, "redelivered": 0} == without(delivered[1], "node", "connection")
    assert (published[1]["node"], published[1]["connection"]) == (delivered[1]["node"], delivered[1]["connection"])


def without(headers: dict[str, object], *names: str) -> dict[str, object]:
    """Headers but for those that must be there, whatever they say."""
    for name in names:
        assert headers[name]
    return {name: value for name, value in headers.items() if name not in names}


def test_tracing_ends(broker: Broker, pika_channel: Open, traced: str) -> None:
    """Also for a consumer and a publisher that are there."""
    channel = pika_channel(broker, virtual_host=traced)
    channel.queue_declare("traces", exclusive=True)
    channel.queue_bind("traces", "amq.rabbitmq.trace", "#")
    other = channel.connection.channel()
    other.queue_declare("queue")
    bodies: list[bytes] = []
    other.basic_consume("queue", lambda _channel, _method, _properties, body: bodies.append(body), auto_ack=True)
    other.basic_publish("", "queue", b"traced")
    taken(channel, "traces", 2)
    management(broker).put("vhosts", traced, body={"tracing": False})
    other.basic_publish("", "queue", b"not traced")
    while len(bodies) < 2:
        channel.connection.process_data_events(1)
    assert (None, None, None) == channel.basic_get("traces")


def test_events_are_told(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """A queue, an exchange and their binding come and go, by the wish of a user."""
    channel = pika_channel(broker)
    events = channel.queue_declare("", exclusive=True).method.queue
    for kind in ("queue", "exchange", "binding"):
        channel.queue_bind(events, "amq.rabbitmq.event", f"{kind}.#")
    channel.queue_declare(unique_name, durable=True)
    channel.exchange_declare(unique_name, "topic")
    channel.queue_bind(unique_name, unique_name, "key")
    channel.queue_delete(unique_name)
    channel.exchange_delete(unique_name)
    expected = {
        f"{kind}.{end}" for kind in ("queue", "exchange", "binding") for end in ("created", "deleted")
    }  # fmt: skip
    found: dict[str, dict[str, object]] = {}
    while found.keys() != expected:
        method, properties, body = channel.basic_get(events, auto_ack=True)
        if method is None or unique_name not in properties.headers.values():
            continue
        assert (b"", 2) == (body, properties.delivery_mode)
        assert properties.timestamp == properties.headers["timestamp_in_ms"] // 1000
        found[method.routing_key] = properties.headers
    assert "guest" == found["exchange.created"]["user_who_performed_action"]
    created = {"name": unique_name, "vhost": "/", "durable": True, "auto_delete": False, "exclusive": False}
    assert created.items() <= found["queue.created"].items()
    bound = {"source_name": unique_name, "destination_name": unique_name, "destination_kind": "queue", "routing_key": "key"}
    assert bound.items() <= found["binding.created"].items()

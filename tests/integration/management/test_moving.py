"""Moving, copying and deleting chosen messages: where limits and rights are in the way."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from helpers.api import Api
from helpers.broker import Broker


def publish(api: Api, queue: str, payload: str, mode: int) -> None:
    """Publish to the queue, which takes it."""
    properties = {"delivery_mode": mode, "headers": {"x-deduplication-header": payload}}
    body = {"routing_key": name_of(queue), "properties": properties, "payload": payload, "payload_encoding": "string"}
    assert {"routed": True} == api.post("/api/exchanges/%2F/amq.default/publish", body)


def name_of(path: str) -> str:
    """The name of the queue with this path."""
    return path.rpartition("/")[2]


def payloads(api: Api, queue: str) -> list[str]:
    """What the queue holds."""
    return [found["payload"] for found in api.get(f"{queue}/messages")["messages"]]


def limited(api: Api, mode: int, *messages: str, **arguments: object) -> str:
    """The path of a queue with these messages and limits; underscores in names stand for hyphens."""
    path = f"/api/queues/%2F/{uuid4().hex}"
    assert 201 == api.put(path, {"arguments": {f"x-{name.replace('_', '-')}": value for name, value in arguments.items()}})
    for payload in messages:
        publish(api, path, payload, mode)
    return path


@pytest.mark.parametrize("mode", [1, 2])
def test_moving_within_a_full_queue_drops_nothing(api: Api, mode: int) -> None:
    """A message that goes to the end of its own queue makes room for itself, and is there once."""
    full = limited(api, mode, "0", "1", max_length=2)
    name = name_of(full)
    last = api.get(f"{full}/messages")["messages"][1]["id"]
    assert {"count": 1, "refused": 0} == api.post(f"{full}/messages/move", {"ids": [last], "queue": name})
    assert (["0", "1"], 2) == (payloads(api, full), api.get(full)["messages"])
    assert {"count": 2, "refused": 0} == api.post(f"{full}/messages/move", {"filter": {}, "queue": name})
    got = api.post(f"{full}/get", {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"})
    assert (["0", "1"], []) == ([found["payload"] for found in got], payloads(api, full))
    api.delete(full)


@pytest.mark.parametrize("mode", [1, 2])
def test_what_a_move_drives_out_is_not_moved(api: Api, mode: int) -> None:
    """A message that its queue dropped for what came back from the target is gone, and counts no longer."""
    source = limited(api, mode, "first", "second", max_length=2)
    back = {"dead_letter_exchange": "", "dead_letter_routing_key": name_of(source)}
    target = limited(api, mode, "x", "y", max_length_bytes=5, **back)
    moved = api.post(f"{source}/messages/move", {"filter": {}, "queue": name_of(target)})
    assert ({"count": 1, "refused": 0}, ["first"], ["x", "y"]) == (moved, payloads(api, target), payloads(api, source))
    assert 2 == api.get(source)["messages"]
    for path in (source, target):
        api.delete(path)


def test_moving_to_a_full_queue_loses_nothing(api: Api) -> None:
    """What one of several queues refuses stays where it is, and goes to none of them."""
    full = limited(api, 2, max_length=0, overflow="reject-publish")
    free, queue = limited(api, 2), limited(api, 2, "precious")
    for path in (full, free):
        name = name_of(path)
        assert 201 == api.call("POST", f"/api/bindings/%2F/e/amq.fanout/q/{name}", {}).status
    moved = api.post(f"{queue}/messages/move", {"filter": {}, "exchange": "amq.fanout"})
    assert ({"count": 0, "refused": 1}, ["precious"], []) == (moved, payloads(api, queue), payloads(api, free))
    for path in (full, free, queue):
        api.delete(path)


def test_moving_within_a_queue_that_drops_duplicates_loses_nothing(api: Api) -> None:
    """A message is no duplicate of itself."""
    once = limited(api, 2, "x", message_deduplication=True, cache_size=10)
    moved = api.post(f"{once}/messages/move", {"filter": {}, "queue": name_of(once)})
    assert ({"count": 0, "refused": 1}, ["x"]) == (moved, payloads(api, once))
    api.delete(once)


@pytest.fixture
def clerk(broker: Broker, api: Api) -> Iterator[Api]:
    """A user who may read and write everything, but at amq.topic only with the routing key `allowed`."""
    name = f"clerk-{uuid4().hex}"
    assert 201 == api.put(f"/api/users/{name}", {"password": "secret", "tags": "management"})
    assert 201 == api.put(f"/api/permissions/%2F/{name}", {"configure": "", "write": ".*", "read": ".*"})
    topic = {"exchange": "amq.topic", "write": "^allowed$", "read": ""}
    assert 201 == api.put(f"/api/topic-permissions/%2F/{name}", topic)
    yield Api(broker.http_url, name, "secret")
    api.delete(f"/api/users/{name}")


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_topics_are_closed_to_who_must_not_publish_there(api: Api, clerk: Api, verb: str) -> None:
    """A routing key that is refused is 400 in the words of publishing; a message's own one keeps it where it is."""
    source, target = limited(api, 2), limited(api, 2)
    for key in ("allowed", "forbidden"):
        assert 201 == api.call("POST", f"/api/bindings/%2F/e/amq.topic/q/{name_of(source)}", {"routing_key": key}).status
        message: dict[str, object] = {"routing_key": key, "properties": {}, "payload": key, "payload_encoding": "string"}
        assert {"routed": True} == api.post("/api/exchanges/%2F/amq.topic/publish", message)
    assert 201 == api.call("POST", f"/api/bindings/%2F/e/amq.topic/q/{name_of(target)}", {"routing_key": "#"}).status

    order = {"exchange": "amq.topic", "filter": {"routing_key": "forbidden"}}
    assert {"count": 0, "refused": 1} == clerk.post(f"{source}/messages/{verb}", order)
    reply = clerk.call("POST", f"{source}/messages/{verb}", {**order, "routing_key": "forbidden"})
    assert 400 == reply.status
    assert reply.json["reason"].startswith("403 ACCESS_REFUSED - write access to topic 'forbidden' in exchange 'amq.topic'")
    assert (["allowed", "forbidden"], []) == (payloads(api, source), payloads(api, target))

    assert {"count": 1, "refused": 0} == clerk.post(f"{source}/messages/{verb}", {**order, "routing_key": "allowed"})
    assert ["forbidden"] == payloads(api, target)
    for path in (source, target):
        api.delete(path)


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_internal_exchanges_are_closed(api: Api, verb: str) -> None:
    """They refuse what is moved as they refuse what is published."""
    source = limited(api, 2, "x")
    reply = api.call("POST", f"{source}/messages/{verb}", {"exchange": "amq.rabbitmq.trace", "filter": {}})
    reason = "403 ACCESS_REFUSED - cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'"
    assert (400, reason, ["x"]) == (reply.status, reply.json["reason"], payloads(api, source))
    api.delete(source)

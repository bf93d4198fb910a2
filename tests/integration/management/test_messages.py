"""Publishing, getting, browsing, moving and pausing over HTTP."""

from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers.api import Api
from helpers.broker import Broker

GET = {"count": 10, "ackmode": "ack_requeue_true", "encoding": "auto"}


def publish(api: Api, queue: str, payload: str, **properties: object) -> bool:
    """Publish to the queue through the default exchange; True if it was routed."""
    body = {
        "routing_key": queue.rpartition("/")[2],
        "properties": properties,
        "payload": payload,
        "payload_encoding": "string",
    }
    return bool(api.post("/api/exchanges/%2F/amq.default/publish", body)["routed"])


def payloads(api: Api, queue: str) -> list[str]:
    """What the queue holds, looked at without touching it."""
    return [found["payload"] for found in api.get(f"{queue}/messages?count=1000")["messages"]]


def test_publish_and_get(api: Api, queue: str) -> None:
    """What was published comes back with its properties, and goes back marked as redelivered."""
    headers = {"a": [1, "x", 1.5, True]}
    assert publish(api, queue, "héllo", headers=headers, delivery_mode=2, content_type="t/p")
    first, again = api.post(f"{queue}/get", GET)[0], api.post(f"{queue}/get", GET)[0]
    assert ("héllo", "string", 6, False) == tuple(
        first[name] for name in ("payload", "payload_encoding", "payload_bytes", "redelivered")
    )
    assert {"headers": headers, "delivery_mode": 2, "content_type": "t/p"} == first["properties"]
    assert again["redelivered"]


def test_get_that_takes(api: Api, queue: str) -> None:
    """With ack_requeue_false the messages are gone."""
    publish(api, queue, "x")
    assert 1 == len(api.post(f"{queue}/get", {**GET, "ackmode": "ack_requeue_false"}))
    assert [] == api.post(f"{queue}/get", GET)


def test_binary_payload_is_base64(api: Api, channel: BlockingChannel, queue: str) -> None:
    """A body that is no text, and any body on demand, is encoded in base64; truncation counts bytes."""
    channel.basic_publish("", queue.rpartition("/")[2], b"\xff\xfe")
    channel.queue_declare(queue.rpartition("/")[2], passive=True)
    found = api.post(f"{queue}/get", {**GET, "truncate": 1})[0]
    assert ("/w==", "base64", 2) == (found["payload"], found["payload_encoding"], found["payload_bytes"])


def test_get_takes_no_more_than_an_answer_holds(api: Api, channel: BlockingChannel, queue: str) -> None:
    """Beyond 16 MiB of bodies the rest stays in the queue, however little is shown."""
    for _ in range(4):
        channel.basic_publish("", queue.rpartition("/")[2], bytes(6 * 1024 * 1024))
    channel.queue_declare(queue.rpartition("/")[2], passive=True)
    got = api.post(f"{queue}/get", {**GET, "ackmode": "ack_requeue_false", "truncate": 1})
    assert (3, 1) == (len(got), api.get(queue)["messages"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ackmode": "x"}, "Invalid ackmode value: x. Valid values are: "),
        ({"encoding": "x"}, "Unsupported encoding. Please use auto or base64."),
    ],
)
def test_get_with_bad_arguments(api: Api, queue: str, change: dict[str, str], reason: str) -> None:
    """Bad arguments are 400 with RabbitMQ's words."""
    reply = api.call("POST", f"{queue}/get", {**GET, **change})
    assert 400 == reply.status
    assert reply.json["reason"].startswith(reason)


def test_publish_to_nowhere(api: Api) -> None:
    """Unroutable is `routed: false`; a missing exchange is 400 with the reply code."""
    body = {"routing_key": "nowhere", "properties": {}, "payload": "", "payload_encoding": "string"}
    assert {"routed": False} == api.post("/api/exchanges/%2F/amq.direct/publish", body)
    reply = api.call("POST", "/api/exchanges/%2F/none/publish", body)
    assert (400, "404 NOT_FOUND - no exchange 'none' in vhost '/'") == (reply.status, reply.json["reason"])


def test_publish_to_a_full_queue_is_refused(api: Api, vhost: str) -> None:
    """A queue that refuses makes the publish fail."""
    api.put(f"/api/queues/{vhost}/full", {"arguments": {"x-max-length": 0, "x-overflow": "reject-publish"}})
    body = {"routing_key": "full", "properties": {}, "payload": "x", "payload_encoding": "string"}
    reply = api.call("POST", f"/api/exchanges/{vhost}/amq.default/publish", body)
    assert (400, "rejected Unable to publish message. Check queue limits.") == (reply.status, reply.json["reason"])


def test_browsing_touches_nothing(api: Api, queue: str) -> None:
    """Looked at any number of times, messages keep their order and are not redelivered."""
    for number in range(5):
        publish(api, queue, str(number), delivery_mode=2)
    assert [list("01234")] * 2 == [payloads(api, queue), payloads(api, queue)]
    assert [False] * 5 == [found["redelivered"] for found in api.post(f"{queue}/get", GET)]


def test_browsing_page_by_page(api: Api, queue: str) -> None:
    """`next` says where to go on."""
    for number in range(5):
        publish(api, queue, str(number))
    seen: list[str] = []
    mark: str | None = ""
    while mark is not None:
        page = api.get(f"{queue}/messages?count=2&after={mark}")
        seen += [found["payload"] for found in page["messages"]]
        mark = page["next"]
    assert list("01234") == seen


def test_browsing_with_filters(api: Api, queue: str) -> None:
    """Headers, message id and age choose messages."""
    publish(api, queue, "a", headers={"color": "red"}, message_id="1")
    publish(api, queue, "b", headers={"color": "blue"}, message_id="2")

    def chosen(query: str) -> list[str]:
        return [found["payload"] for found in api.get(f"{queue}/messages?{query}")["messages"]]

    assert [["a"], ["b"], ["a", "b"], []] == [
        chosen("header.color=red"), chosen("message_id=2"), chosen("max_age=3600"), chosen("min_age=3600"),
    ]  # fmt: skip


def test_browsing_a_backlog_on_disk(api: Api, channel: BlockingChannel, queue: str) -> None:
    """What lies on disk only is found, moved and deleted as well."""
    name = queue.rpartition("/")[2]
    persistent = pika.BasicProperties(delivery_mode=2)
    for number in range(6000):
        channel.basic_publish("", name, f"{number:05d}".encode() + b"." * 1000, persistent)
    channel.queue_declare(name, passive=True)
    total = api.get(queue)["messages"]
    found = api.get(f"{queue}/messages?count=1&truncate=5&after=0.{2**62}")
    assert (6000, []) == (total, found["messages"])
    last: list[dict[str, Any]] = []
    mark: str | None = ""
    while mark is not None:
        page = api.get(f"{queue}/messages?count=1000&truncate=5&after={mark}")
        last, mark = page["messages"] or last, page["next"]
    assert "05999" == last[-1]["payload"]
    assert {"count": 2, "refused": 0} == api.post(f"{queue}/messages/delete", {"ids": [last[-1]["id"], last[0]["id"]]})
    assert 5998 == api.get(queue)["messages"]


def test_chosen_messages_are_moved(api: Api, queue: str) -> None:
    """Messages are moved by id; the others stay where they are, in their order."""
    target = queue + "-target"
    api.put(target)
    for number in range(4):
        publish(api, queue, str(number))
    ids = [found["id"] for found in api.get(f"{queue}/messages")["messages"]]
    moved = api.post(f"{queue}/messages/move", {"ids": [ids[1], ids[2]], "queue": target.rpartition("/")[2]})
    assert {"count": 2, "refused": 0} == moved
    assert (["0", "3"], ["1", "2"]) == (payloads(api, queue), payloads(api, target))
    assert 204 == api.delete(target)


def test_moving_to_nowhere_loses_nothing(api: Api, queue: str) -> None:
    """A message that no queue takes stays where it is."""
    publish(api, queue, "precious")
    moved = api.post(f"{queue}/messages/move", {"filter": {}, "exchange": "amq.direct", "routing_key": "nowhere"})
    assert ({"count": 0, "refused": 1}, ["precious"]) == (moved, payloads(api, queue))


def test_copies_leave_the_originals(api: Api, queue: str) -> None:
    """Copying into the same queue copies each message once."""
    publish(api, queue, "x")
    copied = api.post(f"{queue}/messages/copy", {"filter": {}, "queue": queue.rpartition("/")[2]})
    assert ({"count": 1, "refused": 0}, ["x", "x"]) == (copied, payloads(api, queue))


def test_messages_are_deleted_by_filter(api: Api, queue: str) -> None:
    """Only what the filter means is deleted, and no more than `count`."""
    for color in ("red", "blue", "red", "red"):
        publish(api, queue, color, headers={"color": color})
    deleted = api.post(f"{queue}/messages/delete", {"filter": {"header.color": "red"}, "count": 2})
    assert ({"count": 2, "refused": 0}, ["blue", "red"]) == (deleted, payloads(api, queue))


def test_unacknowledged_messages_name_their_holder(api: Api, channel: BlockingChannel, queue: str) -> None:
    """Who holds a message, and since when it is in the queue, is known."""
    publish(api, queue, "held")
    tag = channel.basic_consume(queue.rpartition("/")[2], lambda *_: None)
    channel.connection.process_data_events(0.3)
    held = api.get(f"{queue}/unacked")
    assert [(tag, 1)] == [(found["consumer_tag"], found["delivery_tag"]) for found in held]
    assert "guest" == held[0]["channel_details"]["user"]
    assert 0 <= held[0]["held_for"] < 60


def test_paused_queue_delivers_nothing_until_resumed(api: Api, channel: BlockingChannel, queue: str) -> None:
    """Consumers of a paused queue wait, and are served once it is resumed."""
    name = queue.rpartition("/")[2]
    got: list[bytes] = []
    channel.basic_consume(name, lambda *delivery: got.append(delivery[3]), auto_ack=True)
    assert 204 == api.put(f"{queue}/pause")
    publish(api, queue, "later")
    channel.connection.process_data_events(0.3)
    assert ("paused", []) == (api.get(queue)["state"], got)
    assert 204 == api.put(f"{queue}/resume")
    channel.connection.process_data_events(0.5)
    assert ("running", [b"later"]) == (api.get(queue)["state"], got)


def test_pause_survives_a_restart(broker: Broker, api: Api, queue: str) -> None:
    """A durable queue that is paused is still paused when the broker comes back."""
    broker.require_restart()
    assert 204 == api.put(f"{queue}/pause")
    broker.restart()
    api.url = broker.http_url
    assert "paused" == api.get(queue)["state"]


def test_limits_of_a_living_queue_change(api: Api, queue: str) -> None:
    """PATCH changes limits at once, keeps the rest, and refuses what cannot change."""
    for number in range(5):
        publish(api, queue, str(number))
    assert 204 == api.call("PATCH", queue, {"arguments": {"x-max-length": 2}}).status
    assert ({"x-max-length": 2}, ["3", "4"]) == (api.get(queue)["arguments"], payloads(api, queue))
    assert 204 == api.call("PATCH", queue, {"arguments": {"x-max-length": None}}).status
    assert {} == api.get(queue)["arguments"]
    assert 400 == api.call("PATCH", queue, {"arguments": {"x-queue-type": "quorum"}}).status


def test_age_of_the_oldest_message(api: Api, queue: str) -> None:
    """The queue tells since when its oldest message waits."""
    publish(api, queue, "x")
    shape = api.get(queue)
    assert 0 <= shape["oldest_message_age"] < 60
    assert shape["oldest_message_received_at"] == api.get(f"{queue}/messages")["messages"][0]["received_at"]


@pytest.fixture
def delaying(api: Api, queue: str) -> Iterator[str]:
    """The path of a delaying exchange that drops duplicates, bound to the queue."""
    path = queue.replace("/queues/", "/exchanges/")
    arguments = {"x-delayed-type": "direct", "x-message-deduplication": True, "x-cache-size": 100}
    assert 201 == api.put(path, {"type": "x-delayed-message", "arguments": arguments})
    name = path.rpartition("/")[2]
    assert 201 == api.call("POST", f"/api/bindings/%2F/e/{name}/q/{name}", {"routing_key": "k"}).status
    yield path
    api.delete(path)


def send(api: Api, exchange: str, payload: str, **headers: object) -> bool:
    """Publish to the exchange; True if it was routed."""
    body = {"routing_key": "k", "properties": {"headers": headers}, "payload": payload, "payload_encoding": "string"}
    return bool(api.post(f"{exchange}/publish", body)["routed"])


def test_publish_passes_the_gates(api: Api, queue: str, delaying: str) -> None:
    """What an exchange holds back or drops as a duplicate counts as routed, as on a channel."""
    header = "x-deduplication-header"
    assert [True] * 3 == [
        send(api, delaying, "later", **{"x-delay": 3_600_000}),
        send(api, delaying, "once", **{header: "a"}),
        send(api, delaying, "twice", **{header: "a"}),
    ]
    assert (["once"], 1) == (payloads(api, queue), api.get(delaying)["messages_delayed"])


def test_scheduled_messages_are_listed_and_cancelled(api: Api, delaying: str) -> None:
    """The next ones first, page by page; one that is cancelled is gone, and cancelling it again is 404."""
    for delay in (3_000_000, 1_000_000, 2_000_000):
        send(api, delaying, str(delay), **{"x-delay": delay})
    page = api.get(f"{delaying}/scheduled?count=2")
    rest = api.get(f"{delaying}/scheduled?after={page['next']}")
    found = [*page["messages"], *rest["messages"]]
    assert (["1000000", "2000000", "3000000"], None) == ([message["payload"] for message in found], rest["next"])
    assert found[0]["due_at"] < found[1]["due_at"]
    assert ["k"] == found[0]["routing_keys"]
    place = f"{delaying}/scheduled/{found[1]['id']}"
    assert [204, 404, 400] == [api.delete(place), api.delete(place), api.delete(f"{delaying}/scheduled/x")]
    left = [message["payload"] for message in api.get(f"{delaying}/scheduled")["messages"]]
    assert (["1000000", "3000000"], 2) == (left, api.get(delaying)["messages_delayed"])


def test_exchange_that_holds_nothing_back(api: Api) -> None:
    """Its list is empty, and nothing can be cancelled."""
    assert {"messages": [], "next": None} == api.get("/api/exchanges/%2F/amq.direct/scheduled")
    assert 404 == api.delete("/api/exchanges/%2F/amq.direct/scheduled/1.1")


def test_publish_is_traced(api: Api, channel: BlockingChannel, queue: str) -> None:
    """The firehose sees what is published over HTTP."""
    name = queue.rpartition("/")[2]
    channel.queue_bind(name, "amq.rabbitmq.trace", "publish.amq.fanout")
    assert 204 == api.put("/api/vhosts/%2F", {"tracing": True})
    body = {"routing_key": "seen", "properties": {}, "payload": "x", "payload_encoding": "string"}
    api.post("/api/exchanges/%2F/amq.fanout/publish", body)
    assert 204 == api.put("/api/vhosts/%2F", {"tracing": False})
    found = api.get(f"{queue}/messages")["messages"]
    assert [("publish.amq.fanout", ["seen"])] == [
        (message["routing_key"], message["properties"]["headers"]["routing_keys"]) for message in found
    ]


def test_exchange_counts_what_goes_through(api: Api, queue: str, delaying: str) -> None:
    """Published once, routed to no queue or to each that it is bound to."""
    source = "/api/exchanges/%2F/amq.direct"
    before = api.get(source).get("message_stats", {"publish_in": 0, "publish_out": 0})
    name = queue.rpartition("/")[2]
    for key in ("one", "two"):
        api.call("POST", f"/api/bindings/%2F/e/amq.direct/q/{name}", {"routing_key": f"{name} {key}"})
    for key in ("one", "two", "none"):
        body = {"routing_key": f"{name} {key}", "properties": {}, "payload": "x", "payload_encoding": "string"}
        api.post(f"{source}/publish", body)
    stats = api.get(source)["message_stats"]
    assert (3, 2) == (stats["publish_in"] - before["publish_in"], stats["publish_out"] - before["publish_out"])
    assert "message_stats" not in api.get(delaying)

"""Policies and limits through real clients: set over HTTP, felt over AMQP."""

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker, NackError, ProbableAccessDeniedError

from conformance.management import Management
from helpers.broker import Broker
from helpers.management import management

Open = Callable[..., BlockingChannel]


class Place(NamedTuple):
    """A virtual host of the test's own, and the way to rule it."""

    name: str
    api: Management

    def rule(self, name: str, pattern: str, kind: str = "policies", priority: int = 0, **definition: object) -> None:
        """Set a policy; underscores in keys stand for hyphens."""
        keys = {key.replace("_", "-"): value for key, value in definition.items()}
        self.api.put(kind, self.name, name, body={"pattern": pattern, "definition": keys, "priority": priority})


@pytest.fixture
def place(broker: Broker, unique_name: str) -> Iterator[Place]:
    """A virtual host that ends with the test."""
    api = management(broker)
    api.put("vhosts", unique_name)
    api.put("permissions", unique_name, "guest", body={"configure": ".*", "write": ".*", "read": ".*"})
    yield Place(unique_name, api)
    api.delete("vhosts", unique_name)


@pytest.fixture
def channel(broker: Broker, place: Place, pika_channel: Open) -> BlockingChannel:
    """A channel in the virtual host."""
    return pika_channel(broker, virtual_host=place.name)


def ready(channel: BlockingChannel, queue: str) -> int:
    """How many messages wait in the queue."""
    count: int = channel.queue_declare(queue, passive=True).method.message_count
    return count


def eventually(place: Place, read: Callable[[], Any], expected: object) -> None:
    """RabbitMQ tells its queues of policies some time after it answered."""
    place.api.eventually(read, lambda found: found == expected, repr(expected))


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_policy_shortens_a_queue_that_exists(channel: BlockingChannel, place: Place, exclusive: bool) -> None:
    """Its oldest messages go; when the policy is gone, it grows again."""
    channel.queue_declare("orders", exclusive=exclusive)
    for body in (b"1", b"2", b"3"):
        channel.basic_publish("", "orders", body)
    place.rule("short", "^ord", max_length=2)
    eventually(place, lambda: ready(channel, "orders"), 2)
    place.api.delete("policies", place.name, "short")

    def grown() -> int:
        channel.basic_publish("", "orders", b"more")
        return ready(channel, "orders")

    place.api.eventually(grown, lambda count: count > 2, "more than 2")


def test_expired_messages_go_where_a_policy_says(channel: BlockingChannel, place: Place) -> None:
    """Time to live, dead letter exchange and routing key from one policy, for a queue declared after it."""
    place.rule("ttl", "^work$", message_ttl=1, dead_letter_exchange="", dead_letter_routing_key="dead")
    channel.queue_declare("work")
    channel.queue_declare("dead")
    channel.basic_publish("", "work", b"late")

    eventually(place, lambda: ready(channel, "dead"), 1)
    _, properties, body = channel.basic_get("dead", auto_ack=True)
    assert b"late" == body
    assert "expired" == properties.headers["x-death"][0]["reason"]


def test_an_argument_beats_a_policy_and_the_smaller_number_both(channel: BlockingChannel, place: Place) -> None:
    """The dead letter exchange is the argument's; of two maximum lengths the smaller one counts."""
    place.rule("p", "^work$", max_length=1, dead_letter_exchange="nowhere")
    channel.queue_declare("dead")
    arguments = {"x-max-length": 5, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    channel.queue_declare("work", arguments=arguments)
    for body in (b"1", b"2", b"3"):
        channel.basic_publish("", "work", body)

    eventually(place, lambda: (ready(channel, "work"), ready(channel, "dead")), (1, 2))


def test_an_operator_policy_lowers_a_policy(channel: BlockingChannel, place: Place) -> None:
    """It never raises it."""
    place.rule("p", "^q", max_length=3)
    place.rule("o", "^q1", "operator-policies", max_length=2)
    place.rule("high", "^q2", "operator-policies", max_length=9)
    for queue in ("q1", "q2"):
        channel.queue_declare(queue)
        for _ in range(5):
            channel.basic_publish("", queue, b"")

    eventually(place, lambda: (ready(channel, "q1"), ready(channel, "q2")), (2, 3))


def test_a_full_queue_refuses_as_a_policy_says(channel: BlockingChannel, place: Place) -> None:
    """The publisher gets a nack."""
    place.rule("p", "^full$", max_length=1, overflow="reject-publish")
    channel.queue_declare("full")
    channel.confirm_delivery()
    channel.basic_publish("", "full", b"1")

    with pytest.raises(NackError):
        channel.basic_publish("", "full", b"2")


def test_alternate_exchange_by_policy(channel: BlockingChannel, place: Place) -> None:
    """An exchange that exists, and was published to, gets an alternate one, and loses it again."""
    channel.exchange_declare("plain", "direct")
    channel.exchange_declare("ae", "fanout")
    channel.queue_declare("rest")
    channel.queue_bind("rest", "ae")
    channel.basic_publish("plain", "nowhere", b"lost")
    place.rule("p", "^plain$", alternate_exchange="ae")

    def arrived() -> int:
        channel.basic_publish("plain", "nowhere", b"kept")
        return ready(channel, "rest")

    place.api.eventually(arrived, lambda count: count > 0, "a message in the queue")
    place.api.delete("policies", place.name, "p")
    place.api.eventually(lambda: arrived() == arrived(), bool, "no further message")


def test_refused_policies(place: Place) -> None:
    """RabbitMQ's words, which operators search for."""

    def reason(definition: object, kind: str = "operator-policies", **more: object) -> str:
        body = {"pattern": "", "definition": definition, **more}
        response = place.api.must(400, "PUT", f"/api/{kind}/{place.name}/p", body)
        return str(response.json["reason"])

    assert "Validation failed\n\n-1 is not a valid maximum length\n" == reason({"max-length": -1})
    assert 'Validation failed\n\n[{<<"foo">>,1}] are not recognised policy settings\n' == reason({"foo": 1})
    assert "Validation failed\n\nno policy provided\n" == reason({}, "policies")
    assert "Validation failed\n\npattern should be a binary but was 5\n" == reason({"max-length": 1}, "policies", pattern=5)
    assert "[{key_missing,pattern}]" == place.api.must(
        400, "PUT", f"/api/policies/{place.name}/p", {"definition": {"max-length": 1}}
    ).json["reason"]  # fmt: skip
    assert [] == place.api.get("policies", place.name)


def test_a_policy_over_http(place: Place) -> None:
    """Created, replaced, shown, deleted."""
    target = f"/api/policies/{place.name}/p"
    policy = {"pattern": "^q", "definition": {"max-length": 5}, "priority": 3, "apply-to": "queues"}
    place.api.must(201, "PUT", target, policy)
    place.api.must(204, "PUT", target, policy)

    assert {"vhost": place.name, "name": "p", **policy} == place.api.get("policies", place.name, "p")
    place.api.must(204, "DELETE", target)
    place.api.must(404, "DELETE", target)
    place.api.must(404, "GET", target)


def test_queue_limit(channel: BlockingChannel, place: Place) -> None:
    """406 for one queue too many."""
    channel.queue_declare("first")
    place.api.put("vhost-limits", place.name, "max-queues", body={"value": 1})
    assert [{"vhost": place.name, "value": {"max-queues": 1}}] == place.api.get("vhost-limits", place.name)
    with pytest.raises(ChannelClosedByBroker) as refused:
        channel.queue_declare("second")

    text = f"PRECONDITION_FAILED - cannot declare queue 'second': queue limit in vhost '{place.name}' (1) is reached"
    assert (406, text[:255]) == (refused.value.reply_code, refused.value.reply_text)


def test_connection_limit_of_a_virtual_host(broker: Broker, place: Place, pika_channel: Open) -> None:
    """530 for one connection too many, until the limit is lifted."""
    place.api.put("vhost-limits", place.name, "max-connections", body={"value": 0})
    with pytest.raises(ProbableAccessDeniedError, match=r"refused for user 'guest': connection limit \(0\) is reached"):
        pika_channel(broker, virtual_host=place.name)
    place.api.delete("vhost-limits", place.name, "max-connections")

    assert pika_channel(broker, virtual_host=place.name).is_open


def test_limits_of_a_user(broker: Broker, place: Place, pika_channel: Open) -> None:
    """530 for one channel, and for one connection, too many."""
    user = place.name
    place.api.put("users", user, body={"password": "secret", "tags": ""})
    place.api.put("permissions", place.name, user, body={"configure": "", "write": "", "read": ""})
    place.api.put("user-limits", user, "max-channels", body={"value": 1})
    place.api.put("user-limits", user, "max-connections", body={"value": 1})
    login = pika.PlainCredentials(user, "secret")
    channel = pika_channel(broker, virtual_host=place.name, credentials=login)
    assert [{"user": user, "value": {"max-channels": 1, "max-connections": 1}}] == place.api.get("user-limits", user)
    with pytest.raises(ProbableAccessDeniedError, match=r"user connection limit \(1\) is reached"):
        pika_channel(broker, virtual_host=place.name, credentials=login)
    with pytest.raises(ConnectionClosedByBroker) as refused:
        channel.connection.channel()

    assert 530 == refused.value.reply_code
    assert refused.value.reply_text.endswith("has reached the maximum allowed user limit of (1)")
    place.api.delete("users", user)


def test_policies_and_limits_survive_kill_9(own_broker: Broker, pika_channel: Open) -> None:
    """Once they were answered, they are on disk."""
    own_broker.require_restart()
    place = Place("/", management(own_broker))
    pika_channel(own_broker).queue_declare("q", durable=True)
    place.rule("p", "^q", max_length=2)
    place.rule("o", "^q", "operator-policies", max_length=1)
    place.api.put("vhost-limits", "/", "max-queues", body={"value": 1})
    place.api.put("global-parameters", "g", body={"value": {"a": [1]}})
    own_broker.kill()
    own_broker.restart()
    place = Place("/", management(own_broker))
    queue = place.api.get("queues", "/", "q")

    assert ("p", "o", {"max-length": 1}) == tuple(
        queue[name] for name in ("policy", "operator_policy", "effective_policy_definition")
    )
    assert {"name": "g", "value": {"a": [1]}} == place.api.get("global-parameters", "g")
    with pytest.raises(ChannelClosedByBroker, match="queue limit"):
        pika_channel(own_broker).queue_declare("another")


def test_default_queue_type(own_broker: Broker, pika_channel: Open) -> None:
    """Queues that are declared without a type have the virtual host's (RabbitMQ 3.10 knows no such default)."""
    own_broker.require_restart()
    api = management(own_broker)
    api.put("vhosts", "/", body={"default_queue_type": "quorum"})
    channel = pika_channel(own_broker)
    for _ in range(2):
        channel.queue_declare("q", durable=True)
    channel.queue_declare("passing", auto_delete=True)

    assert {"x-queue-type": "quorum"} == api.get("queues", "/", "q")["arguments"]
    assert "classic" == api.get("queues", "/", "passing")["type"]


def test_an_exchange_shows_its_policy(channel: BlockingChannel, place: Place) -> None:
    """By name, as long as it applies."""
    channel.exchange_declare("plain", "direct")
    place.rule("p", "^plain$", alternate_exchange="ae")
    shown = place.api.get("exchanges", place.name, "plain").get("policy")
    place.api.delete("policies", place.name, "p")

    assert ("p", None) == (shown, place.api.get("exchanges", place.name, "plain").get("policy"))


def test_a_change_is_answered_after_the_last_queue_obeys(channel: BlockingChannel, place: Place) -> None:
    """Whoever lists many queues after the answer finds the change in all of them (RabbitMQ: some time later)."""
    for number in range(300):
        channel.queue_declare(f"orders-{number}")

    def policies() -> set[str | None]:
        return {queue.get("policy") for queue in place.api.get("queues", place.name)}

    place.rule("p", "^orders", max_length=5)
    if "AMQPD_TEST_URL" in os.environ:
        eventually(place, policies, {"p"})
    assert {"p"} == policies()
    place.api.delete("policies", place.name, "p")
    if "AMQPD_TEST_URL" in os.environ:
        eventually(place, policies, {None})
    assert {None} == policies()

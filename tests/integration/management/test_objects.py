"""Queues, exchanges, bindings, virtual hosts, users and connections over HTTP."""

import time
from typing import Any

import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers.api import Api
from helpers.broker import Broker


def test_put_is_201_then_204(api: Api, vhost: str) -> None:
    """Creating is 201, declaring the same again 204, deleting 204, deleting what is not there 404."""
    path = f"/api/queues/{vhost}/q"
    assert [201, 204] == [api.put(path, {"durable": True}), api.put(path, {"durable": True})]
    assert [204, 404] == [api.delete(path), api.delete(path)]


def test_inequivalent_redeclaration_is_400_with_the_explanation(api: Api, vhost: str) -> None:
    """The reason is the AMQP explanation without the code's name."""
    api.put(f"/api/queues/{vhost}/q", {"arguments": {"x-max-length": 10}})
    reply = api.call("PUT", f"/api/queues/{vhost}/q", {"arguments": {"x-max-length": 11}})
    assert 400 == reply.status
    assert reply.json["reason"].startswith("inequivalent arg 'x-max-length' for queue 'q'")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"nonsense", "not_json"),
        (b"[]", "not_json"),
        (rb'{"arguments": {"a": "\ud800"}}', "not_json"),
        ({"durable": 3}, ["not_boolean", 3]),
        ({"arguments": {"a": None}}, "null_not_allowed"),
    ],
)
def test_body_that_makes_no_sense_is_400(api: Api, vhost: str, body: object, reason: object) -> None:
    """What is wrong with a body is told in RabbitMQ's terms."""
    reply = api.call("PUT", f"/api/queues/{vhost}/q", body)
    assert (400, {"error": "bad_request", "reason": reason}) == (reply.status, reply.json)


def test_booleans_may_be_texts(api: Api, vhost: str) -> None:
    """The tool rabbitmqadmin sends booleans as strings."""
    api.put(f"/api/queues/{vhost}/q", {"durable": "false", "auto_delete": "true"})
    shape = api.get(f"/api/queues/{vhost}/q")
    assert (False, True) == (shape["durable"], shape["auto_delete"])


def test_trailing_slash_and_encoded_names(api: Api, vhost: str) -> None:
    """A trailing slash is nothing, and a name may hold any character, percent-encoded."""
    assert 201 == api.put(f"/api/queues/{vhost}/a%2Fb%20%7Bc%7D%C3%A9/")
    assert "a/b {c}é" == api.get(f"/api/queues/{vhost}/a%2Fb%20%7Bc%7D%C3%A9")["name"]


def test_names_of_dots(api: Api, vhost: str) -> None:
    """A client that would resolve `.` and `..` says them behind a line feed."""
    assert [201, 201] == [api.put(f"/api/queues/{vhost}/%0A{name}") for name in (".", "..")]
    assert [".", ".."] == [found["name"] for found in api.get(f"/api/queues/{vhost}")]
    assert ".." == api.get(f"/api/queues/{vhost}/%2E%2E")["name"]


def test_name_that_is_too_long(api: Api, vhost: str) -> None:
    """A queue that no client could name is refused in RabbitMQ's words."""
    reply = api.call("PUT", f"/api/queues/{vhost}/{'x' * 256}", {})
    assert (400, "queue should be less than 255 bytes, actually was 256") == (reply.status, reply.json["reason"])


def test_binding_is_found_by_its_properties_key(api: Api, vhost: str) -> None:
    """The Location of a new binding is where it can be looked at and deleted."""
    api.put(f"/api/queues/{vhost}/q")
    path = f"/api/bindings/{vhost}/e/amq.topic/q"
    for routing_key, arguments in (("", {}), ("a/b c~é", {}), ("k", {"x": 1})):
        reply = api.call("POST", f"{path}/q", {"routing_key": routing_key, "arguments": arguments})
        assert 201 == reply.status
        location = f"{path}/{reply.headers['Location']}"
        found = api.get(location)
        assert (routing_key, arguments) == (found["routing_key"], found["arguments"])
        assert [204, 404] == [api.delete(location), api.delete(location)]


def test_bindings_name_the_default_exchange_too(api: Api, vhost: str) -> None:
    """Every queue shows its binding to the default exchange first."""
    api.put(f"/api/queues/{vhost}/q")
    assert [("", "q", "q")] == [
        (found["source"], found["routing_key"], found["properties_key"]) for found in api.get(f"/api/queues/{vhost}/q/bindings")
    ]


def test_page_of_a_list(api: Api, vhost: str) -> None:
    """Pages are counted from 1, and tell how many there are in all."""
    for number in range(5):
        api.put(f"/api/queues/{vhost}/q{number}")
    page = api.get(f"/api/queues/{vhost}?page=2&page_size=2&sort=name&sort_reverse=true")
    assert ["q2", "q1"] == [found["name"] for found in page.pop("items")]
    assert {"filtered_count": 5, "item_count": 2, "page": 2, "page_count": 3, "page_size": 2, "total_count": 5} == page


def test_page_filtered_by_name(api: Api, vhost: str) -> None:
    """A name filters as a part of the name, or as a regular expression."""
    for name in ("apple", "banana", "cherry"):
        api.put(f"/api/queues/{vhost}/{name}")
    part = api.get(f"/api/queues/{vhost}?page=1&name=AN")
    pattern = api.get(f"/api/queues/{vhost}?page=1&name=%5E(a%7Cc)&use_regex=true")
    assert (["banana"], 3) == ([found["name"] for found in part["items"]], part["total_count"])
    assert ["apple", "cherry"] == [found["name"] for found in pattern["items"]]


@pytest.mark.parametrize(
    ("query", "error"),
    [("page=9", "page_out_of_range"), ("page=x", "bad_request"), ("page=0", "invalid_pagination_parameters")],
)
def test_page_that_cannot_be(api: Api, query: str, error: str) -> None:
    """Bad pages are told apart as RabbitMQ does."""
    reply = api.call("GET", f"/api/exchanges?{query}")
    assert (400, error) == (reply.status, reply.json["error"])


def test_columns_cut_nested_objects(api: Api, queue: str) -> None:
    """A dotted column keeps the path to it and nothing else."""
    shape = api.get(f"{queue}?columns=durable,message_stats.publish_details.rate")
    assert {"durable": True, "message_stats": {"publish_details": {"rate": 0.0}}} == shape


def test_samples_over_time(api: Api, queue: str) -> None:
    """With an age and an increment each length carries its samples, the newest first."""
    details = api.get(f"{queue}?lengths_age=60&lengths_incr=5")["messages_details"]
    times = [sample["timestamp"] for sample in details["samples"]]
    assert 13 == len(times)
    assert sorted(times, reverse=True) == times
    assert {"rate", "samples", "avg", "avg_rate"} == details.keys()


def test_connection_and_channel_are_shown(api: Api, channel: BlockingChannel, unique_name: str) -> None:
    """A connection, its channel and its consumer show what they agreed on and what they hold."""
    channel.queue_declare(unique_name, exclusive=True)
    channel.basic_qos(prefetch_count=7)
    channel.basic_consume(unique_name, lambda *_: None)
    channel.basic_publish("", unique_name, b"held")
    channel.connection.process_data_events(0.2)
    consumer = next(found for found in api.get("/api/consumers") if found["queue"]["name"] == unique_name)
    details = consumer["channel_details"]
    name = details["name"].replace(" ", "%20").replace(">", "%3E").replace(":", "%3A")
    shape = api.get(f"/api/channels/{name}")
    assert (1, 1, 7) == (shape["messages_unacknowledged"], shape["consumer_count"], consumer["prefetch_count"])
    connection = api.get(f"/api/connections/{name.removesuffix('%20(1)')}")
    assert ("guest", "/", "AMQP 0-9-1", "running", 1) == tuple(
        connection[member] for member in ("user", "vhost", "protocol", "state", "channels")
    )
    assert details["connection_name"] == api.get(f"/api/queues/%2F/{unique_name}")["owner_pid_details"]["name"]


def test_connection_is_closed_with_the_reason(api: Api, channel: BlockingChannel) -> None:
    """DELETE closes a connection with 320 and the words of X-Reason."""
    name = own_name(api, channel)
    assert 204 == api.call("DELETE", f"/api/connections/{name}", X_Reason="go home").status
    with pytest.raises(Exception, match=r"320.*go home"):
        channel.connection.process_data_events(5)


def own_name(api: Api, channel: BlockingChannel) -> str:
    """The quoted name of the channel's connection, found by a queue of its own."""
    declared = channel.queue_declare("", exclusive=True).method.queue
    owner: dict[str, Any] = api.get(f"/api/queues/%2F/{declared}")["owner_pid_details"]
    return str(owner["name"]).replace(" ", "%20").replace(">", "%3E").replace(":", "%3A")


def test_user_without_password_cannot_log_in(api: Api, broker: Broker, unique_name: str) -> None:
    """A user without a password exists, and no password lets him in."""
    name = f"n{abs(hash(unique_name))}"
    assert 201 == api.put(f"/api/users/{name}", {"tags": "administrator"})
    assert 401 == Api(broker.http_url, name, "").call("GET", "/api/whoami").status
    assert 204 == api.delete(f"/api/users/{name}")


def test_user_description_is_checked(api: Api) -> None:
    """Tags are needed, and a password or a hash, not both."""
    assert "tags_not_present" == api.call("PUT", "/api/users/u", {}).json["reason"]
    both = {"tags": "", "password": "a", "password_hash": "b"}
    assert "both_password_and_password_hash_are_provided" == api.call("PUT", "/api/users/u", both).json["reason"]


def test_tag_with_a_comma_is_400(api: Api, vhost: str, unique_name: str) -> None:
    """Of users and virtual hosts: it would be two tags after a restart."""
    assert 400 == api.put(f"/api/users/{unique_name}", {"tags": ["a,administrator"]})
    assert 400 == api.put(f"/api/vhosts/{vhost}", {"tags": ["a,b"]})


def test_withdrawn_permission_counts_at_once(api: Api, broker: Broker, queue: str, unique_name: str) -> None:
    """An open session loses its rights with the permission."""
    name = f"p{abs(hash(unique_name))}"
    api.put(f"/api/users/{name}", {"password": "secret", "tags": "management"})
    api.put(f"/api/permissions/%2F/{name}", {"configure": ".*", "write": ".*", "read": ".*"})
    own = Api(broker.http_url, name, "secret")
    assert 204 == own.delete(f"{queue}/contents")
    assert 204 == api.delete(f"/api/permissions/%2F/{name}")
    assert 401 == own.delete(f"{queue}/contents")
    assert 204 == api.delete(f"/api/users/{name}")


def test_protected_vhost_stays(api: Api, vhost: str) -> None:
    """A protected virtual host is not deleted (412) until the protection is lifted."""
    assert 204 == api.call("POST", f"/api/vhosts/{vhost}/deletion/protection", {}).status
    assert 412 == api.delete(f"/api/vhosts/{vhost}")
    assert 204 == api.delete(f"/api/vhosts/{vhost}/deletion/protection")
    assert 204 == api.delete(f"/api/vhosts/{vhost}")


def test_vhost_keeps_its_profile_over_a_restart(own_broker: Broker) -> None:
    """What a virtual host says of itself survives."""
    own_broker.require_restart()
    profile = {"description": "d", "tags": "a,b", "tracing": True, "default_queue_type": "quorum"}
    Api(own_broker.http_url).put("/api/vhosts/v", profile)
    own_broker.restart()
    shape = Api(own_broker.http_url).get("/api/vhosts/v")
    assert ("d", ["a", "b"], True, "quorum") == tuple(
        shape[name] for name in ("description", "tags", "tracing", "default_queue_type")
    )


def test_overview_counts(api: Api, channel: BlockingChannel, queue: str) -> None:
    """The overview counts objects and messages as they are now."""
    channel.basic_publish("", queue.rpartition("/")[2], b"x")
    channel.queue_declare(queue.rpartition("/")[2], passive=True)
    shape = api.get("/api/overview")
    assert shape["queue_totals"]["messages"] >= 1
    assert shape["object_totals"]["channels"] >= 1
    assert {"amqp", "http"} <= {door["protocol"] for door in shape["listeners"]}


def test_rates_follow_messages(api: Api, channel: BlockingChannel, queue: str) -> None:
    """Publishing shows up as a rate within a few sampling steps."""
    deadline = time.monotonic() + 20
    rate = 0.0
    while rate == 0.0 and time.monotonic() < deadline:
        channel.basic_publish("", queue.rpartition("/")[2], b"x")
        channel.connection.process_data_events(0.1)
        rate = api.get(queue)["message_stats"]["publish_details"]["rate"]
    assert rate > 0


@pytest.mark.parametrize(
    ("check", "status"),
    [("alarms", 200), ("port-listener/1", 503), ("port-listener/x", 400), ("protocol-listener/amqp", 200),
     ("protocol-listener/mqtt", 503), ("virtual-hosts", 200), ("certificate-expiration/1/days", 200),
     ("certificate-expiration/1/eons", 400), ("node-is-quorum-critical", 200)],
)  # fmt: skip
def test_health_checks(api: Api, check: str, status: int) -> None:
    """Checks answer 200, 503 with the reason, or 400."""
    reply = api.call("GET", f"/api/health/checks/{check}")
    assert (status, True) == (reply.status, "status" in reply.json or "error" in reply.json)


def test_method_that_a_path_does_not_know_is_405(api: Api) -> None:
    """The allowed methods are named."""
    reply = api.call("DELETE", "/api/queues")
    assert (405, "HEAD, GET, OPTIONS") == (reply.status, reply.headers["Allow"])


def test_openapi_names_every_route_with_its_tag(api: Api) -> None:
    """The served description covers the API and says who may use what."""
    document = api.get("/api/openapi.json")
    assert "administrator" == document["paths"]["/api/users"]["get"]["x-required-tag"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len({operation["operationId"] for operation in operations})

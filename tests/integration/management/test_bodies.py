"""How long a body may be, and who may send it."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import pika
import pytest

from amqpd.management.body import LOGIN_BYTES
from amqpd.management.encoding import NESTING_MAX, OBJECT_BYTES
from amqpd.management.views.sessions import FIELDS_MAX
from helpers.api import Api
from helpers.broker import Broker, BrokerProcess

LONG = "x" * 2 * OBJECT_BYTES
FORM = b"username=guest&password=guest"


def answer(broker: Broker, *sent: str) -> bytes:
    """The beginning of what is answered to these lines."""
    address = urlsplit(broker.http_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall("".join(f"{line}\r\n" for line in sent).encode())
        return client.recv(12)


def test_a_login_that_is_too_long_is_not_waited_for(broker: Broker) -> None:
    """Who says that he will send more than a name and a password is refused before he does."""
    head = ("POST /api/login HTTP/1.1", "Host: x", "Content-Length: 19999999", "", "")
    assert b"HTTP/1.1 413" == answer(broker, *head)


def test_a_login_that_does_not_say_how_long_it_is(broker: Broker) -> None:
    """It is read as far as a login may go."""
    head = ("POST /api/login HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "")
    assert b"HTTP/1.1 413" == answer(broker, *head, f"{LOGIN_BYTES + 1:x}", "x" * (LOGIN_BYTES + 1))


@pytest.mark.parametrize(
    ("more", "status"), [(LOGIN_BYTES - len(FORM), 200), (LOGIN_BYTES - len(FORM) + 1, 413)]
)  # fmt: skip
def test_a_login_has_a_few_kilobytes(api: Api, more: int, status: int) -> None:
    """Up to the limit it is a login."""
    assert status == api.call("POST", "/api/login", FORM + b"&" + b"x" * (more - 1)).status


@pytest.mark.parametrize(("more", "status"), [(FIELDS_MAX - 2, 200), (FIELDS_MAX - 1, 400)])
def test_a_login_has_a_few_fields(api: Api, more: int, status: int) -> None:
    """Up to the limit those that nobody asked for are passed over."""
    assert status == api.call("POST", "/api/login", FORM + b"&x=1" * more).status


def test_strangers_are_refused_before_they_send(broker: Broker) -> None:
    """Nobody waits for the body of a request that would be refused with it."""
    head = ("PUT /api/queues/%2F/q HTTP/1.1", "Host: x", "Content-Length: 100", "", "")
    assert b"HTTP/1.1 401" == answer(broker, *head)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x, gzip"])
@pytest.mark.parametrize("path", ["/api/login", "/api/nowhere", "/"])
def test_compressed_bodies_are_refused(api: Api, path: str, coding: str) -> None:
    """Whoever sends them, and wherever to."""
    api.authorization = None
    assert 415 == api.call("POST", path, b"\0", Content_Encoding=coding).status


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_bodies_that_say_that_they_are_not_compressed(api: Api, coding: str) -> None:
    """They are read."""
    assert 200 == api.call("POST", "/api/login", FORM, Content_Encoding=coding).status


def test_metrics_inflate_nothing(start_broker: Callable[..., BrokerProcess]) -> None:
    """What was said to be gzip and is none goes unnoticed, since nobody reads it."""
    broker = start_broker("--log-level", "warning")
    api = Api(broker.http_url)
    [door] = [door for door in api.get("/api/overview")["listeners"] if door["protocol"] == "http/prometheus"]
    metrics = Api(f"http://127.0.0.1:{door['port']}")
    assert 200 == metrics.call("GET", "/metrics", b"abc", Content_Encoding="gzip").status
    broker.stop()
    assert "Traceback" not in broker.stderr


@pytest.mark.parametrize(
    "body",
    [
        ("Content-Length: 5", "", "abc"),
        ("Transfer-Encoding: chunked", "", "3", "abc", "3"),
        ("Content-Encoding: gzip", "Content-Length: 5", "", "abc"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_body(start_broker: Callable[..., BrokerProcess], body: tuple[str, ...]) -> None:
    """Half of one, chunks that are none, gzip that is none: the log has a line of it at most, and no traceback."""
    broker = start_broker("--log-level", "warning")
    address = urlsplit(broker.http_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall("\r\n".join(["POST /api/login HTTP/1.1", "Host: x", "Connection: close", *body]).encode())
        assert 200 == Api(broker.http_url).call("GET", "/api/auth").status
        with suppress(ConnectionError):
            client.sendall(b"\r\nzz\r\n")
            client.shutdown(socket.SHUT_WR)
            while client.recv(1000):
                pass
    broker.stop()
    assert "Traceback" not in broker.stderr


def test_long_json_is_refused(api: Api, queue: str) -> None:
    """What keeps everybody waiting while it is decoded, as RabbitMQ refuses what is longer than its limit."""
    reply = api.call("PUT", queue, {"durable": True, "arguments": {"x-y": LONG}})
    assert (400, "Exceeded HTTP request body size limit") == (reply.status, reply.json["reason"])


@pytest.mark.parametrize("depth", [NESTING_MAX, 600, 970, 100_000])
def test_deeply_nested_json_is_refused(api: Api, unique_name: str, depth: int) -> None:
    """It could not be shown any more; what is less deep is shown as it was sent."""
    path = f"/api/global-parameters/{quote(unique_name, safe='')}"
    deepest = {"value": json.loads("[" * (NESTING_MAX - 1) + "]" * (NESTING_MAX - 1))}
    assert 201 == api.put(path, deepest)
    reply = api.call("PUT", path, b'{"value":' + b"[" * depth + b"]" * depth + b"}")
    assert (400, "not_json") == (reply.status, reply.json["reason"])
    assert deepest["value"] == api.get(path)["value"]
    assert 204 == api.call("POST", "/api/definitions", api.get("/api/definitions")).status
    assert 204 == api.delete(path)


def test_deeply_nested_policy_is_refused(api: Api) -> None:
    """It is no defect."""
    definition = b'{"pattern": "x", "definition": {"max-length": ' + b"[" * 900 + b"]" * 900 + b"}}"
    assert 400 == api.call("PUT", "/api/policies/%2F/deep", definition).status


def test_deepest_arguments_are_exported_and_imported(api: Api, broker: Broker, unique_name: str) -> None:
    """Definitions have field tables as deep as AMQP allows, inside of others."""
    arguments: dict[str, Any] = {}
    for _ in range(64):
        arguments = {"x-y": arguments}
    connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    connection.channel().queue_declare(unique_name, durable=True, arguments=arguments)
    connection.close()
    path = f"/api/queues/%2F/{quote(unique_name, safe='')}"
    document = {"queues": [found for found in api.get("/api/definitions")["queues"] if found["name"] == unique_name]}
    assert [arguments] == [found["arguments"] for found in document["queues"]]
    assert 204 == api.delete(path)
    assert 204 == api.call("POST", "/api/definitions", document).status
    assert arguments == api.get(path)["arguments"]
    assert 204 == api.delete(path)


def test_long_definitions_are_imported(api: Api) -> None:
    """An administrator's document may be as long as the option says."""
    assert 204 == api.call("POST", "/api/definitions", {"about": LONG}).status


def test_long_payload_is_published(api: Api, queue: str) -> None:
    """A message is long because of its payload, which is decoded quickly."""
    message = {"routing_key": queue.rpartition("/")[2], "properties": {}, "payload": LONG, "payload_encoding": "string"}
    assert api.post("/api/exchanges/%2F/amq.default/publish", message)["routed"]
    [fetched] = api.post(f"{queue}/get", {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"})
    assert len(LONG) == fetched["payload_bytes"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (json.dumps([[]] * OBJECT_BYTES).encode(), "Exceeded HTTP request body size limit"),
        (b'{"' + LONG.encode(), "not_json"),
        (b'{"' + b"\xff" * OBJECT_BYTES, "not_json"),
    ],
)  # fmt: skip
def test_a_message_that_is_long_for_another_reason(api: Api, body: bytes, reason: str) -> None:
    """It is refused without decoding all of it."""
    reply = api.call("POST", "/api/exchanges/%2F/amq.default/publish", body)
    assert (400, reason) == (reply.status, reply.json["reason"])

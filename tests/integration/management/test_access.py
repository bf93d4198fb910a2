"""Who may do what over HTTP."""

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers.api import Api
from helpers.broker import Broker, BrokerProcess


def user(api: Api, broker: Broker, name: str, tags: str) -> Api:
    """A new user's own client."""
    assert 201 == api.put(f"/api/users/{name}", {"password": "secret", "tags": tags})
    return Api(broker.http_url, name, "secret")


def test_missing_credentials_are_asked_for(api: Api) -> None:
    """Who sends no credentials gets 401 with RabbitMQ's challenge."""
    api.authorization = None
    reply = api.call("GET", "/api/overview")
    assert (401, 'Basic realm="RabbitMQ Management"') == (reply.status, reply.headers["WWW-Authenticate"])


def test_wrong_password_is_refused_without_challenge(broker: Broker) -> None:
    """Wrong credentials get 401 with a reason and no challenge, which would open a browser's dialog."""
    reply = Api(broker.http_url, "guest", "wrong").call("GET", "/api/overview")
    assert (401, {"error": "not_authorized", "reason": "Not_Authorized"}) == (reply.status, reply.json)
    assert "WWW-Authenticate" not in reply.headers


@pytest.mark.parametrize(
    ("tags", "path", "reason"),
    [
        ("", "/api/overview", "Not management user"),
        ("management", "/api/users", "Not administrator user"),
        ("management", "/api/nodes", "Not monitor user"),
        ("management", "/api/queues/%2F", "User not authorised to access virtual host"),
        ("monitoring", "/api/users", "Not administrator user"),
    ],
)
def test_lacking_right_is_401_with_the_reason(
    api: Api, broker: Broker, unique_name: str, tags: str, path: str, reason: str
) -> None:
    """A known user without the right gets 401, not 403, and RabbitMQ's words."""
    name = f"u{abs(hash(unique_name))}"
    reply = user(api, broker, name, tags).call("GET", path)
    assert (401, {"error": "not_authorised", "reason": reason}) == (reply.status, reply.json)
    assert 204 == api.delete(f"/api/users/{name}")


def test_lists_hold_what_the_user_may_see(api: Api, broker: Broker, vhost: str) -> None:
    """A management user's lists span the virtual hosts that he may enter, and no others."""
    viewer = user(api, broker, f"viewer-{vhost[-8:]}", "management")
    assert [] == viewer.get("/api/vhosts")
    api.put(f"/api/permissions/{vhost}/viewer-{vhost[-8:]}", {"configure": ".*", "write": "", "read": ""})
    assert 201 == viewer.put(f"/api/queues/{vhost}/his")
    assert ["his"] == [found["name"] for found in viewer.get("/api/queues")]
    assert 204 == api.delete(f"/api/users/viewer-{vhost[-8:]}")


def test_overview_has_a_past_for_everybody(api: Api, broker: Broker, vhost: str) -> None:
    """Who does not monitor sees the samples of his virtual hosts."""
    name = f"viewer-{vhost[-8:]}"
    viewer = user(api, broker, name, "management")
    api.put(f"/api/permissions/{vhost}/{name}", {"configure": ".*", "write": ".*", "read": ".*"})
    viewer.put(f"/api/queues/{vhost}/his")
    body = {"routing_key": "his", "properties": {}, "payload": "x", "payload_encoding": "string"}
    viewer.post(f"/api/exchanges/{vhost}/amq.default/publish", body)
    deadline = time.monotonic() + 20
    newest = 0
    while not newest and time.monotonic() < deadline:
        totals = viewer.get("/api/overview?lengths_age=60&lengths_incr=5")["queue_totals"]
        newest = totals["messages_details"]["samples"][0]["sample"]
        time.sleep(0.2)
    assert (1, 1) == (newest, totals["messages"])
    assert 204 == api.delete(f"/api/users/{name}")


def test_session_token_lets_in_until_it_is_dropped(api: Api) -> None:
    """POST /api/login gives a bearer token, DELETE /api/login takes it back."""
    reply = api.call("POST", "/api/login", b"username=guest&password=guest", Content_Type="application/x-www-form-urlencoded")
    token = reply.json["token"]["value"]
    api.authorization = f"Bearer {token}"
    assert "guest" == api.get("/api/whoami")["name"]
    assert 204 == api.delete("/api/login")
    assert 401 == api.call("GET", "/api/whoami").status


def test_token_dies_with_the_password(api: Api, broker: Broker, unique_name: str) -> None:
    """A changed password ends the sessions that the old one opened."""
    name = f"t{abs(hash(unique_name))}"
    own = user(api, broker, name, "management")
    token = own.call("POST", "/api/login", f"username={name}&password=secret".encode()).json["token"]["value"]
    own.authorization = f"Bearer {token}"
    assert 200 == own.call("GET", "/api/whoami").status
    api.put(f"/api/users/{name}", {"password": "other", "tags": "management"})
    assert 401 == own.call("GET", "/api/whoami").status
    assert 204 == api.delete(f"/api/users/{name}")


def test_guessing_is_throttled(broker: Broker) -> None:
    """After too many failures an address has to wait, even with the right password."""
    guesser = Api(broker.http_url, "nobody-in-particular", "wrong")
    statuses = [guesser.call("GET", "/api/whoami").status for _ in range(25)]
    assert (401, 429) == (statuses[0], statuses[-1])


def test_cross_site_change_is_refused(api: Api, queue: str) -> None:
    """A page of another site cannot change anything with the credentials that a browser remembers."""
    assert 403 == api.call("DELETE", queue, Origin="https://evil.example").status
    assert 403 == api.call("DELETE", queue, Sec_Fetch_Site="cross-site").status
    assert 200 == api.call("GET", queue).status


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "http://127.0.0.1:x@evil", "//["])
def test_origin_that_makes_no_sense_is_another_site(api: Api, queue: str, origin: str) -> None:
    """It is refused as one, and is no defect."""
    api.authorization = None
    assert 403 == api.call("DELETE", queue, Origin=origin).status


def test_own_page_may_change(api: Api, queue: str) -> None:
    """The broker's own page sends its own origin, and may."""
    assert 204 == api.call("DELETE", f"{queue}/contents", Origin=api.url).status


def test_allowed_origin_is_told_so(start_broker: Callable[..., BrokerProcess]) -> None:
    """A site named in http-origins may use the API from its pages; no other site is told that it may."""
    api = Api(start_broker("--http-origins", "https://good.example").http_url)
    good = api.call("OPTIONS", "/api/queues", Origin="https://good.example")
    evil = api.call("OPTIONS", "/api/queues", Origin="https://evil.example")
    assert "https://good.example" == good.headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Origin" not in evil.headers


def test_prefix_precedes_every_path(start_broker: Callable[..., BrokerProcess]) -> None:
    """With a path prefix everything is below it, and nothing elsewhere."""
    broker = start_broker("--http-path-prefix", "/mq")
    api = Api(broker.http_url)
    assert "guest" == api.get("/api/whoami")["name"]
    assert b"<title>" in api.call("GET", "").body
    api.url = api.url.removesuffix("/mq")
    assert 404 == api.call("GET", "/api/whoami").status


def test_page_carries_security_headers(api: Api) -> None:
    """No script but the page's own, no framing, no sniffing."""
    reply = api.call("GET", "/")
    assert 200 == reply.status
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert ("DENY", "nosniff") == (reply.headers["X-Frame-Options"], reply.headers["X-Content-Type-Options"])


@pytest.mark.parametrize(
    "path", ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/ui/../../server.py", "//etc/passwd"]
)
def test_files_outside_of_the_page_are_out_of_reach(api: Api, path: str) -> None:
    """Whatever way a path takes, it leads to the page's files alone."""
    assert 404 == api.call("GET", path).status


def test_large_body_is_refused(start_broker: Callable[..., BrokerProcess]) -> None:
    """A body beyond the limit is refused as RabbitMQ does."""
    api = Api(start_broker("--http-body-limit", "1000").http_url)
    reply = api.call("PUT", "/api/queues/%2F/q", {"arguments": {"x": "y" * 2000}})
    assert (400, "Exceeded HTTP request body size limit") == (reply.status, reply.json["reason"])


def test_no_management_if_not_wanted(start_broker: Callable[..., BrokerProcess]) -> None:
    """http-port none starts no management."""
    broker = start_broker("--http-port", "none")
    assert "management" not in broker.stdout


def test_definitions_are_loaded_at_start(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """The file of --load-definitions is there once the broker answers."""
    file = tmp_path / "definitions.json"
    file.write_text('{"queues": [{"name": "loaded", "vhost": "/", "durable": true, "arguments": {}}]}')
    api = Api(start_broker("--load-definitions", str(file)).http_url)
    assert ["loaded"] == [found["name"] for found in api.get("/api/queues")]


def test_malformed_request_is_one_line_in_the_log(start_broker: Callable[..., BrokerProcess]) -> None:
    """Whoever speaks no HTTP gets 400, and the log no traceback."""
    broker = start_broker()
    address = urlsplit(broker.http_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Null: \0\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.0 400 ")
    broker.stop()
    assert ["malformed HTTP request"] == re.findall("malformed HTTP request", broker.stderr)
    assert 1 == broker.stderr.count("\n")


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_only_who_may_configure_a_queue_pauses_it(api: Api, broker: Broker, queue: str, verb: str) -> None:
    """The right to enter the virtual host is not enough."""
    name = f"{verb}-user"
    client = user(api, broker, name, "management")
    for configure, status in (("", 401), (".*", 204)):
        api.put(f"/api/permissions/%2F/{name}", {"configure": configure, "write": ".*", "read": ".*"})
        assert status == client.put(f"{queue}/{verb}")
    assert 204 == api.delete(f"/api/users/{name}")


@pytest.mark.parametrize(("tags", "rights"), [("monitoring", None), ("management", ""), ("management", ".*")])
def test_what_is_held_is_shown_to_readers(
    api: Api, broker: Broker, channel: BlockingChannel, queue: str, tags: str, rights: str | None
) -> None:
    """Others see who holds how much, but neither properties nor headers."""
    name = unquote(queue.rpartition("/")[2])
    channel.basic_publish("", name, b"body", pika.BasicProperties(headers={"token": "secret-header"}))
    channel.basic_get(name)
    client = user(api, broker, "onlooker", tags)
    if rights is not None:
        api.put("/api/permissions/%2F/onlooker", {"configure": "", "write": "", "read": rights})
    reply = client.call("GET", f"{queue}/unacked")
    (held,) = reply.json
    assert (4, "guest", rights == ".*") == (
        held["payload_bytes"], held["channel_details"]["user"], "secret-header" in reply.body.decode(),
    )  # fmt: skip
    assert 204 == api.delete("/api/users/onlooker")


@pytest.mark.parametrize("component", ["operator_policy", "vhost-limits"])
def test_parameters_are_no_way_around_administrators(api: Api, broker: Broker, vhost: str, component: str) -> None:
    """A policymaker sees operator policies and limits as parameters, and changes neither."""
    value = {"pattern": "^never", "definition": {"max-length": 1}, "priority": 0} if component == "operator_policy" else {}
    path = f"/api/parameters/{component}/{vhost}/limits"
    client = user(api, broker, "maker", "policymaker")
    api.put(f"/api/permissions/{vhost}/maker", {"configure": ".*", "write": ".*", "read": ".*"})
    api.put(f"/api/permissions/{vhost}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    assert 401 == client.put(path, {"value": value})
    assert api.put(path, {"value": value or {"max-queues": 5}}) in {201, 204}
    assert 401 == client.delete(path)
    assert [component] == [found["component"] for found in client.get(f"/api/parameters/{component}/{vhost}")]
    assert [204, 204] == [api.delete(path), api.delete("/api/users/maker")]

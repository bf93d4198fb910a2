"""Users of the management whom an HTTP service knows."""

from collections.abc import Callable, Iterator

import pytest

from helpers.api import Api
from helpers.broker import BrokerProcess
from helpers.service import Service

TAGS = {"ada": "administrator", "carol": "management", "nobody": ""}


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that knows three users; carol may enter only virtual host `hers`, and touch nothing called forbidden."""

    def rule(subject: str, question: dict[str, str]) -> str:
        name = question["username"]
        if subject == "user":
            is_known = name in TAGS and question.get("password") == "secret"
            return f"allow {TAGS[name]}" if is_known else "deny"
        if subject == "vhost":
            return "allow" if name == "ada" or question["vhost"] == "hers" else "deny"
        return "deny" if "forbidden" in (question["name"], question.get("routing_key")) else "allow"

    with Service(rule) as running:
        yield running


@pytest.fixture
def broker(start_broker: Callable[..., BrokerProcess], service: Service) -> BrokerProcess:
    """A broker that asks the service about whom it does not know itself."""
    return start_broker("--auth-backends", "internal http", *service.options)


def test_tags_come_from_the_service(broker: BrokerProcess) -> None:
    """An administrator administers; who has no tag, a wrong password or no answer is kept out."""
    ada = Api(broker.http_url, "ada", "secret")
    assert {"name": "ada", "tags": ["administrator"], "is_internal_user": False} == ada.get("/api/whoami")
    assert 201 == ada.put("/api/vhosts/hers")
    refused = [Api(broker.http_url, *login).call("GET", "/api/whoami") for login in (("nobody", "secret"), ("ada", "wrong"))]
    assert ["Not management user", "Not_Authorized"] == [reply.json["reason"] for reply in refused]
    assert "guest" == Api(broker.http_url).get("/api/whoami")["name"]


def test_rights_come_from_the_service(broker: BrokerProcess) -> None:
    """Lists span the virtual hosts that the user may enter; what he may not touch stays as it is."""
    Api(broker.http_url).put("/api/vhosts/hers")
    carol = Api(broker.http_url, "carol", "secret")
    assert ["hers"] == [vhost["name"] for vhost in carol.get("/api/vhosts")]
    assert [201, 401, 401] == [carol.put(f"/api/queues/{path}") for path in ("hers/q", "hers/forbidden", "%2F/q")]
    assert ["q"] == [queue["name"] for queue in carol.get("/api/queues")]
    body = {"routing_key": "q", "properties": {}, "payload": "x", "payload_encoding": "string"}
    assert {"routed": True} == carol.post("/api/exchanges/hers/amq.default/publish", body)


def test_token_stands_for_the_user(broker: BrokerProcess, service: Service) -> None:
    """The service is asked about rights with each request, and about the login no more."""
    Api(broker.http_url).put("/api/vhosts/hers")
    carol = Api(broker.http_url, "carol", "secret")
    token = carol.post("/api/login", {"username": "carol", "password": "secret"})["token"]["value"]
    carol.authorization = f"Bearer {token}"
    service.asked.clear()
    assert 201 == carol.put("/api/queues/hers/q")
    service.rule = lambda *_: "deny"
    assert 401 == carol.put("/api/queues/hers/other")
    assert "user" not in {subject for _, subject, _ in service.asked}


def test_service_that_does_not_answer(broker: BrokerProcess, service: Service) -> None:
    """Nobody is let in, and whom the broker knows itself is served."""
    service.status = 500
    assert 401 == Api(broker.http_url, "ada", "secret").call("GET", "/api/whoami").status
    assert "guest" == Api(broker.http_url).get("/api/whoami")["name"]


def test_each_topic_is_asked_for_once_and_nothing_is_moved_twice(broker: BrokerProcess) -> None:
    """A question in the middle of the work neither begins it anew nor lets through what is refused."""
    admin = Api(broker.http_url)
    admin.put("/api/vhosts/hers")
    admin.put("/api/permissions/hers/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    keys = ["one", "two", "forbidden", "one", "three"]
    for name in ("q", "copies"):
        assert 201 == admin.put(f"/api/queues/hers/{name}", {})
    for key in keys:
        admin.call("POST", "/api/bindings/hers/e/amq.topic/q/q", {"routing_key": key})
        body = {"routing_key": key, "properties": {}, "payload": key, "payload_encoding": "string"}
        assert {"routed": True} == admin.post("/api/exchanges/hers/amq.topic/publish", body)
        admin.call("DELETE", f"/api/bindings/hers/e/amq.topic/q/q/{key}")
    admin.call("POST", "/api/bindings/hers/e/amq.topic/q/copies", {"routing_key": "#"})

    carol = Api(broker.http_url, "carol", "secret")
    copied = carol.post("/api/queues/hers/q/messages/copy", {"exchange": "amq.topic", "filter": {}})
    assert {"count": 4, "refused": 1} == copied
    found = [message["payload"] for message in admin.get("/api/queues/hers/copies/messages")["messages"]]
    assert [key for key in keys if key != "forbidden"] == found

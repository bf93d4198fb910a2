"""Every route of the API against every tag, in a virtual host of the user and in another one; and what answers give away."""

import json
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest

from helpers.api import Api
from helpers.broker import Broker

TAGS = ("none", "management", "policymaker", "monitoring", "administrator")
MAY = {
    "anybody": {*TAGS},
    "management": {*TAGS} - {"none"},
    "policymaker": {"policymaker", "administrator"},
    "monitoring": {"monitoring", "administrator"},
    "administrator": {"administrator"},
}
"""Who may use a route, by its class; where it leads into a virtual host, he also needs rights there, unless he monitors."""

ANYBODY = """
    POST /login, DELETE /login, GET /auth, GET /openapi.json, GET /health/checks/is-in-service,
    GET /health/checks/ready-to-serve-clients, GET /health/checks/below-node-connection-limit
"""
POLICYMAKER = """
    PUT /policies/{vhost}/{policy}, DELETE /policies/{vhost}/{policy}, GET /parameters, GET /parameters/{component},
    GET /parameters/{component}/{vhost}, GET /parameters/{component}/{vhost}/{name}, GET /global-parameters,
    GET /global-parameters/{name}, PUT /global-parameters/{name}, DELETE /global-parameters/{name}
"""
MONITORING = """
    GET /nodes, GET /nodes/{node}, GET /nodes/{node}/memory, GET /nodes/{node}/memory/relative, GET /auth/attempts/{node}
"""
ADMINISTRATOR = """
    PUT /cluster-name, POST /rebalance/queues, PUT /nodes/{node}/maintenance,
    DELETE /nodes/{node}/maintenance, DELETE /auth/attempts/{node}, PUT /nodes/{node}/watermarks,
    GET /vhosts/{vhost}, PUT /vhosts/{vhost}, DELETE /vhosts/{vhost}, POST /vhosts/{vhost}/deletion/protection,
    DELETE /vhosts/{vhost}/deletion/protection, POST /vhosts/{vhost}/start/{node}, POST /queues/{vhost}/{queue}/actions,
    GET /users, GET /users/without-permissions, POST /users/bulk-delete, GET /users/{user}, PUT /users/{user},
    DELETE /users/{user}, GET /users/{user}/permissions, GET /users/{user}/topic-permissions, GET /permissions,
    GET /vhosts/{vhost}/permissions, GET /permissions/{vhost}/{user}, PUT /permissions/{vhost}/{user},
    DELETE /permissions/{vhost}/{user}, GET /topic-permissions, GET /vhosts/{vhost}/topic-permissions,
    GET /topic-permissions/{vhost}/{user}, PUT /topic-permissions/{vhost}/{user}, DELETE /topic-permissions/{vhost}/{user},
    GET /topic-permissions/{vhost}/{user}/{exchange}, DELETE /topic-permissions/{vhost}/{user}/{exchange},
    GET /auth/hash_password/{password}, GET /definitions, GET /all-configuration, POST /definitions,
    GET /definitions/{vhost}, POST /definitions/{vhost}, PUT /operator-policies/{vhost}/{policy},
    DELETE /operator-policies/{vhost}/{policy}, PUT /vhost-limits/{vhost}/{limit}, DELETE /vhost-limits/{vhost}/{limit},
    PUT /parameters/{component}/{vhost}/{name}, DELETE /parameters/{component}/{vhost}/{name},
    PUT /user-limits/{user}/{limit}, DELETE /user-limits/{user}/{limit}, PUT /feature-flags/{flag}/enable
"""
MANAGEMENT = """
    GET /overview, GET /whoami, GET /cluster-name, GET /version, GET /extensions, GET /vhosts, GET /queues,
    GET /queues/detailed, GET /queues/{vhost}, GET /queues/{vhost}/{queue}, PUT /queues/{vhost}/{queue},
    PATCH /queues/{vhost}/{queue}, DELETE /queues/{vhost}/{queue}, GET /queues/{vhost}/{queue}/bindings,
    DELETE /queues/{vhost}/{queue}/contents, GET /exchanges, GET /exchanges/{vhost}, GET /exchanges/{vhost}/{exchange},
    PUT /exchanges/{vhost}/{exchange}, DELETE /exchanges/{vhost}/{exchange},
    GET /exchanges/{vhost}/{exchange}/bindings/source, GET /exchanges/{vhost}/{exchange}/bindings/destination,
    GET /exchanges/{vhost}/{exchange}/scheduled, DELETE /exchanges/{vhost}/{exchange}/scheduled/{id},
    GET /bindings, GET /bindings/{vhost}, GET /bindings/{vhost}/e/{source}/{kind}/{destination},
    POST /bindings/{vhost}/e/{source}/{kind}/{destination},
    GET /bindings/{vhost}/e/{source}/{kind}/{destination}/{properties},
    DELETE /bindings/{vhost}/e/{source}/{kind}/{destination}/{properties}, POST /exchanges/{vhost}/{exchange}/publish,
    POST /queues/{vhost}/{queue}/get, GET /queues/{vhost}/{queue}/messages, GET /queues/{vhost}/{queue}/unacked,
    POST /queues/{vhost}/{queue}/messages/delete, POST /queues/{vhost}/{queue}/messages/move,
    POST /queues/{vhost}/{queue}/messages/copy, PUT /queues/{vhost}/{queue}/pause, PUT /queues/{vhost}/{queue}/resume,
    GET /connections, GET /connections/{connection}, DELETE /connections/{connection},
    GET /connections/username/{user}, DELETE /connections/username/{user}, GET /connections/{connection}/channels,
    GET /connections/{connection}/sessions, GET /vhosts/{vhost}/connections, GET /vhosts/{vhost}/channels,
    GET /channels, GET /channels/{channel}, GET /consumers, GET /consumers/{vhost}, GET /policies, GET /policies/{vhost},
    GET /policies/{vhost}/{policy}, GET /operator-policies, GET /operator-policies/{vhost},
    GET /operator-policies/{vhost}/{policy}, GET /vhost-limits, GET /vhost-limits/{vhost}, GET /user-limits,
    GET /user-limits/{user}, GET /feature-flags, GET /deprecated-features, GET /deprecated-features/used,
    GET /aliveness-test/{vhost}, GET /healthchecks/node, GET /healthchecks/node/{node}, GET /health/checks/alarms,
    GET /health/checks/local-alarms, GET /health/checks/certificate-expiration/{within}/{unit},
    GET /health/checks/port-listener/{port}, GET /health/checks/protocol-listener/{protocols},
    GET /health/checks/virtual-hosts, GET /health/checks/node-is-quorum-critical,
    GET /health/checks/node-is-mirror-sync-critical, GET /health/checks/reached-target-cluster-size,
    GET /health/checks/metadata-store/initialized, GET /health/checks/metadata-store/initialized/with-data
"""
CLASSES = {
    route.strip(): name
    for name, routes in (
        ("anybody", ANYBODY), ("management", MANAGEMENT), ("policymaker", POLICYMAKER), ("monitoring", MONITORING),
        ("administrator", ADMINISTRATOR),
    )
    for route in routes.split(",")
}  # fmt: skip
"""The class of every route."""
ENTERED = ("/operator-policies/", "/parameters/")
"""Routes of administrators who need rights in the virtual host, too."""

NAMES = {
    "kind": "q", "component": "vhost-limits", "name": "limits", "limit": "max-queues", "password": "p", "within": "1",
    "unit": "days", "port": "1", "protocols": "amqp", "id": "1", "properties": "k",
}  # fmt: skip
"""What parameters are that cannot be just any name; the others name what is not there, so that nothing is harmed."""
BODY = {
    "pattern": "^never", "definition": {"max-length": 1}, "value": {}, "routing_key": "k", "properties": {}, "payload": "",
    "payload_encoding": "string", "count": 1, "ackmode": "ack_requeue_true", "encoding": "auto", "arguments": {},
    "messages": [], "destination": "absent", "to": "absent", "from": "absent", "action": "sync", "users": [],
}  # fmt: skip
"""Sound members of bodies, so that nothing but rights is at fault."""


@pytest.fixture(scope="module")
def routes(broker: Broker) -> list[str]:
    """Method and path of everything that the broker says it answers."""
    paths = Api(broker.http_url).get("/api/openapi.json")["paths"]
    known = ("get", "put", "post", "patch", "delete")
    return [
        f"{method.upper()} {path.removeprefix('/api')}" for path, item in paths.items() for method in item if method in known
    ]


class Place:
    """Two virtual hosts, one of which the users may enter, and users with each tag."""

    def __init__(self, broker: Broker) -> None:
        mark = uuid4().hex[:8]
        self.url = broker.http_url
        self.admin = Api(self.url)
        self.own, self.other = f"own-{mark}", f"other-{mark}"
        self.secret = f"hidden-{mark}"
        self.users = {tag: f"{tag}-{mark}" for tag in TAGS}
        for vhost in (self.own, self.other):
            assert self.admin.put(f"/api/vhosts/{vhost}") == 201
            self.give("guest", vhost)
        for tag, user in self.users.items():
            assert self.admin.put(f"/api/users/{user}", {"password": "p", "tags": "" if tag == "none" else tag}) == 201
            self.give(user, self.own)
        self._hide()

    def give(self, user: str, vhost: str) -> None:
        """All rights in a virtual host."""
        body = {"configure": ".*", "write": ".*", "read": ".*"}
        assert self.admin.put(f"/api/permissions/{vhost}/{user}", body) in {201, 204}

    def _hide(self) -> None:
        """One object of each kind in the other virtual host, whose names nobody else may learn."""
        admin, vhost, secret = self.admin, self.other, self.secret
        assert admin.put(f"/api/queues/{vhost}/{secret}-queue", {}) == 201
        assert admin.put(f"/api/exchanges/{vhost}/{secret}-exchange", {"type": "topic"}) == 201
        binding = f"/api/bindings/{vhost}/e/{secret}-exchange/q/{secret}-queue"
        assert admin.call("POST", binding, {"routing_key": f"{secret}-key"}).status == 201
        policy = {"pattern": f"{secret}-pattern", "definition": {"max-length": 1}}
        assert admin.put(f"/api/policies/{vhost}/{secret}-policy", policy) == 201
        assert admin.put(f"/api/operator-policies/{vhost}/{secret}-ruling", policy) == 201
        assert admin.put(f"/api/users/{secret}-user", {"password": f"{secret}-password", "tags": ""}) == 201

    def clear(self) -> None:
        """Nothing is left."""
        for vhost in (self.own, self.other, "absent"):
            self.admin.delete(f"/api/vhosts/{vhost}")
        for user in (*self.users.values(), f"{self.secret}-user", "absent"):
            self.admin.delete(f"/api/users/{user}")

    def path(self, route: str, vhost: str) -> tuple[str, str]:
        """Method and path of a request to the route."""
        method, path = route.split(" ")
        if method != "GET" and path.startswith("/vhosts/{vhost}"):
            vhost = "absent"
        segments = [
            quote(vhost if part == "{vhost}" else NAMES.get(part[1:-1], "absent"), safe="") if part.startswith("{") else part
            for part in path.split("/")
        ]
        return method, "/api" + "/".join(segments)


@pytest.fixture(scope="module")
def place(broker: Broker) -> Iterator[Place]:
    """The place, for all tests."""
    made = Place(broker)
    yield made
    made.clear()


def test_every_route_is_classified(routes: list[str]) -> None:
    """A route that is new needs a class here."""
    assert set(CLASSES) == set(routes)


@pytest.mark.parametrize("tag", TAGS)
def test_who_may_ask_for_what(place: Place, tag: str) -> None:
    """401 for all who lack the tag or, where a route leads into a virtual host, rights in it; never for anybody else."""
    client = Api(place.url, place.users[tag], "p")
    wrong: list[str] = []
    for route, name in CLASSES.items():
        if name == "anybody":
            continue
        for vhost in (place.own, place.other) if "{vhost}" in route else (place.own,):
            method, path = place.path(route, vhost)
            is_allowed = tag in MAY[name]
            is_entered = name != "administrator" or any(part in route for part in ENTERED)
            if vhost == place.other and is_entered:
                is_allowed = is_allowed and method == "GET" and tag in MAY["monitoring"]
            if route.endswith("/connections/username/{user}"):
                is_allowed = tag in MAY["monitoring"]
            body = None if method in {"GET", "DELETE"} else BODY if is_entered else {}
            status = client.call(method, path, body).status
            if is_allowed != (status != 401) or status >= 500:
                wrong.append(f"{route} in {vhost}: {status}")
    assert [] == [line for line in wrong if " 503" not in line]  # A health check may fail.


@pytest.mark.parametrize("tag", ["none", "management", "policymaker"])
def test_nothing_of_another_virtual_host_is_told(place: Place, tag: str) -> None:
    """No answer of any route names anything in a virtual host that the user may not enter, nor a user."""
    client = Api(place.url, place.users[tag], "p")
    told: list[str] = []
    for route in CLASSES:
        if route.startswith("GET "):
            for vhost in (place.own, place.other):
                reply = client.call(*place.path(route, vhost))
                if place.secret in reply.body.decode() or place.secret in str(reply.headers):
                    told.append(route)
    assert [] == told


def test_what_is_hidden_is_there(place: Place) -> None:
    """An administrator finds all of it, so that the tests that miss it are not blind."""
    found = json.dumps([place.admin.get(f"/api/{what}") for what in ("queues", "exchanges", "bindings", "policies", "users")])
    kinds = ("queue", "exchange", "key", "policy", "pattern", "user")
    assert [] == [kind for kind in kinds if f"{place.secret}-{kind}" not in found]
    assert place.secret + "-password" not in found


def test_users_cannot_be_guessed(place: Place) -> None:
    """Who is no administrator is told the same of users that are there and of users that are not."""
    client = Api(place.url, place.users["management"], "p")
    for path in ("/api/user-limits/{}", "/api/connections/username/{}", "/api/users/{}", "/api/users/{}/permissions"):
        there, absent = (client.call("GET", path.format(user)) for user in (f"{place.secret}-user", "absent"))
        assert (there.status, there.body) == (absent.status, absent.body)

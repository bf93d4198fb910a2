"""What is fuzzed of the management: requests to every route, and whole documents of definitions."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from tempfile import gettempdir
from typing import Any, cast

from aiohttp import web

from amqpd.broker.definitions import Import
from amqpd.errors import AmqpError
from amqpd.management.routes import Route
from amqpd.management.server import Server
from amqpd.management.site import Site, Wiring
from amqpd.management.table import ROUTES
from amqpd.server.watermarks import Watermarks
from helpers import client
from helpers.choices import Choices, words
from helpers.core import Core, declare
from helpers.management import InService
from helpers.pair import Hall, opened

AUTHORIZATION = "Basic Z3Vlc3Q6Z3Vlc3Q="
NAMES = words("q x guest / amq.topic alice v policy max-connections policy-x e ~ k")
WORDS = ("", *NAMES, *words("true all queues .* ^( classic topic direct 1 -1 administrator base64 \udcff"))
QUERY = words("page page_size name use_regex sort columns lengths_age if-unused vhost pagination count")
PATTERNS = ("", *words(".* ^q$ ( x{3} (?!a)"))
SOUND_HASH = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"

Fitting = dict[str, Sequence[object]]
"""Values that fit, by the names of members."""

POLICY: Fitting = {
    "max-length": (1, 0, -1),
    "message-ttl": (0, 1000),
    "expires": (1,),
    "overflow": ("drop-head", "reject-publish", "x"),
    "dead-letter-exchange": ("x", "", 1),
    "alternate-exchange": ("x",),
    "ha-mode": ("all",),
    "max-length-bytes": (10**20,),
}
ARGUMENTS: Fitting = {
    "x-max-length": (1, -1),
    "x-queue-type": words("classic quorum stream none"),
    "x-message-ttl": (1, "1"),
    "x-dead-letter-exchange": ("x",),
    "alternate-exchange": ("x",),
    "x-delayed-type": ("topic",),
    "x-max-priority": (5, 256),
}
USER: Fitting = {
    "name": NAMES,
    "password": ("p", ""),
    "password_hash": ("", "AAAA", "x", SOUND_HASH),
    "tags": ("", "administrator", "a,b", ["a"], [1]),
    "hashing_algorithm": ("rabbit_password_hashing_sha256", "none"),
}
RIGHTS: Fitting = {"configure": PATTERNS, "write": PATTERNS, "read": PATTERNS}
LIMITS: tuple[object, ...] = ({}, [], {"max-queues": 1})
MEMBERS: dict[str, Fitting] = {
    "users": USER,
    "vhosts": {"name": NAMES, "limits": LIMITS, "metadata": ({}, {"tags": []}), "tags": ("", []), "description": ("d",)},
    "permissions": {"user": NAMES, "vhost": NAMES, **RIGHTS},
    "topic_permissions": {"user": NAMES, "vhost": NAMES, "exchange": NAMES, "write": PATTERNS, "read": PATTERNS},
    "parameters": {
        "vhost": NAMES,
        "component": words("vhost-limits operator_policy federation-upstream x"),
        "name": ("limits", "p"),
        "value": LIMITS,
    },
    "global_parameters": {"name": NAMES, "value": (1, {}, None)},
    "policies": {
        "vhost": NAMES,
        "name": NAMES,
        "pattern": PATTERNS,
        "definition": ({"max-length": 1}, {"expires": 1}, {}),
        "priority": (0, 1),
        "apply-to": ("all", "queues", "x"),
    },
    "queues": {
        "name": NAMES,
        "vhost": NAMES,
        "durable": (True, False),
        "auto_delete": (False,),
        "arguments": ({}, {"x-max-length": 1}),
        "type": ("classic", "quorum"),
    },
    "exchanges": {
        "name": NAMES,
        "vhost": NAMES,
        "type": words("direct topic x-delayed-message none"),
        "durable": (True, False),
        "internal": (False,),
        "arguments": ({}, {"x-delayed-type": "direct"}),
    },
    "bindings": {
        "source": NAMES,
        "vhost": NAMES,
        "destination": NAMES,
        "destination_type": words("queue exchange x"),
        "routing_key": ("k", "#"),
        "arguments": ({}, {"x-match": "any"}),
    },
}
BODY: Fitting = {
    **USER,
    **RIGHTS,
    "exchange": NAMES,
    "pattern": PATTERNS,
    "priority": (0, 1, "1"),
    "apply-to": ("all", "queues"),
    "durable": (True, "true"),
    "auto_delete": (False, "x"),
    "type": words("topic classic none"),
    "routing_key": ("q", "k"),
    "payload": ("x", "eA=="),
    "payload_encoding": ("string", "base64"),
    "properties": ({}, {"delivery_mode": 2}, {"priority": 300}),
    "count": (1, "5", -1),
    "ackmode": words("ack_requeue_true ack_requeue_false reject_requeue_true"),
    "encoding": ("auto", "base64"),
    "truncate": (1,),
    "value": (1, *LIMITS),
    "users": (["guest"], ["x"], "x"),
    "action": ("sync", "x"),
    "destination": ("q",),
    "messages": ([1], [], ["x"]),
    "ids": ([1], []),
    "vhost": NAMES,
    "username": NAMES,
}


class Request:
    """One request, as much of it as the server looks at."""

    remote = "127.0.0.1"
    content_type = "application/json"
    protocol = None
    content_length = None

    def __init__(self, method: str, path: str, query: dict[str, str], body: bytes) -> None:
        self.method = method
        self.raw_path = path
        self.path = path
        self.query = query
        self.headers: Mapping[str, str] = {"Authorization": AUTHORIZATION}
        self._body = body

    def clone(self, client_max_size: int) -> "Request":
        """The same: it is short enough."""
        assert len(self._body) <= client_max_size
        return self

    async def read(self) -> bytes:
        """The body."""
        return self._body


@cache
def _server() -> Server:
    """A server to be copied: describing its API takes longer than most requests."""
    hall = Hall()
    return Server(Site(hall.core.broker, hall.config, _wiring(hall)), "", (), 1 << 20)


def _wiring(hall: Hall) -> Wiring:
    begin = hall.flush_set.begin
    watermarks = Watermarks(hall.config, hall.alarms, begin, hall.core.broker.ration)
    return Wiring(begin, lambda: 0, hall.alarms.low, watermarks, InService())


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def requests(data: bytes) -> None:
    """Requests to any routes, with bodies that make sense now and then, of an administrator: none is a 500."""
    hall = Hall(data_dir=gettempdir())
    pair = opened(hall, 1)
    pair.send(
        client.method(1, "queue.declare", 0, "q", False, True, False, False, False, b""),
        client.method(1, "exchange.declare", 0, "x", "topic", False, True, False, False, False, b""),
        client.method(1, "basic.consume", 0, "q", "c", False, False, False, False, b""),
    )
    server = copy(_server())
    server.__dict__["site"] = Site(hall.core.broker, hall.config, _wiring(hall))
    choices = Choices(data)
    while choices.are_left:
        request = _request(choices)
        response = _loop().run_until_complete(server.respond(cast("web.Request", request)))
        assert response.status != 500, (request.method, request.path, request.query, request._body)
        hall.commit()
    hall.core.pages.read()


def _request(choices: Choices) -> Request:
    route = choices.pick(ROUTES.all)
    segments = [choices.text(NAMES) if segment.startswith("{") else segment for segment in route.path.split("/")]
    path = "/".join(["".join(f"%{octet:02x}" for octet in _octets(segment)) for segment in segments])
    query: dict[str, str] = {}
    if choices.octet() % 4 == 0:
        query = {choices.pick(QUERY): choices.text(WORDS) for _ in range(3)}
    return Request(route.method, path, query, _body(choices, route))


def _octets(segment: str) -> bytes:
    return segment.encode("utf-8", "surrogateescape")


def _body(choices: Choices, route: Route) -> bytes:
    if route.method == "GET":
        return b""
    kind = choices.octet() % 8
    if kind == 0:
        return choices.octets(40)
    if "definitions" in route.path:
        return json.dumps(_document(choices)).encode()
    wanted = {name: BODY.get(name, WORDS) for name in route.body or ()} if kind < 5 else BODY
    body = choices.filled(wanted, WORDS)
    if "definition" in wanted or choices.flag():
        body["definition"] = choices.filled(POLICY, WORDS)
    if choices.flag():
        body["arguments"] = choices.filled(ARGUMENTS, WORDS)
    return json.dumps(body).encode()


def definitions(data: bytes) -> None:
    """A document is imported, then exported names survive a restart; or it is an AmqpError and nothing was done."""
    core = Core()
    declare(core, "q")
    choices = Choices(data)
    document = _document(choices)
    try:
        Import(core.broker, document, choices.pick((None, "/"))).carry_out()
    except AmqpError:
        return
    core.commit()
    names = {vhost.name: set(vhost.exchanges) for vhost in core.broker.vhosts.values()}
    again = core.restart()
    kept = {vhost.name: set(vhost.exchanges) for vhost in again.broker.vhosts.values()}
    assert all(kept[name] <= names[name] for name in kept)
    assert set(names) == set(kept)


def _document(choices: Choices) -> dict[str, Any]:
    if choices.octet() % 16 == 0:
        try:
            found = json.loads(choices.rest())
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}
    document: dict[str, Any] = {}
    for _ in range(1 + choices.octet() % 4):
        section = choices.pick(tuple(MEMBERS))
        items = [choices.filled(MEMBERS[section], WORDS) for _ in range(choices.octet() % 3)]
        document[section] = items if choices.octet() % 16 else choices.value(WORDS)
    return document


SEEDS = {
    "requests": [bytes((at, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)) * 2 for at in range(len(ROUTES.all))],
    "definitions": [bytes((255, 1, at, 2, *range(1, 30))) for at in range(len(MEMBERS))],
}

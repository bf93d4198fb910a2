"""The API in OpenAPI's words, made of the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from amqpd.management.routes import ANYBODY, Route
from amqpd.version import VERSION

Shape = dict[str, object]

TEXT: Final[Shape] = {"type": "string"}
OBJECT: Final[Shape] = {"type": "object"}
COUNT: Final[Shape] = {"type": "integer", "minimum": 1, "maximum": 999_999_999}

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_PAGED: Final = frozenset(
    (
        "/api/bindings", "/api/bindings/{vhost}", "/api/channels", "/api/connections", "/api/connections/username/{user}",
        "/api/connections/{connection}/channels", "/api/consumers", "/api/consumers/{vhost}", "/api/exchanges",
        "/api/exchanges/{vhost}", "/api/queues", "/api/queues/detailed", "/api/queues/{vhost}",
        "/api/queues/{vhost}/{queue}/unacked", "/api/users", "/api/users/without-permissions", "/api/vhosts",
        "/api/vhosts/{vhost}/channels", "/api/vhosts/{vhost}/connections",
    )
)  # fmt: skip
"""Lists that are given in pages on demand."""
_QUERY: Final[Mapping[str, tuple[str, Shape]]] = {
    "columns": ("Names of the members wanted, separated by commas; dots lead into nested objects", TEXT),
    "sort": ("Member to sort by", TEXT),
    "sort_reverse": ("`true`: from the largest to the smallest", TEXT),
    "page": ("Number of the page, from 1", COUNT),
    "page_size": ("Objects on a page, from 1 to 500; without `page` it means nothing", {"type": "integer"}),
    "name": ("Part of the name", TEXT),
    "use_regex": ("`true`: `name` is a regular expression", TEXT),
}
_PATH: Final[Mapping[str, Shape]] = {
    "kind": {"type": "string", "enum": ["q", "e"], "description": "Whether the destination is a queue or an exchange"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "unit": {"type": "string", "enum": ["days", "weeks", "months", "years"]},
    "within": {"type": "integer", "minimum": 0, "maximum": 9999},
}
"""What a segment of a path may be, if it is not any text."""
_MEMBERS: Final[Mapping[str, Shape]] = {
    "ackmode": {"enum": ["ack_requeue_true", "ack_requeue_false", "reject_requeue_true", "reject_requeue_false"]},
    "action": TEXT,
    "arguments": OBJECT,
    "configure": {"type": "string", "description": "A regular expression"},
    "count": {"type": ["integer", "string"], "minimum": 0, "maximum": 10_000, "pattern": "^[0-9]{1,4}$"},
    "definition": OBJECT,
    "encoding": {"enum": ["auto", "base64"]},
    "exchange": TEXT,
    "name": TEXT,
    "password": TEXT,
    "pattern": {"type": "string", "description": "A regular expression"},
    "payload": TEXT,
    "payload_encoding": {"enum": ["string", "base64"]},
    "properties": {"type": ["object", "array", "null"], "maxItems": 0},
    "read": {"type": "string", "description": "A regular expression"},
    "routing_key": {"type": "string", "maxLength": 255},
    "tags": {"type": ["string", "array"], "items": {"type": ["string", "number", "boolean"]}},
    "username": TEXT,
    "users": {"type": "array", "items": TEXT},
    "value": {},
    "write": {"type": "string", "description": "A regular expression"},
}
"""What members of bodies are."""
_ERROR: Final[Shape] = {
    "type": "object",
    "properties": {"error": TEXT, "reason": {}},
    "required": ["error", "reason"],
}
_PAGE: Final[Shape] = {
    "type": "object",
    "properties": {"items": {"type": "array"}, "page": COUNT, "page_count": COUNT, "page_size": COUNT},
    "required": ["filtered_count", "item_count", "items", "page", "page_count", "page_size", "total_count"],
}
_LIST: Final[Shape] = {"oneOf": [{"type": "array", "items": OBJECT}, {"$ref": "#/components/schemas/Page"}]}


def document(routes: Iterable[Route], prefix: str) -> Shape:
    """The OpenAPI document of these routes."""
    paths: dict[str, Shape] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "amqpd management",
            "version": VERSION,
            "description": "RabbitMQ's HTTP API, and what goes beyond it. A virtual host `/` is `%2F` in a path.",
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, "Page": _PAGE},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "What POST /api/login gave"},
            },
        },
    }


def _operation(route: Route) -> Shape:
    group = route.path.split("/")[2]
    operation: Shape = {
        "operationId": _name(route),
        "summary": route.summary,
        "description": (route.view.__doc__ or route.summary).replace("\n    ", "\n"),
        "tags": [group],
        "x-required-tag": route.access,
        "parameters": [_path_parameter(name) for name in _PARAMETER.findall(route.path)] + _query(route),
        "responses": _responses(route),
    }
    if route.access == ANYBODY:
        operation["security"] = []
    if route.method in ("PUT", "POST", "PATCH") and route.body is not None:
        operation["requestBody"] = {
            "required": bool(route.body),
            "content": {"application/json": {"schema": _body(route.body)}},
        }
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api"))
    return "_".join([route.method.lower(), *words])


def _path_parameter(name: str) -> Shape:
    return {"name": name, "in": "path", "required": True, "schema": _PATH.get(name, {**TEXT, "minLength": 1})}


def _query(route: Route) -> list[Shape]:
    if route.method != "GET" or route.path not in _PAGED:
        return []
    return [{"name": name, "in": "query", "description": text, "schema": schema} for name, (text, schema) in _QUERY.items()]


def _body(members: tuple[str, ...]) -> Shape:
    """A body; one without members that it must have may be left out, or be null."""
    if not members:
        return {"type": ["object", "null"]}
    return {"type": "object", "properties": {name: _MEMBERS[name] for name in members}, "required": list(members)}


def _responses(route: Route) -> Shape:
    responses = {"400": _error("The request makes no sense"), "404": _error("There is no such thing")}
    if route.access != ANYBODY or route.path == "/api/login":
        responses["401"] = {"description": "Unknown user, or one who may not do that"}
        responses["429"] = _error("Too many failed logins")
    if route.method != "GET":
        responses["403"] = _error("The broker is read-only, or the page of another site asks")
    responses.update(_successes(route))
    if "/health/" in route.path:
        responses["503"] = {"description": "The check failed", "content": {"application/json": {}}}
    return {**responses}


def _error(description: str) -> Shape:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _successes(route: Route) -> dict[str, Shape]:
    """What is answered if all goes well, and what a virtual host that is protected answers to its deletion."""
    verb = route.path.rpartition("/")[2]
    if route.method == "GET" or (route.method == "POST" and verb in ("get", "publish", "login", "move", "copy", "delete")):
        schema = {"schema": _LIST} if route.path in _PAGED else {}
        return {"200": {"description": "What was asked for", "content": {"application/json": schema}}}
    if route.method == "PUT":
        return {"201": {"description": "Created"}, "204": {"description": "Changed"}}
    if route.method == "POST" and route.path.startswith("/api/bindings"):
        return {"201": {"description": "Bound"}}
    done: dict[str, Shape] = {"204": {"description": "Done"}}
    if route.method == "DELETE" and route.path == "/api/vhosts/{vhost}":
        done["412"] = _error("It is protected from deletion")
    return done

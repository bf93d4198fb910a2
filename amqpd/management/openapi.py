"""The API in OpenAPI's words, made of the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from amqpd.management.routes import ANYBODY, Route
from amqpd.version import VERSION

Shape = dict[str, object]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_LISTS: Final = ("/api/queues", "/api/exchanges", "/api/connections", "/api/channels")
_QUERY: Final = {
    "columns": "Names of the members wanted, separated by commas; dots lead into nested objects",
    "sort": "Member to sort by",
    "sort_reverse": "`true`: from the largest to the smallest",
    "page": "Number of the page, from 1",
    "page_size": "Objects on a page, up to 500",
    "name": "Part of the name",
    "use_regex": "`true`: `name` is a regular expression",
}
_ERROR: Final[Shape] = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "reason": {}},
    "required": ["error", "reason"],
}


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
            "schemas": {"Error": _ERROR},
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
    if route.method in ("PUT", "POST", "PATCH"):
        schema: Shape = {"type": "object", "properties": {name: {} for name in route.body}}
        if route.body:
            schema["required"] = list(route.body)
        operation["requestBody"] = {
            "required": bool(route.body),
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api"))
    return "_".join([route.method.lower(), *words])


def _path_parameter(name: str) -> Shape:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(route: Route) -> list[Shape]:
    if route.method != "GET" or not route.path.startswith(_LISTS) or route.path.count("{") > 1:
        return []
    return [{"name": name, "in": "query", "description": text, "schema": {"type": "string"}} for name, text in _QUERY.items()]


def _responses(route: Route) -> Shape:
    error: Shape = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    any_json: Shape = {"description": "What was asked for", "content": {"application/json": {}}}
    responses: Shape = {"400": {"description": "The request makes no sense", **error}}
    if route.access != ANYBODY:
        responses["401"] = {"description": f"Unknown user, or one without the tag {route.access}"}
    responses["404"] = {"description": "There is no such thing", **error}
    if route.method == "GET" or (route.method == "POST" and route.path.endswith(("/get", "/publish", "/login"))):
        responses["200"] = any_json
    elif route.method == "PUT":
        responses["201"] = {"description": "Created"}
        responses["204"] = {"description": "Changed"}
    elif route.path.startswith("/api/bindings") and route.method == "POST":
        responses["201"] = {"description": "Bound"}
    elif route.path.rpartition("/")[2] in ("move", "copy", "delete"):
        responses["200"] = any_json
    else:
        responses["204"] = {"description": "Done"}
    if "/health/" in route.path:
        responses["503"] = {"description": "The check failed", "content": {"application/json": {}}}
    return responses

"""Definitions: everything that was declared, as a document that RabbitMQ understands, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from amqpd.broker.definitions import Import
from amqpd.broker.parameters import parameters_of
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from amqpd.management.call import NO_CONTENT, Answer, Call, json_object
from amqpd.management.encoding import NESTING_MAX, decode, encode_slowly
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request
from amqpd.management.shapes import binding_shape
from amqpd.management.silence import whole
from amqpd.management.slices import Slices, mapped
from amqpd.management.tables import shown_table, text
from amqpd.management.views.overview import cluster_name
from amqpd.management.views.parameters import parameter_shape
from amqpd.management.views.policies import policy_shapes
from amqpd.management.views.users import permission_shapes, topic_permission_shapes, user_shape
from exchanges.base import Binding, Exchange

DOCUMENT_NESTING_MAX: Final = NESTING_MAX + 4
"""Lists and objects inside each other: definitions have field tables inside of three more, and those count from naught."""
PAGE: Final = re.compile(r"(\.\.)?(/[\w-]+)*/?#[\w/-]*", re.ASCII)
"""Where a form may have its sender led: to a view of a page of this server."""
EXPLANATION: Final = "Definitions of an amqpd broker; RabbitMQ can import them, too"


async def export_all(call: Call) -> object:
    """Everything: users, virtual hosts, rights, queues, exchanges, bindings."""
    users = sorted(call.broker.users.by_name.values(), key=lambda user: user.name)
    vhosts = [vhost for _, vhost in sorted(call.broker.vhosts.items())]
    global_parameters = call.broker.global_parameters
    queues = [queue for vhost in vhosts for queue in _queues(vhost)]
    exchanges = [found for vhost in vhosts for found in _exchanges(vhost)]
    bindings = [found for vhost in vhosts for found in _bindings(vhost)]
    document: Shape = {
        **_about(call),
        "rabbitmq_definition_format": "cluster",
        "original_cluster_name": cluster_name(call.site),
        "explanation": EXPLANATION,
        "users": [user_shape(call.broker, user) for user in users],
        "vhosts": [_vhost(call, vhost) for vhost in vhosts],
        "permissions": [shape for user in users for shape in permission_shapes(user)],
        "topic_permissions": [shape for user in users for shape in topic_permission_shapes(user)],
        "parameters": [parameter_shape(parameter) for vhost in vhosts for parameter in parameters_of(vhost)],
        "global_parameters": [{"name": text(name), "value": value} for name, value in sorted(global_parameters.items())],
        "policies": policy_shapes(vhosts, operator=False),
        "queues": await mapped(queues, _queue),
        "exchanges": await mapped(exchanges, _exchange),
        "bindings": await mapped(bindings, _binding),
    }
    return await _document(call, document)


async def export_vhost(call: Call) -> object:
    """What was declared in one virtual host."""
    vhost = call.seen_vhost()
    profile = _vhost(call, vhost)
    queues, exchanges, bindings = _queues(vhost), _exchanges(vhost), _bindings(vhost)
    document: Shape = {
        **_about(call),
        "rabbitmq_definition_format": "single_virtual_host",
        "original_vhost_name": text(vhost.name),
        "description": profile["description"],
        "metadata": profile["metadata"],
        "limits": profile["limits"],
        "explanation": EXPLANATION,
        "parameters": _without_vhost([parameter_shape(parameter) for parameter in parameters_of(vhost)]),
        "policies": _without_vhost(policy_shapes([vhost], operator=False)),
        "queues": _without_vhost(await mapped(queues, _queue)),
        "exchanges": _without_vhost(await mapped(exchanges, _exchange)),
        "bindings": _without_vhost(await mapped(bindings, _binding)),
    }
    return await _document(call, document)


async def _document(call: Call, document: Shape) -> object:
    download = call.query.get("download")
    if download is None:
        return document
    name = "".join(character for character in download if character.isalnum() or character in "._-@")
    headers = {"Content-Type": "application/json", "Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(200, b"".join((await encode_slowly(document)).pieces()), headers)


def _about(call: Call) -> Shape:
    config = call.site.config
    return {
        "rabbit_version": config.product_version,
        "rabbitmq_version": config.product_version,
        "product_name": config.product,
        "product_version": config.product_version,
    }


def _vhost(call: Call, vhost: VHost) -> Shape:
    profile = call.broker.profiles[vhost.name]
    tags = [text(tag) for tag in profile.tags]
    description = text(profile.description)
    metadata: Shape = {"description": description, "tags": tags}
    if profile.default_queue_type:
        metadata["default_queue_type"] = profile.default_queue_type
    return {"name": text(vhost.name), "limits": _limits(vhost), "metadata": metadata, **metadata}


def _limits(vhost: VHost) -> list[Shape]:
    return [{"name": name, "value": value} for name, value in sorted(vhost.quota.limits.items())]


def _queues(vhost: VHost) -> list[Queue]:
    return [vhost.queues[name] for name in sorted(vhost.queues) if vhost.queues[name].exclusive_to is None]


def _queue(queue: Queue) -> Shape:
    return {
        "name": text(queue.name),
        "vhost": text(queue.vhost),
        "durable": queue.durable,
        "auto_delete": queue.auto_delete,
        "type": queue.arguments.type,
        "arguments": shown_table(queue.arguments.values()),
    }


def _exchanges(vhost: VHost) -> list[tuple[VHost, Exchange]]:
    found = sorted(vhost.exchanges.items())
    return [(vhost, exchange) for name, exchange in found if name and not name.startswith("amq.")]


def _exchange(found: tuple[VHost, Exchange]) -> Shape:
    vhost, exchange = found
    return {
        "name": text(exchange.name),
        "vhost": text(vhost.name),
        "type": exchange.type,
        "durable": exchange.durable,
        "auto_delete": exchange.auto_delete,
        "internal": exchange.internal,
        "arguments": shown_table(exchange.arguments),
    }


def _bindings(vhost: VHost) -> list[tuple[VHost, Binding]]:
    exclusive = {name for name, queue in vhost.queues.items() if queue.exclusive_to is not None}
    return [
        (vhost, binding)
        for _, exchange in sorted(vhost.exchanges.items())
        for binding in exchange.bindings.values()
        if binding.destination not in exclusive
    ]


def _binding(found: tuple[VHost, Binding]) -> Shape:
    vhost, binding = found
    shape = binding_shape(vhost.name, binding)
    del shape["properties_key"]
    return shape


def _without_vhost(shapes: list[Shape]) -> list[Shape]:
    for shape in shapes:
        del shape["vhost"]
    return shapes


async def import_all(call: Call) -> object:
    """Carry out a document, sent as JSON or as the form field `file`: checked as a whole before anything is changed."""
    return await _import(call, None)


async def import_vhost(call: Call) -> object:
    """Carry out a document in one virtual host: checked as a whole before anything is changed."""
    return await _import(call, call.seen_vhost().name)


async def _import(call: Call, vhost: str | None) -> object:
    redirect = None
    if call.request.content_type == "multipart/form-data":
        form = await _form(call)
        document = _uploaded(form.get("file"))
        redirect = form.get("redirect")
    else:
        document = json_object(await call.sent(call.site.config.http_body_limit), DOCUMENT_NESTING_MAX)
    call.begin()
    plan = Import(call.broker, document, vhost)
    slices = Slices()
    for _ in plan.check():
        if slices.is_over():
            await slices.pause()
    call.begin()
    for _ in plan.steps():
        if slices.is_over():
            await slices.pause()
            call.begin()
    if isinstance(redirect, str) and PAGE.fullmatch(redirect):
        return await call.done(Answer(303, headers={"Location": redirect}))
    return await call.done(NO_CONTENT)


async def _form(call: Call) -> Mapping[str, object]:
    try:
        return await whole(call.request.post())
    except (ValueError, AssertionError):
        raise bad_request("not a form") from None


def _uploaded(field: object) -> dict[str, Any]:
    content = field.file.read() if isinstance(field, web.FileField) else field
    if not isinstance(content, str | bytes):
        raise bad_request("the form has no field 'file'")
    try:
        document = decode(content.encode() if isinstance(content, str) else content, DOCUMENT_NESTING_MAX)
    except ValueError:
        raise bad_request("not_json") from None
    if not isinstance(document, dict):
        raise bad_request("not_json")
    return document

"""Runtime parameters of virtual hosts, and global parameters."""

from __future__ import annotations

from typing import Final

from amqpd.broker import governance, parameters
from amqpd.broker.governance import VHOST_LIMITS
from amqpd.broker.parameters import OPERATOR_POLICY, Parameter
from amqpd.broker.terms import Invalid
from amqpd.broker.vhost import VHost
from amqpd.management.call import ADMINISTRATOR_TAGS, Call, saved
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_authorised, not_found
from amqpd.management.tables import shown, shown_table, text

ADMINISTRATORS: Final = frozenset((OPERATOR_POLICY, VHOST_LIMITS))
"""Components that have other routes, which are an administrator's."""


def parameter_shape(parameter: Parameter) -> Shape:
    """A runtime parameter."""
    return {
        "value": shown_table(parameter.value),
        "vhost": text(parameter.vhost),
        "component": parameter.component,
        "name": text(parameter.name),
    }


async def list_parameters(call: Call) -> object:
    """All parameters that the user may see, or those of one component."""
    wish = call.wish()
    component = call.parameters.get("component")
    found = [
        parameter_shape(parameter)
        for vhost in call.visible_vhosts()
        for parameter in parameters.parameters_of(vhost)
        if component in (None, parameter.component)
    ]
    return wish.cut(wish.sorted(found))


async def show_parameter(call: Call) -> object:
    """One parameter."""
    return call.wish().cut_one(parameter_shape(_named(call, call.seen_vhost())))


def _named(call: Call, vhost: VHost) -> Parameter:
    parameter = parameters.find_parameter(vhost, call["component"], call["name"])
    if parameter is None:
        raise not_found()
    return parameter


async def save_parameter(call: Call) -> object:
    """Create or replace a parameter."""
    _check_administrator(call)
    body = await call.body("value")
    vhost = call.entered_vhost()
    try:
        is_new = parameters.set_parameter(call.broker, vhost, call["component"], call["name"], body["value"])
    except Invalid as error:
        raise bad_request(str(error)) from None
    return await call.done(saved(is_new))


async def delete_parameter(call: Call) -> object:
    """Delete a parameter."""
    _check_administrator(call)
    vhost = call.entered_vhost()
    parameters.clear_parameter(call.broker, vhost, call["component"], _named(call, vhost).name)
    return await call.done()


def _check_administrator(call: Call) -> None:
    """Raise Refusal if only an administrator may change parameters of the component, and the user is none."""
    if call["component"] in ADMINISTRATORS and not call.has_tag(ADMINISTRATOR_TAGS):
        raise not_authorised("Not administrator user")


def global_parameter_shape(name: str, value: object) -> Shape:
    """A global parameter."""
    return {"name": text(name), "value": shown(value)}


async def list_global_parameters(call: Call) -> object:
    """All global parameters."""
    wish = call.wish()
    found = sorted(call.broker.global_parameters.items())
    return wish.cut(wish.sorted([global_parameter_shape(name, value) for name, value in found]))


async def show_global_parameter(call: Call) -> object:
    """One global parameter."""
    name = call["name"]
    if name not in call.broker.global_parameters:
        raise not_found()
    return global_parameter_shape(name, call.broker.global_parameters[name])


async def save_global_parameter(call: Call) -> object:
    """Create or replace a global parameter."""
    body = await call.body("value")
    is_new = governance.set_global_parameter(call.broker, call["name"], body["value"])
    return await call.done(saved(is_new))


async def delete_global_parameter(call: Call) -> object:
    """Delete a global parameter."""
    if not governance.clear_global_parameter(call.broker, call["name"]):
        raise not_found()
    return await call.done()

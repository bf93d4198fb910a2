"""Policies and operator policies: list, look at, save, delete."""

from __future__ import annotations

from amqpd.broker import governance
from amqpd.broker.policies import Policy
from amqpd.broker.terms import Invalid
from amqpd.broker.vhost import VHost
from amqpd.management.call import Call, saved
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.tables import shown_table, text


def policy_shape(vhost: str, policy: Policy) -> Shape:
    """A policy or operator policy."""
    return {
        "vhost": text(vhost),
        "name": text(policy.name),
        "pattern": text(policy.pattern),
        "apply-to": policy.apply_to,
        "definition": shown_table(policy.definition),
        "priority": policy.priority,
    }


def policy_shapes(vhosts: list[VHost], *, operator: bool) -> list[Shape]:
    """The policies, or the operator policies, of these virtual hosts."""
    return [
        policy_shape(vhost.name, policy)
        for vhost in vhosts
        for _, policy in sorted(governance.policies_of(vhost, operator).by_name.items())
    ]


async def list_policies(call: Call) -> object:
    """All policies that the user may see."""
    return _list(call, operator=False)


async def list_operator_policies(call: Call) -> object:
    """All operator policies that the user may see."""
    return _list(call, operator=True)


def _list(call: Call, *, operator: bool) -> object:
    wish = call.wish()
    return wish.cut(wish.sorted(policy_shapes(call.visible_vhosts(), operator=operator)))


async def show_policy(call: Call) -> object:
    """One policy."""
    return _show(call, operator=False)


async def show_operator_policy(call: Call) -> object:
    """One operator policy."""
    return _show(call, operator=True)


def _show(call: Call, *, operator: bool) -> object:
    vhost = call.seen_vhost()
    policy = governance.policies_of(vhost, operator).by_name.get(call["policy"])
    if policy is None:
        raise not_found()
    return call.wish().cut_one(policy_shape(vhost.name, policy))


async def save_policy(call: Call) -> object:
    """Create or replace a policy."""
    return await _save(call, operator=False)


async def save_operator_policy(call: Call) -> object:
    """Create or replace an operator policy."""
    return await _save(call, operator=True)


async def _save(call: Call, *, operator: bool) -> object:
    body = await call.body("pattern", "definition")
    vhost = call.entered_vhost()
    try:
        is_new = governance.set_policy(
            call.broker, vhost, call["policy"], body["pattern"], body["definition"], body.get("priority"),
            body.get("apply-to"), operator,
        )  # fmt: skip
    except Invalid as error:
        raise bad_request(str(error)) from None
    return await call.done(saved(is_new))


async def delete_policy(call: Call) -> object:
    """Delete a policy."""
    return await _delete(call, operator=False)


async def delete_operator_policy(call: Call) -> object:
    """Delete an operator policy."""
    return await _delete(call, operator=True)


async def _delete(call: Call, *, operator: bool) -> object:
    if not governance.clear_policy(call.broker, call.entered_vhost(), call["policy"], operator):
        raise not_found()
    return await call.done()

"""Limits of virtual hosts and of users."""

from __future__ import annotations

from amqpd.broker import governance
from amqpd.broker.terms import Invalid
from amqpd.management.call import Call
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.tables import text


async def list_vhost_limits(call: Call) -> object:
    """The limits of the virtual hosts that the user may see, or of one."""
    wish = call.wish()
    found: list[Shape] = [
        {"vhost": text(vhost.name), "value": dict(vhost.quota.limits)} for vhost in call.visible_vhosts() if vhost.quota.limits
    ]
    return wish.cut(wish.sorted(found))


async def set_vhost_limit(call: Call) -> object:
    """Set one limit of a virtual host."""
    body = await call.body("value")
    vhost = call.seen_vhost()
    try:
        governance.set_vhost_limits(call.broker, vhost, {**vhost.quota.limits, call["limit"]: body["value"]})
    except Invalid as error:
        raise bad_request(str(error)) from None
    return await call.done()


async def clear_vhost_limit(call: Call) -> object:
    """Lift one limit of a virtual host."""
    vhost = call.seen_vhost()
    governance.set_vhost_limits(call.broker, vhost, _without(vhost.quota.limits, call["limit"]))
    return await call.done()


async def list_user_limits(call: Call) -> object:
    """The limits of all users, for an administrator, or of one; others see their own."""
    wish = call.wish()
    wanted = call.parameters.get("user")
    is_administrator = "administrator" in call.user.tags
    if is_administrator and wanted is not None and wanted not in call.broker.users.by_name:
        raise not_found()  # Others are not told who is there.
    found: list[Shape] = [
        {"user": text(name), "value": dict(quota.limits)}
        for name, quota in sorted(call.broker.user_quotas.items())
        if wanted in (None, name) and (is_administrator or call.user.name == name)
    ]
    return wish.cut(wish.sorted(found))


async def set_user_limit(call: Call) -> object:
    """Set one limit of a user."""
    body = await call.body("value")
    user = call["user"]
    if user not in call.broker.users.by_name:
        raise bad_request(["no_such_user", text(user)])
    try:
        limits = {**governance.user_limits(call.broker, user), call["limit"]: body["value"]}
        governance.set_user_limits(call.broker, user, limits)
    except Invalid as error:
        raise bad_request(str(error)) from None
    return await call.done()


async def clear_user_limit(call: Call) -> object:
    """Lift one limit of a user."""
    user = call["user"]
    if user not in call.broker.users.by_name:
        raise not_found()
    governance.set_user_limits(call.broker, user, _without(governance.user_limits(call.broker, user), call["limit"]))
    return await call.done()


def _without(limits: dict[str, int], name: str) -> dict[str, int]:
    return {kept: value for kept, value in limits.items() if kept != name}

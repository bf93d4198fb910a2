"""Users, what they may do, and what they may do with which routing keys."""

from __future__ import annotations

import json
from typing import Any, Final

from amqpd.broker import administration, governance, passwords
from amqpd.broker.broker import Broker
from amqpd.broker.users import User
from amqpd.management.call import Call, saved, string
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.tables import text
from amqpd.management.views.vhosts import words

TAGS_MAX: Final = 32
_LEGACY_TAG: Final = "administrator"


def user_shape(broker: Broker, user: User) -> Shape:
    """A user."""
    return {
        "name": text(user.name),
        "password_hash": user.password_hash,
        "hashing_algorithm": user.algorithm,
        "tags": [text(tag) for tag in user.tags],
        "limits": governance.user_limits(broker, user.name),
    }


def named_user(call: Call) -> User:
    """The user of the path. Raises Refusal."""
    user = call.broker.users.by_name.get(call["user"])
    if user is None:
        raise not_found()
    return user


async def list_users(call: Call) -> object:
    """All users."""
    return await _listed(call, list(call.broker.users.by_name.values()))


async def list_users_without_permissions(call: Call) -> object:
    """The users that may enter no virtual host."""
    return await _listed(call, [user for user in call.broker.users.by_name.values() if not user.permissions])


async def _listed(call: Call, users: list[User]) -> object:
    return await call.wish().answer(
        sorted(users, key=lambda user: user.name), lambda user: text(user.name), lambda user: user_shape(call.broker, user)
    )


async def show_user(call: Call) -> object:
    """One user."""
    return user_shape(call.broker, named_user(call))


async def save_user(call: Call) -> object:
    """Create a user, or change password and tags."""
    body = await call.body()
    name = call["user"]
    known = call.broker.users.by_name.get(name)
    tags = tags_of(body)
    password_hash, algorithm = password_of(body)
    permissions = body.get("permissions") if known is None else None
    if permissions is not None:
        _check_permissions(call, permissions)
    user = administration.save_user(call.broker, name, password_hash, algorithm, tags)
    for vhost, given in (permissions or {}).items():
        administration.set_permission(call.broker, user, vhost, given["configure"], given["write"], given["read"])
    return await call.done(saved(known is None))


def tags_of(body: dict[str, Any]) -> tuple[str, ...]:
    """The tags in a user's description. Raises Refusal."""
    if "tags" not in body:
        if _LEGACY_TAG in body:
            return (_LEGACY_TAG,) if body[_LEGACY_TAG] in (True, "true") else ()
        raise bad_request("tags_not_present")
    tags = tuple(words(body["tags"]))
    if len(tags) > TAGS_MAX:
        raise bad_request(f"a user can have up to {TAGS_MAX} tags")
    return tags


def password_of(body: dict[str, Any]) -> tuple[str, str]:
    """Hash and algorithm of the password in a user's description; an empty hash lets nobody in. Raises Refusal."""
    if "password" in body and "password_hash" in body:
        raise bad_request("both_password_and_password_hash_are_provided")
    algorithm = body.get("hashing_algorithm", passwords.SHA256)
    if "password_hash" in body:
        if algorithm not in passwords.DIGESTS:
            raise bad_request(f"unknown hashing algorithm {algorithm}")
        return _hash(body["password_hash"]), str(algorithm)
    return administration.hashed(string(body.get("password", ""), "password must be a string")), passwords.SHA256


def _hash(given: object) -> str:
    password_hash = string(given, ["not_base64", given])
    if not passwords.is_hash(password_hash):
        raise bad_request(["not_base64", given])
    return password_hash


async def delete_user(call: Call) -> object:
    """Delete a user and close his connections."""
    administration.delete_user(call.broker, named_user(call))
    return await call.done()


async def delete_users(call: Call) -> object:
    """Delete several users; names that nobody has are passed over."""
    body = await call.body("users")
    names = body["users"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise bad_request("users must be a list of names")
    for name in names:
        user = call.broker.users.by_name.get(name)
        if user is not None:
            administration.delete_user(call.broker, user)
    return await call.done()


async def hash_password(call: Call) -> object:
    """The hash of a password, as definitions hold it."""
    return {"ok": passwords.hash_password(call["password"])}


# --- permissions -------------------------------------------------------------------------------------------------------


def permission_shapes(user: User) -> list[Shape]:
    """What a user may do, by virtual host."""
    return [
        {
            "user": text(user.name),
            "vhost": text(vhost),
            "configure": permission.configure,
            "write": permission.write,
            "read": permission.read,
        }
        for vhost, permission in sorted(user.permissions.items())
    ]


def _all_permissions(call: Call) -> list[Shape]:
    users = sorted(call.broker.users.by_name.values(), key=lambda user: user.name)
    return [shape for user in users for shape in permission_shapes(user)]


async def list_permissions(call: Call) -> object:
    """Who may do what, everywhere."""
    return call.wish().cut(call.wish().sorted(_all_permissions(call)))


async def list_permissions_of_user(call: Call) -> object:
    """What a user may do."""
    return call.wish().cut(permission_shapes(named_user(call)))


async def list_permissions_in_vhost(call: Call) -> object:
    """Who may do what in a virtual host."""
    vhost = call.seen_vhost()
    return call.wish().cut([shape for shape in _all_permissions(call) if shape["vhost"] == text(vhost.name)])


async def show_permission(call: Call) -> object:
    """What a user may do in a virtual host."""
    vhost = call.seen_vhost()
    for shape in permission_shapes(named_user(call)):
        if shape["vhost"] == text(vhost.name):
            return shape
    raise not_found()


async def save_permission(call: Call) -> object:
    """Let a user do something in a virtual host."""
    body = await call.body("configure", "write", "read")
    user = _user_in_vhost(call)
    is_new = call["vhost"] not in user.permissions
    configure, write, read = (_expression(body, name) for name in ("configure", "write", "read"))
    try:
        administration.set_permission(call.broker, user, call["vhost"], configure, write, read)
    except ValueError as error:
        raise bad_request(["invalid_regexp", str(error)]) from None
    return await call.done(saved(is_new))


def _expression(body: dict[str, Any], name: str) -> str:
    return string(body[name], f"{name} must be a string")


def _user_in_vhost(call: Call) -> User:
    user = call.broker.users.by_name.get(call["user"])
    if user is None or call["vhost"] not in call.broker.vhosts:
        raise bad_request("vhost_or_user_not_found")
    return user


def _check_permissions(call: Call, given: object) -> None:
    """Raise Refusal unless all permissions of a new user can be given."""
    if not isinstance(given, dict):
        raise bad_request("permissions must be an object")
    for vhost, permission in given.items():
        if vhost not in call.broker.vhosts:
            raise bad_request("vhost_or_user_not_found")
        if not isinstance(permission, dict) or not {"configure", "write", "read"} <= permission.keys():
            raise bad_request(f"invalid permissions for vhost {vhost}: {json.dumps(permission)}")
        try:
            administration.check_expressions(*(_expression(permission, name) for name in ("configure", "write", "read")))
        except ValueError as error:
            raise bad_request(["invalid_regexp", str(error)]) from None


async def clear_permission(call: Call) -> object:
    """Keep a user out of a virtual host."""
    vhost, user = call.seen_vhost(), named_user(call)
    if vhost.name not in user.permissions:
        raise not_found()
    administration.clear_permission(call.broker, user, vhost.name)
    return await call.done()


# --- topic permissions -------------------------------------------------------------------------------------------------


def topic_permission_shapes(user: User) -> list[Shape]:
    """Which routing keys a user may use, by virtual host and exchange."""
    return [
        {
            "user": text(user.name),
            "vhost": text(vhost),
            "exchange": text(exchange),
            "write": permission.write,
            "read": permission.read,
        }
        for (vhost, exchange), permission in sorted(user.topic_permissions.items())
    ]


def _all_topic_permissions(call: Call) -> list[Shape]:
    users = sorted(call.broker.users.by_name.values(), key=lambda user: user.name)
    return [shape for user in users for shape in topic_permission_shapes(user)]


async def list_topic_permissions(call: Call) -> object:
    """Who may use which routing keys, everywhere."""
    return call.wish().cut(_all_topic_permissions(call))


async def list_topic_permissions_of_user(call: Call) -> object:
    """Which routing keys a user may use."""
    return call.wish().cut(topic_permission_shapes(named_user(call)))


async def list_topic_permissions_in_vhost(call: Call) -> object:
    """Who may use which routing keys in a virtual host."""
    vhost = call.seen_vhost()
    return call.wish().cut([shape for shape in _all_topic_permissions(call) if shape["vhost"] == text(vhost.name)])


async def show_topic_permissions(call: Call) -> object:
    """Which routing keys a user may use in a virtual host."""
    vhost = call.seen_vhost()
    found = [shape for shape in topic_permission_shapes(named_user(call)) if shape["vhost"] == text(vhost.name)]
    if not found:
        raise not_found()
    return found


async def show_topic_permission(call: Call) -> object:
    """Which routing keys a user may use at an exchange."""
    vhost = call.seen_vhost()
    for shape in topic_permission_shapes(named_user(call)):
        if (shape["vhost"], shape["exchange"]) == (text(vhost.name), call["exchange"]):
            return shape
    raise not_found()


async def save_topic_permission(call: Call) -> object:
    """Say which routing keys a user may use at an exchange."""
    body = await call.body("exchange", "write", "read")
    user = _user_in_vhost(call)
    exchange = string(body["exchange"], "exchange must be a string")
    is_new = (call["vhost"], exchange) not in user.topic_permissions
    write, read = _expression(body, "write"), _expression(body, "read")
    try:
        administration.set_topic_permission(call.broker, user, call["vhost"], exchange, write, read)
    except ValueError as error:
        raise bad_request(["invalid_regexp", str(error)]) from None
    return await call.done(saved(is_new))


async def clear_topic_permissions(call: Call) -> object:
    """Let a user use all routing keys, at one exchange or at all."""
    vhost, user = call.seen_vhost(), named_user(call)
    exchange = call.parameters.get("exchange", "")
    if not administration.clear_topic_permissions(call.broker, user, vhost.name, exchange):
        raise not_found()
    return await call.done()

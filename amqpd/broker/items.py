"""What the items of a document of definitions say: read, or refused with TypeError or ValueError."""

from __future__ import annotations

from typing import Any, Final

from amqpd.broker import administration, governance, parameters, passwords
from amqpd.broker.arguments import CLASSIC, NAME_MAX, QUORUM
from amqpd.broker.policies import ALL
from amqpd.broker.profile import Profile
from amqpd.broker.users import joined
from amqpd.wire import tables

Item = dict[str, Any]

NEEDED: Final = {
    "users": ("name",),
    "vhosts": ("name",),
    "permissions": ("user", "vhost", "configure", "write", "read"),
    "topic_permissions": ("user", "vhost", "exchange", "write", "read"),
    "parameters": ("vhost", "component", "name"),
    "global_parameters": ("name",),
    "policies": ("vhost", "name"),
    "queues": ("name", "vhost"),
    "exchanges": ("name", "vhost"),
    "bindings": ("source", "vhost", "destination"),
}
"""The members that an item must have, by section, all of them texts."""
FOREIGN: Final = frozenset(("federation-upstream", "federation-upstream-set", "shovel", "mqtt"))
"""Components of plugins that are not there: their parameters are passed over."""
NAMED: Final = ("users", "vhosts", "queues", "exchanges")
"""The sections whose names are such as AMQP can say, and not empty."""
DEFAULT_TYPES: Final = (None, "", "undefined", CLASSIC, QUORUM)
"""What virtual hosts may say of the type of queues that are declared without one."""
_BOOLEANS: Final = ("durable", "auto_delete", "internal", "tracing", "protected_from_deletion")


def check_members(section: str, item: Item) -> None:
    """The types of what items of several sections have."""
    for name in NEEDED[section]:
        if not isinstance(item.get(name), str):
            raise TypeError(f"{name} must be a string")
    if section in NAMED:
        _check_name(item["name"])
    for name in _BOOLEANS:
        if not isinstance(item.get(name, False), bool):
            raise TypeError(f"{name} must be true or false")
    if not isinstance(item.get("arguments", {}), dict):
        raise TypeError("arguments must be an object")


def _check_name(name: str) -> None:
    if not name:
        raise ValueError("the name must not be empty")
    _check_length("the name", name)


def _check_length(what: str, text: str) -> None:
    if len(text.encode("utf-8", "surrogateescape")) > NAME_MAX:
        raise ValueError(f"{what} must not be longer than {NAME_MAX} octets")


def _text(item: Item, name: str) -> str:
    """A member that may be null or missing, which is empty then."""
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a string")
    return value or ""


def words(value: object) -> list[str]:
    """Tags: a list, or a text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise TypeError("tags must be strings")
    joined(parts)
    return [part.strip() for part in parts if part.strip()]


# --- users and virtual hosts -------------------------------------------------------------------------------------------


def check_user(item: Item) -> None:
    """A user."""
    words(item.get("tags", ""))
    algorithm = password(item)[1]
    if algorithm not in passwords.DIGESTS:
        raise ValueError(f"unknown hashing algorithm {algorithm}")


def password(item: Item) -> tuple[str, str]:
    """Hash and algorithm of a user's password."""
    if item.get("password") is not None:
        return administration.hashed(_text(item, "password")), passwords.SHA256
    password_hash = _text(item, "password_hash")
    if not passwords.is_hash(password_hash):
        raise ValueError("password_hash must be base64")
    # Before RabbitMQ 3.6 there was no other algorithm, and none was named.
    return password_hash, _text(item, "hashing_algorithm") or passwords.MD5


def check_vhost(item: Item) -> None:
    """A virtual host."""
    profile(item)
    governance.check_vhost_limits(limits(item))


def profile(item: Item) -> Profile:
    """What a virtual host says of itself."""
    told = told_of(item)
    found = Profile()
    found.description = _text(told, "description")
    found.tags = words(told.get("tags") or "")
    if told.get("default_queue_type") not in DEFAULT_TYPES:
        raise ValueError(f"default_queue_type {told['default_queue_type']} is neither {CLASSIC} nor {QUORUM}")
    found.default_queue_type = _text(told, "default_queue_type").replace("undefined", "")
    found.tracing = bool(told.get("tracing", False))
    found.is_protected = bool(told.get("protected_from_deletion", False))
    return found


def told_of(item: Item) -> Item:
    """The members of a virtual host, whether they are its own or its metadata's."""
    metadata = item.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise TypeError("metadata must be an object")
    return {**metadata, **item}


def limits(item: Item) -> dict[str, Any]:
    """The limits of a virtual host: an object, or a list of names and values."""
    given = item.get("limits") or {}
    if isinstance(given, dict):
        return given
    if not isinstance(given, list) or not all(isinstance(limit, dict) for limit in given):
        raise TypeError("limits must be an object, or a list of objects")
    return {limit["name"]: limit["value"] for limit in given if limit.keys() >= {"name", "value"}}


# --- parameters and policies -------------------------------------------------------------------------------------------


def check_parameter(item: Item) -> None:
    """A parameter of a virtual host."""
    if item["component"] not in FOREIGN:
        parameters.check_parameter(item["component"], item["name"], item["value"])


def check_policy(item: Item) -> None:
    """A policy."""
    governance.check_policy(
        item["name"], item["pattern"], item["definition"], item.get("priority", 0), item.get("apply-to", ALL), operator=False
    )


# --- queues, exchanges, bindings ---------------------------------------------------------------------------------------


def queue_table(item: Item) -> bytes:
    """The arguments of a queue; a type of its own counts as x-queue-type. Raises BadSyntax, too."""
    arguments = dict(item.get("arguments", {}))
    kind = item.get("type", "classic")
    if kind != "classic":
        arguments.setdefault("x-queue-type", kind)
    return tables.encode(arguments)


def table(item: Item) -> bytes:
    """The arguments of an exchange or a binding. Raises BadSyntax, too."""
    return tables.encode(item.get("arguments", {}))


def routing_key(item: Item) -> str:
    """The routing key of a binding."""
    key = _text(item, "routing_key")
    _check_length("the routing key", key)
    return key

"""Definitions as documents: everything that was declared, to be carried to another broker, and back.

1. A document is checked as a whole before anything of it is carried out: first what is declared, which may take a while,
   then at once what is done at once (users, virtual hosts, rights, parameters, policies).
2. What exists already stays as it is, except users and rights, which become what the document says.
3. The predeclared exchanges, exclusive queues and the bindings to the default exchange are in no document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from amqpd.broker import administration, governance, passwords
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.broker import Broker
from amqpd.broker.governance import VHOST_LIMITS
from amqpd.broker.parameters import OPERATOR_POLICY, set_parameter
from amqpd.broker.permissions import Permission, TopicPermission
from amqpd.broker.policies import ALL
from amqpd.broker.profile import Profile
from amqpd.broker.users import joined
from amqpd.broker.vhost import VHost
from amqpd.errors import AmqpError, PreconditionFailed
from amqpd.wire import tables
from exchanges import registry
from exchanges.base import ArgumentError, Destination
from exchanges.registry import UnknownType

Item = dict[str, Any]

SECTIONS: Final = (
    "users", "vhosts", "permissions", "topic_permissions", "parameters", "global_parameters", "policies",
    "queues", "exchanges", "bindings",
)  # fmt: skip
"""In the order in which they are carried out, bindings last."""
DECLARED: Final = ("queues", "exchanges", "bindings")
RULED: Final = ("users", "vhosts", "permissions", "topic_permissions", "parameters", "policies")
_NEEDED: Final = {
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
"""The members that an item must have, all of them texts."""
FOREIGN: Final = frozenset(("federation-upstream", "federation-upstream-set", "shovel", "mqtt"))
"""Components of plugins that are not there: their parameters are passed over."""
CLUSTER_ID: Final = "internal_cluster_id"
"""A global parameter that belongs to the broker that exported it."""
_BOOLEANS: Final = ("durable", "auto_delete", "internal", "tracing", "protected_from_deletion")


def bad(section: str, item: object, problem: str) -> PreconditionFailed:
    """The error of a document with a bad item."""
    name = item.get("name", item) if isinstance(item, dict) else item
    return PreconditionFailed(f"{section}: {name}: {problem}")


class Import:
    """A document that is carried out after it was checked."""

    def __init__(self, broker: Broker, document: dict[str, Any], vhost: str | None) -> None:
        """Vhost is where a document without virtual hosts of its own goes; None for a document of a whole broker."""
        self.broker: Final = broker
        self._document: Final = document
        self._vhost: Final = vhost
        self._items: Final[dict[str, list[Item]]] = {section: [] for section in SECTIONS}
        self._vhosts: set[str] = set()
        self._users: set[str] = set()

    @property
    def count(self) -> int:
        """How many items it has."""
        return sum([len(items) for items in self._items.values()])

    def _item(self, section: str, item: object, vhost: str | None) -> Item:
        if not isinstance(item, dict):
            raise bad(section, item, "must be an object")
        if vhost is not None:
            item = {**item, "vhost": vhost}
        for name in _NEEDED[section]:
            if not isinstance(item.get(name), str):
                raise bad(section, item, f"{name} must be a string")
        for name in _BOOLEANS:
            if not isinstance(item.get(name, False), bool):
                raise bad(section, item, f"{name} must be true or false")
        if not isinstance(item.get("arguments", {}), dict):
            raise bad(section, item, "arguments must be an object")
        return item

    # --- checking --------------------------------------------------------------------------------------------------

    def check(self) -> Iterator[None]:
        """Check the document, piece by piece. Raises PreconditionFailed, naming what is wrong."""
        for section in SECTIONS:
            items = self._items[section]
            for item in _list(self._document, section):
                items.append(self._item(section, item, self._vhost))
                yield
        if self._vhost is not None:
            for section in ("users", "vhosts", "permissions", "topic_permissions", "global_parameters"):
                self._items[section] = []
        self._note_names()
        for section in DECLARED:
            yield from self._check_section(section)
        yield from self._check_ends()
        self._note_names()
        for section in RULED:
            for _ in self._check_section(section):
                pass

    def _note_names(self) -> None:
        self._vhosts = {*self.broker.vhosts, *[item["name"] for item in self._items["vhosts"]]}
        self._users = {*self.broker.users.by_name, *[item["name"] for item in self._items["users"]]}

    def _check_section(self, section: str) -> Iterator[None]:
        checks = {
            "users": _check_user,
            "vhosts": _check_vhost,
            "permissions": self._check_permission,
            "topic_permissions": self._check_topic_permission,
            "parameters": _check_parameter,
            "policies": _check_policy,
            "queues": self._check_queue,
            "exchanges": self._check_exchange,
            "bindings": self._check_binding,
        }
        check = checks[section]
        for item in self._items[section]:
            if "vhost" in item and item["vhost"] not in self._vhosts:
                raise bad(section, item, f"no_such_vhost {item['vhost']}")
            try:
                check(item)
            except (ValueError, TypeError, KeyError, ArgumentError, UnknownType) as error:
                raise bad(section, item, str(error)) from None
            except AmqpError as error:
                raise bad(section, item, error.explanation) from None
            yield

    def _check_ends(self) -> Iterator[None]:
        names: set[tuple[str, str, str]] = set()
        for name in self._names():
            names.add(name)
            yield
        for item in self._items["bindings"]:
            _check_ends(item, names)
            yield

    def _names(self) -> Iterator[tuple[str, str, str]]:
        """Kind, virtual host and name of everything that there will be."""
        for kind, section in (("queue", "queues"), ("exchange", "exchanges")):
            for item in self._items[section]:
                yield kind, item["vhost"], item["name"]
        for vhost in list(self.broker.vhosts.values()):
            for name in list(vhost.queues):
                yield "queue", vhost.name, name
            for name in list(vhost.exchanges):
                yield "exchange", vhost.name, name

    def _check_permission(self, item: Item) -> None:
        Permission(item["configure"], item["write"], item["read"])
        self._check_known(item)

    def _check_topic_permission(self, item: Item) -> None:
        TopicPermission(item["write"], item["read"])
        self._check_known(item)

    def _check_known(self, item: Item) -> None:
        if item["user"] not in self._users:
            raise ValueError(f"there is no user {item['user']}")

    def _check_queue(self, item: Item) -> None:
        QueueArguments(queue_table(item), item["name"], item["vhost"])

    def _check_exchange(self, item: Item) -> None:
        registry.create(item.get("type", "direct"), item["name"], True, False, False, item.get("arguments", {}))

    def _check_binding(self, item: Item) -> None:
        tables.encode(item.get("arguments", {}))

    # --- carrying out ----------------------------------------------------------------------------------------------

    def carry_out(self) -> None:
        """Check and do all of it, in the open batch. Raises PreconditionFailed, naming what is wrong."""
        for _ in self.check():
            pass
        self.prepare()
        while self.go_on(self.count):
            pass

    def prepare(self) -> None:
        """Do what comes first: users, virtual hosts, rights, parameters and policies."""
        for item in self._items["users"]:
            password_hash, algorithm = _password(item)
            administration.save_user(self.broker, item["name"], password_hash, algorithm, tuple(words(item.get("tags", ""))))
        for item in self._items["vhosts"]:
            self._save_vhost(item)
        users = self.broker.users.by_name
        for item in self._items["permissions"]:
            user = users[item["user"]]
            administration.set_permission(self.broker, user, item["vhost"], item["configure"], item["write"], item["read"])
        for item in self._items["topic_permissions"]:
            administration.set_topic_permission(
                self.broker, users[item["user"]], item["vhost"], item["exchange"], item["write"], item["read"]
            )
        self._govern()

    def go_on(self, most: int) -> bool:
        """Then declare and bind up to so many of the rest; False if nothing is left."""
        acts = {"queues": self._declare_queue, "exchanges": self._declare_exchange, "bindings": self._bind}
        for section, act in acts.items():
            items = self._items[section]
            while items and most:
                item = items.pop()
                most -= 1
                vhost = self.broker.vhosts.get(item["vhost"])
                if vhost is not None:
                    act(vhost, item)
        return any(self._items[section] for section in acts)

    def _govern(self) -> None:
        vhosts = self.broker.vhosts
        for item in self._items["parameters"]:
            if item["component"] not in FOREIGN:
                set_parameter(self.broker, vhosts[item["vhost"]], item["component"], item["name"], item["value"])
        for item in self._items["global_parameters"]:
            if item["name"] != CLUSTER_ID:
                governance.set_global_parameter(self.broker, item["name"], item.get("value"))
        for item in self._items["policies"]:
            governance.set_policy(
                self.broker, vhosts[item["vhost"]], item["name"], item["pattern"], item["definition"],
                item.get("priority"), item.get("apply-to"), operator=False,
            )  # fmt: skip

    def _save_vhost(self, item: Item) -> None:
        known = self.broker.vhosts.get(item["name"])
        metadata = item.get("metadata") or {}
        told = {**metadata, **item}
        if known is not None and not told.keys() & {"description", "tags", "default_queue_type", "limits"}:
            return
        vhost = known or self.broker.add_vhost(item["name"])
        profile = Profile()
        profile.description = str(told.get("description") or "")
        profile.tags = words(told.get("tags") or "")
        profile.default_queue_type = str(told.get("default_queue_type") or "").replace("undefined", "")
        profile.tracing = bool(told.get("tracing", False))
        profile.is_protected = bool(told.get("protected_from_deletion", False))
        administration.save_profile(self.broker, vhost, profile)
        limits = _limits(item)
        if limits:
            governance.set_vhost_limits(self.broker, vhost, limits)

    def _declare_queue(self, vhost: VHost, item: Item) -> None:
        if item["name"] not in vhost.queues:
            arguments = QueueArguments(queue_table(item), item["name"], vhost.name)
            vhost.declare_queue(item["name"], item.get("durable", True), item.get("auto_delete", False), None, arguments)

    def _declare_exchange(self, vhost: VHost, item: Item) -> None:
        if item["name"] not in vhost.exchanges:
            table = tables.encode(item.get("arguments", {}))
            vhost.declare_exchange(
                item.get("type", "direct"), item["name"], item.get("durable", True), item.get("auto_delete", False),
                item.get("internal", False), table,
            )  # fmt: skip

    def _bind(self, vhost: VHost, item: Item) -> None:
        if not item["source"]:
            return
        source, destination = vhost.exchanges.get(item["source"]), self._destination(vhost, item)
        if source is not None and destination is not None:
            vhost.bind(source, destination, str(item.get("routing_key", "")), tables.encode(item.get("arguments", {})))

    def _destination(self, vhost: VHost, item: Item) -> Destination | None:
        """The destination of a binding; None if it was deleted meanwhile."""
        name: str = item["destination"]
        if item.get("destination_type") == "exchange":
            return vhost.exchanges.get(name)
        return name if name in vhost.queues else None


def _list(document: dict[str, Any], section: str) -> list[Any]:
    items = document.get(section) or []
    if not isinstance(items, list):
        raise PreconditionFailed(f"{section} must be a list")
    return items


def _check_user(item: Item) -> None:
    words(item.get("tags", ""))
    algorithm = _password(item)[1]
    if algorithm not in passwords.DIGESTS:
        raise ValueError(f"unknown hashing algorithm {algorithm}")


def _check_vhost(item: Item) -> None:
    words(item.get("tags") or "")
    if not isinstance(item.get("metadata") or {}, dict):
        raise TypeError("metadata must be an object")
    governance.check_vhost_limits(_limits(item))


def _limits(item: Item) -> dict[str, Any]:
    """The limits of a virtual host: an object, or a list of names and values. Raises TypeError."""
    given = item.get("limits") or {}
    if isinstance(given, dict):
        return given
    if not isinstance(given, list) or not all(isinstance(limit, dict) for limit in given):
        raise TypeError("limits must be an object, or a list of objects")
    return {limit["name"]: limit["value"] for limit in given if limit.keys() >= {"name", "value"}}


def _check_parameter(item: Item) -> None:
    value = item["value"]
    if item["component"] == OPERATOR_POLICY and isinstance(value, dict):
        _check_policy({**value, "name": item["name"]}, operator=True)
    elif item["component"] == VHOST_LIMITS:
        governance.check_vhost_limits(value)
    elif item["component"] not in FOREIGN:
        raise ValueError(f"component {item['component']} not found")


def _check_policy(item: Item, operator: bool = False) -> None:
    governance.check_policy(
        item["name"], item["pattern"], item["definition"], item.get("priority", 0), item.get("apply-to", ALL), operator
    )


def _check_ends(item: Item, names: set[tuple[str, str, str]]) -> None:
    """Raise PreconditionFailed unless both ends of a binding exist, or will."""
    kind = item.get("destination_type", "queue")
    if kind not in ("queue", "exchange"):
        raise bad("bindings", item, f"destination_type {kind} is neither queue nor exchange")
    for end in (("exchange", item["vhost"], item["source"]), (kind, item["vhost"], item["destination"])):
        is_predeclared = end[0] == "exchange" and (end[2] == "" or end[2].startswith("amq."))
        if end not in names and not is_predeclared:
            raise bad("bindings", item, f"no {end[0]} '{end[2]}' in vhost '{end[1]}'")


def _password(item: Item) -> tuple[str, str]:
    if isinstance(item.get("password"), str):
        return administration.hashed(item["password"]), passwords.SHA256
    # Before RabbitMQ 3.6 there was no other algorithm, and none was named.
    return str(item.get("password_hash") or ""), str(item.get("hashing_algorithm") or passwords.MD5)


def words(value: object) -> list[str]:
    """Tags: a list, or a text with commas. Raises TypeError, ValueError."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise TypeError("tags must be strings")
    joined(parts)
    return [part.strip() for part in parts if part.strip()]


def queue_table(item: Item) -> bytes:
    """The arguments of a queue; a type of its own counts as x-queue-type."""
    arguments = dict(item.get("arguments", {}))
    kind = item.get("type", "classic")
    if kind != "classic":
        arguments.setdefault("x-queue-type", kind)
    return tables.encode(arguments)

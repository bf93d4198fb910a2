"""Definitions as documents: everything that was declared, to be carried to another broker, and back.

1. A document is checked as a whole before anything of it is carried out. Both take a while, in which others change things,
   too: what needs a user, a virtual host or an end of a binding that has gone meanwhile is passed over.
2. What exists already stays as it is, except users and rights, which become what the document says.
3. The predeclared exchanges, exclusive queues and the bindings to the default exchange are in no document.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

from amqpd.broker import administration, duplicate_gate, governance, items
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.broker import Broker
from amqpd.broker.duplicate_gate import DuplicateGate
from amqpd.broker.items import FOREIGN, NEEDED, Item
from amqpd.broker.parameters import set_parameter
from amqpd.broker.permissions import Permission, TopicPermission
from amqpd.broker.vhost import PREDECLARED, VHost
from amqpd.errors import AmqpError, PreconditionFailed
from amqpd.wire import tables
from exchanges import registry
from exchanges.base import ArgumentError, Destination, Exchange
from exchanges.registry import UnknownType

SECTIONS: Final = (
    "users", "vhosts", "permissions", "topic_permissions", "parameters", "global_parameters", "policies",
    "queues", "exchanges", "bindings",
)  # fmt: skip
"""In the order in which they are carried out, bindings last."""
DECLARED: Final = ("queues", "exchanges", "bindings")
RULED: Final = ("users", "vhosts", "permissions", "topic_permissions", "parameters", "policies")
CLUSTER_ID: Final = "internal_cluster_id"
"""A global parameter that belongs to the broker that exported it."""
_PREDECLARED: Final = {name: kind for name, kind, _ in PREDECLARED}


def bad(section: str, item: object, problem: str) -> PreconditionFailed:
    """The error of a document with a bad item, which is told of by its names: other members may be secrets."""
    if isinstance(item, dict):
        texts = {name: item[name] for name in NEEDED[section] if isinstance(item.get(name), str)}
        return PreconditionFailed(f"{section}: {texts.get('name', texts)}: {problem}")
    return PreconditionFailed(f"{section}: {reprlib.repr(item)}: {problem}")


@contextmanager
def _naming(section: str, item: Item) -> Iterator[None]:
    """Whatever cannot be done within is told as the error of a document with a bad item."""
    try:
        yield
    except (ValueError, TypeError, RecursionError, ArgumentError, UnknownType) as error:
        raise bad(section, item, str(error)) from None
    except KeyError as error:
        raise bad(section, item, f"{error.args[0]} is missing") from None
    except AmqpError as error:
        raise bad(section, item, error.explanation) from None


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
        self._exchanges: Final[dict[tuple[str, str], Exchange]] = {}
        """What its exchanges would be, by virtual host and name."""

    def _item(self, section: str, item: object, vhost: str | None) -> Item:
        if not isinstance(item, dict):
            raise bad(section, item, "must be an object")
        if vhost is not None:
            item = {**item, "vhost": vhost}
        with _naming(section, item):
            items.check_members(section, item)
        return item

    # --- checking --------------------------------------------------------------------------------------------------

    def check(self) -> Iterator[None]:
        """Check the document, piece by piece. Raises PreconditionFailed, naming what is wrong."""
        for section in SECTIONS:
            for item in _list(self._document, section):
                self._items[section].append(self._item(section, item, self._vhost))
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
            yield from self._check_section(section)

    def _note_names(self) -> None:
        self._vhosts = {*self.broker.vhosts, *[item["name"] for item in self._items["vhosts"]]}
        self._users = {*self.broker.users.by_name, *[item["name"] for item in self._items["users"]]}

    def _check_section(self, section: str) -> Iterator[None]:
        checks = {
            "users": items.check_user,
            "vhosts": items.check_vhost,
            "permissions": self._check_permission,
            "topic_permissions": self._check_topic_permission,
            "parameters": items.check_parameter,
            "policies": items.check_policy,
            "queues": self._check_queue,
            "exchanges": self._check_exchange,
            "bindings": self._check_binding,
        }
        check = checks[section]
        for item in self._items[section]:
            if "vhost" in item and item["vhost"] not in self._vhosts:
                raise bad(section, item, f"no_such_vhost {item['vhost']}")
            with _naming(section, item):
                check(item)
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
        QueueArguments(items.queue_table(item), item["name"], item["vhost"])

    def _check_exchange(self, item: Item) -> None:
        arguments = tables.decode(items.table(item))
        exchange = registry.create(item.get("type", "direct"), item["name"], True, False, False, arguments)
        if duplicate_gate.is_wanted(exchange):
            DuplicateGate(exchange, self.broker.clock)
        self._exchanges.setdefault((item["vhost"], item["name"]), exchange)

    def _check_binding(self, item: Item) -> None:
        arguments, routing_key = tables.decode(items.table(item)), items.routing_key(item)
        source = self._source(item["vhost"], item["source"])
        if source is not None:
            source.check_binding(routing_key, arguments)

    def _source(self, vhost: str, name: str) -> Exchange | None:
        """The exchange that a binding would come from; None for the default one, and for one that there will not be."""
        if not name:
            return None
        known = self.broker.vhosts[vhost].exchanges.get(name) if vhost in self.broker.vhosts else None
        found = known or self._exchanges.get((vhost, name))
        if found is None and name in _PREDECLARED:
            return registry.create(_PREDECLARED[name], name)
        return found

    # --- carrying out ----------------------------------------------------------------------------------------------

    def carry_out(self) -> None:
        """Check and do all of it, in the open batch. Raises PreconditionFailed, naming what is wrong."""
        for _ in chain(self.check(), self.steps()):
            pass

    def steps(self) -> Iterator[None]:
        """Do it, piece by piece, after it was checked. Raises PreconditionFailed for what cannot be done any more."""
        acts = {"users": self._save_user, "vhosts": self._save_vhost, "global_parameters": self._set_global_parameter}
        acts_within = {
            "permissions": self._permit, "topic_permissions": self._permit_topics, "parameters": self._set_parameter,
            "policies": self._set_policy, "queues": self._declare_queue, "exchanges": self._declare_exchange,
            "bindings": self._bind,
        }  # fmt: skip
        for section in SECTIONS:
            for item in self._items[section]:
                vhost = self.broker.vhosts.get(item.get("vhost", ""))
                with _naming(section, item):
                    if section in acts:
                        acts[section](item)
                    elif vhost is not None:
                        acts_within[section](vhost, item)
                yield

    def _save_user(self, item: Item) -> None:
        password_hash, algorithm = items.password(item)
        tags = tuple(items.words(item.get("tags", "")))
        administration.save_user(self.broker, item["name"], password_hash, algorithm, tags)

    def _permit(self, vhost: VHost, item: Item) -> None:
        user = self.broker.users.by_name.get(item["user"])
        if user is not None:
            administration.set_permission(self.broker, user, vhost.name, item["configure"], item["write"], item["read"])

    def _permit_topics(self, vhost: VHost, item: Item) -> None:
        user = self.broker.users.by_name.get(item["user"])
        if user is not None:
            administration.set_topic_permission(
                self.broker, user, vhost.name, item["exchange"], item["write"], item["read"]
            )  # fmt: skip

    def _set_parameter(self, vhost: VHost, item: Item) -> None:
        if item["component"] not in FOREIGN:
            set_parameter(self.broker, vhost, item["component"], item["name"], item["value"])

    def _set_global_parameter(self, item: Item) -> None:
        if item["name"] != CLUSTER_ID:
            governance.set_global_parameter(self.broker, item["name"], item.get("value"))

    def _set_policy(self, vhost: VHost, item: Item) -> None:
        governance.set_policy(
            self.broker, vhost, item["name"], item["pattern"], item["definition"], item.get("priority"),
            item.get("apply-to"), operator=False,
        )  # fmt: skip

    def _save_vhost(self, item: Item) -> None:
        known = self.broker.vhosts.get(item["name"])
        if known is not None and not items.told_of(item).keys() & {"description", "tags", "default_queue_type", "limits"}:
            return
        vhost = known or self.broker.add_vhost(item["name"])
        administration.save_profile(self.broker, vhost, items.profile(item))
        limits = items.limits(item)
        if limits:
            governance.set_vhost_limits(self.broker, vhost, limits)

    def _declare_queue(self, vhost: VHost, item: Item) -> None:
        if item["name"] not in vhost.queues:
            arguments = QueueArguments(items.queue_table(item), item["name"], vhost.name)
            vhost.declare_queue(item["name"], item.get("durable", True), item.get("auto_delete", False), None, arguments)

    def _declare_exchange(self, vhost: VHost, item: Item) -> None:
        if item["name"] not in vhost.exchanges:
            vhost.declare_exchange(
                item.get("type", "direct"), item["name"], item.get("durable", True), item.get("auto_delete", False),
                item.get("internal", False), items.table(item),
            )  # fmt: skip

    def _bind(self, vhost: VHost, item: Item) -> None:
        if not item["source"]:
            return
        source, destination = vhost.exchanges.get(item["source"]), self._destination(vhost, item)
        if source is not None and destination is not None:
            vhost.bind(source, destination, items.routing_key(item), items.table(item))

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


def _check_ends(item: Item, names: set[tuple[str, str, str]]) -> None:
    """Raise PreconditionFailed unless both ends of a binding exist, or will."""
    kind = item.get("destination_type", "queue")
    if kind not in ("queue", "exchange"):
        raise bad("bindings", item, f"destination_type {kind} is neither queue nor exchange")
    for end in (("exchange", item["vhost"], item["source"]), (kind, item["vhost"], item["destination"])):
        is_predeclared = end[0] == "exchange" and (end[2] == "" or end[2].startswith("amq."))
        if end not in names and not is_predeclared:
            raise bad("bindings", item, f"no {end[0]} '{end[2]}' in vhost '{end[1]}'")

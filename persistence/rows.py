"""The rows of a broker's definitions, one class a table; equal keys mean the same thing, replaced by saving it again.

A text may hold any bytes, decoded as UTF-8 with surrogateescape. JSON and argument tables are stored as they are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    """The fields that tell rows of the table apart."""


@dataclass(frozen=True, slots=True)
class VHost(Row):
    """A virtual host; tags are separated by commas, metadata is JSON."""

    TABLE: ClassVar[str] = "vhosts"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    name: str
    description: str = ""
    tags: str = ""
    default_queue_type: str = ""
    metadata: str = "{}"


@dataclass(frozen=True, slots=True)
class User(Row):
    """A user; tags are separated by commas."""

    TABLE: ClassVar[str] = "users"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    name: str
    password_hash: str
    hashing_algorithm: str
    tags: str


@dataclass(frozen=True, slots=True)
class Permission(Row):
    """What a user may do in a virtual host, as regular expressions."""

    TABLE: ClassVar[str] = "permissions"
    KEY: ClassVar[tuple[str, ...]] = ("user", "vhost")
    user: str
    vhost: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class TopicPermission(Row):
    """Which routing keys a user may use at a topic exchange, as regular expressions."""

    TABLE: ClassVar[str] = "topic_permissions"
    KEY: ClassVar[tuple[str, ...]] = ("user", "vhost", "exchange")
    user: str
    vhost: str
    exchange: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class Exchange(Row):
    """A durable exchange; arguments are an encoded table. Its id, of those of queues, names its calendar; 0: it has none."""

    TABLE: ClassVar[str] = "exchanges"
    KEY: ClassVar[tuple[str, ...]] = ("vhost", "name")
    vhost: str
    name: str
    type: str
    durable: bool
    auto_delete: bool
    internal: bool
    arguments: bytes
    id: int


@dataclass(frozen=True, slots=True)
class Queue(Row):
    """A queue; its id names it in the message store and is never given to another queue."""

    TABLE: ClassVar[str] = "queues"
    KEY: ClassVar[tuple[str, ...]] = ("vhost", "name")
    vhost: str
    name: str
    id: int
    durable: bool
    exclusive: bool
    auto_delete: bool
    arguments: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Binding(Row):
    """A binding of a queue or an exchange (destination_kind) to an exchange."""

    TABLE: ClassVar[str] = "bindings"
    KEY: ClassVar[tuple[str, ...]] = ("vhost", "source", "destination", "destination_kind", "routing_key", "arguments")
    vhost: str
    source: str
    destination: str
    destination_kind: str
    routing_key: str
    arguments: bytes


@dataclass(frozen=True, slots=True)
class Policy(Row):
    """A policy or an operator policy; its definition is JSON."""

    TABLE: ClassVar[str] = "policies"
    KEY: ClassVar[tuple[str, ...]] = ("vhost", "name", "operator")
    vhost: str
    name: str
    pattern: str
    apply_to: str
    priority: float
    definition: str
    operator: bool


@dataclass(frozen=True, slots=True)
class Parameter(Row):
    """A runtime parameter, or one of no virtual host if vhost is empty; its value is JSON."""

    TABLE: ClassVar[str] = "parameters"
    KEY: ClassVar[tuple[str, ...]] = ("component", "vhost", "name")
    component: str
    vhost: str
    name: str
    value: str


ROWS: tuple[type[Row], ...] = (
    VHost, User, Permission, TopicPermission, Exchange, Queue, Binding, Policy, Parameter,
)  # fmt: skip

"""What every exchange is: a name, its properties and its bindings.

1. Two bindings of one exchange differ in destination, routing key or arguments; their order is no difference.
2. The generation grows with each binding that is added or removed, and with nothing else.
3. A type's own index is kept by `_added` and `_removed` alone: each binding is told once to each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeAlias

from mypy_extensions import mypyc_attr

from exchanges.values import identity, type_name

Destination: TypeAlias = "str | Exchange"
"""A queue, by its name, or an exchange that is bound to another exchange."""

BindingKey: TypeAlias = tuple[str, str, str, str]
"""The identity of a binding within its source: kind and name of the destination, routing key, identity of the arguments."""


class ArgumentError(Exception):
    """An argument of a declare, bind or publish is not acceptable; the text explains it as RabbitMQ's 406 does."""


def binding_key(destination: Destination, routing_key: str, arguments: dict[str, object]) -> BindingKey:
    """The identity of a binding, see invariant 1."""
    if isinstance(destination, str):
        return ("queue", destination, routing_key, identity(arguments))
    return ("exchange", destination.name, routing_key, identity(arguments))


class Binding:
    """One rule that leads from an exchange to a destination; it never changes."""

    __slots__ = ("arguments", "destination", "key", "routing_key", "source")

    def __init__(
        self,
        source: Exchange,
        destination: Destination,
        routing_key: str,
        arguments: dict[str, object],
        key: BindingKey,
    ) -> None:
        self.source = source
        self.destination = destination
        self.routing_key = routing_key
        self.arguments = arguments
        self.key = key


@mypyc_attr(allow_interpreted_subclasses=True)
class Exchange:
    """Routes messages to destinations by its bindings; each exchange type is a subclass.

    A subclass gives `type` and `match`, and sets its flags in `_set_up`. All allow interpreted subclasses: mypyc initialises
    others twice if they are called by their class (without an `__init__` of their own), and loses what it set first.
    """

    type: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
        arguments: dict[str, object] | None = None,
    ) -> None:
        """Raises ArgumentError if the arguments do not suit the type."""
        self.name = name
        self.durable = durable
        self.auto_delete = auto_delete
        self.internal = internal
        self.arguments: dict[str, object] = arguments or {}
        self.alternate: str | None = _alternate(name, self.arguments)
        # The route depends on the routing key alone, so callers may cache it.
        self.routes_by_key = True
        # Each routing key of a message, also those in CC and BCC, is matched for itself; else only the first one is.
        self.matches_each_key = True
        # The caller puts the message's properties into the headers, each under property_header(name).
        self.wants_properties = False
        # Its owner wants to see each message before it is matched (`Gatekeeper`).
        self.gated = False
        self.generation = 0
        self.was_bound = False
        self.bindings: dict[BindingKey, Binding] = {}
        self.exchange_destinations: dict[Exchange, None] = {}
        self._by_destination: dict[Destination, dict[BindingKey, Binding]] = {}
        self._set_up()

    @property
    def in_use(self) -> bool:
        """True while it is the source of a binding."""
        return bool(self.bindings)

    def check_binding(self, routing_key: str, arguments: dict[str, object]) -> None:
        """Raises ArgumentError if `bind` would not accept such a binding."""
        self._check(routing_key, arguments)

    def bind(self, destination: Destination, routing_key: str, arguments: dict[str, object]) -> Binding | None:
        """Adds a binding; None if the same one exists already. Raises ArgumentError if the type does not accept it."""
        key = binding_key(destination, routing_key, arguments)
        if key in self.bindings:
            return None
        self._check(routing_key, arguments)
        binding = Binding(self, destination, routing_key, arguments, key)
        self.bindings[key] = binding
        siblings = self._by_destination.get(destination)
        if siblings is None:
            siblings = self._by_destination[destination] = {}
            if isinstance(destination, Exchange):
                self.exchange_destinations[destination] = None
        siblings[key] = binding
        self.was_bound = True
        self.generation += 1
        self._added(binding)
        return binding

    def unbind(self, destination: Destination, routing_key: str, arguments: dict[str, object]) -> Binding | None:
        """Removes a binding; None if there is no such one."""
        binding = self.bindings.get(binding_key(destination, routing_key, arguments))
        if binding is None:
            return None
        siblings = self._by_destination[binding.destination]
        del siblings[binding.key]
        if not siblings:
            self._forget(binding.destination)
        self._remove(binding)
        return binding

    def unbind_all(self, destination: Destination) -> list[Binding]:
        """Removes all bindings to a destination that is going away, in time of their number alone."""
        siblings = self._by_destination.get(destination)
        if siblings is None:
            return []
        self._forget(destination)
        removed = list(siblings.values())
        for binding in removed:
            self._remove(binding)
        return removed

    def leads_to(self, destination: Destination) -> bool:
        """True while there is a binding to the destination."""
        return destination in self._by_destination

    def bindings_to(self, destination: Destination) -> list[Binding]:
        """All bindings to a destination."""
        return list(self._by_destination.get(destination, {}).values())

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The destinations of a message, in any order, some perhaps twice; valid until the next bind or unbind."""
        raise NotImplementedError

    def _set_up(self) -> None:
        """Called once, by __init__, to set flags and make the index; raises ArgumentError for bad arguments."""

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        """Called before a binding is added; raises ArgumentError to refuse it."""

    def _added(self, binding: Binding) -> None:
        """Called after a binding was added, to index it."""

    def _removed(self, binding: Binding) -> None:
        """Called after a binding was removed, to drop it from the index."""

    def _forget(self, destination: Destination) -> None:
        del self._by_destination[destination]
        if isinstance(destination, Exchange):
            del self.exchange_destinations[destination]

    def _remove(self, binding: Binding) -> None:
        del self.bindings[binding.key]
        self.generation += 1
        self._removed(binding)


def property_header(name: str) -> str:
    """Where an exchange that wants properties finds a message's property among the headers."""
    return "\0property:" + name


def _alternate(name: str, arguments: dict[str, object]) -> str | None:
    alternate = arguments.get("alternate-exchange", "")
    if not isinstance(alternate, str):
        raise ArgumentError(f"invalid type '{type_name(alternate)}' for arg 'alternate-exchange' in exchange '{name}'")
    return alternate or None

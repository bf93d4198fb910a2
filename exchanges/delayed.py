"""The delayed message exchange: routes as an exchange of another type does, but not before a message is due.

It knows where messages go; its owner knows when, and keeps them until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError, Binding, Destination, Exchange


@mypyc_attr(allow_interpreted_subclasses=True)
class DelayedExchange(Exchange):
    """Leaves routing to an exchange of the type that the argument x-delayed-type names; `route_like` gives it one."""

    type: ClassVar[str] = "x-delayed-message"

    def _set_up(self) -> None:
        delayed_type = self.arguments.get("x-delayed-type")
        if not isinstance(delayed_type, str):
            raise ArgumentError("Invalid argument, 'x-delayed-type' must be an existing exchange type")
        if delayed_type == self.type:
            raise ArgumentError("Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'")
        self.delayed_type = delayed_type
        self._inner: Exchange = Exchange(self.name)

    def route_like(self, inner: Exchange) -> None:
        """Route as this exchange, which has no bindings yet and belongs to nobody else."""
        self._inner = inner
        self.routes_by_key = inner.routes_by_key
        self.matches_each_key = inner.matches_each_key
        self.wants_properties = inner.wants_properties

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """What the inner exchange matches."""
        return self._inner.match(routing_key, headers)

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        self._inner.check_binding(routing_key, arguments)

    def _added(self, binding: Binding) -> None:
        self._inner.bind(binding.destination, binding.routing_key, binding.arguments)

    def _removed(self, binding: Binding) -> None:
        self._inner.unbind(binding.destination, binding.routing_key, binding.arguments)

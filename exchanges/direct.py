"""The direct exchange: the routing key equals the binding key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from mypy_extensions import mypyc_attr

from exchanges import destinations
from exchanges.base import Binding, Destination, Exchange
from exchanges.destinations import CountedDestinations


@mypyc_attr(allow_interpreted_subclasses=True)
class DirectExchange(Exchange):
    """Routes to the destinations bound with exactly the routing key; AMQP 0-9-1 section 3.1.3.1."""

    type: ClassVar[str] = "direct"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The destinations bound with this key."""
        return self._by_key.get(routing_key, ())

    def _set_up(self) -> None:
        self._by_key: dict[str, CountedDestinations] = {}

    def _added(self, binding: Binding) -> None:
        bound = self._by_key.get(binding.routing_key)
        if bound is None:
            bound = self._by_key[binding.routing_key] = {}
        destinations.add(bound, binding.destination)

    def _removed(self, binding: Binding) -> None:
        bound = self._by_key[binding.routing_key]
        destinations.remove(bound, binding.destination)
        if not bound:
            del self._by_key[binding.routing_key]

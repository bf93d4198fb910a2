"""The fanout exchange: everything goes to everyone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from mypy_extensions import mypyc_attr

from exchanges import destinations
from exchanges.base import Binding, Destination, Exchange
from exchanges.destinations import CountedDestinations


@mypyc_attr(allow_interpreted_subclasses=True)
class FanoutExchange(Exchange):
    """Routes to all its destinations; AMQP 0-9-1 section 3.1.3.2."""

    type: ClassVar[str] = "fanout"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """All destinations."""
        return self._bound

    def _set_up(self) -> None:
        self.matches_each_key = False
        self._bound: CountedDestinations = {}

    def _added(self, binding: Binding) -> None:
        destinations.add(self._bound, binding.destination)

    def _removed(self, binding: Binding) -> None:
        destinations.remove(self._bound, binding.destination)

"""From an exchange to queues: through exchange-to-exchange bindings and alternate exchanges.

1. Each exchange is visited once per message, so cycles of bindings or alternates end.
2. At each exchange visited, if no queue and no exchange matched, its alternate exchange is visited, if that exists.
3. A queue is named once, however many ways lead to it.
4. A message that a gatekeeper does not admit to an exchange goes neither to its bindings nor to its alternate.
"""

from __future__ import annotations

from collections.abc import Sequence

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError, Exchange
from exchanges.values import type_name


@mypyc_attr(allow_interpreted_subclasses=True)
class Gatekeeper:
    """Stands at the gated exchanges on the way of one message."""

    def admits(self, exchange: Exchange) -> bool:
        """Called before a gated exchange is matched; False if the message goes no further here."""
        raise NotImplementedError


class Reach:
    """What all exchanges that a message may come to look at."""

    __slots__ = ("by_key", "gated", "wants_properties")

    def __init__(self, by_key: bool, gated: bool, wants_properties: bool) -> None:
        self.by_key = by_key
        """True if a route depends on the routing keys alone, so that it can be kept."""
        self.gated = gated
        """True if a message may come to a gate."""
        self.wants_properties = wants_properties
        """True if one looks at properties, which `Router.route` then needs among the headers."""


class Router:
    """Finds the queues of a message among the exchanges of one virtual host."""

    __slots__ = ("_exchanges",)

    def __init__(self, exchanges: dict[str, Exchange]) -> None:
        """Takes the exchanges by name; the dictionary stays the caller's, who may change it at any time."""
        self._exchanges = exchanges

    def route(
        self, exchange: Exchange, routing_keys: Sequence[str], headers: dict[str, object], gatekeeper: Gatekeeper | None = None
    ) -> list[str]:
        """The names of the queues for a message with at least one routing key, each once; without a keeper gates stand open."""
        queues: dict[str, None] = {}
        visited = {exchange}
        pending = [exchange]
        while pending:
            source = pending.pop()
            if source.gated and gatekeeper is not None and not gatekeeper.admits(source):
                continue
            found: list[Exchange] = []
            if not _match(source, routing_keys, headers, queues, found):
                found += self._alternates(source)
            for exchange_found in found:
                if exchange_found not in visited:
                    visited.add(exchange_found)
                    pending.append(exchange_found)
        return list(queues)

    def reachable(self, exchange: Exchange) -> set[Exchange]:
        """The exchange and all that its messages may pass, by bindings and as alternates."""
        reached = {exchange}
        pending = [exchange]
        while pending:
            source = pending.pop()
            following = [*source.exchange_destinations, *self._alternates(source)]
            pending += [found for found in following if found not in reached]
            reached.update(following)
        return reached

    def reach(self, exchange: Exchange, passed: Exchange | None = None) -> Reach:
        """What a message from here may depend on; the gate of an exchange that it passed is open.

        It stays valid while the generation and the alternate of each reachable exchange stay, and no exchange is
        declared or deleted.
        """
        reached = self.reachable(exchange)
        gated = any(found.gated and found is not passed for found in reached)
        by_key = not gated and all(found.routes_by_key for found in reached)
        return Reach(by_key, gated, any(found.wants_properties for found in reached))

    def _alternates(self, exchange: Exchange) -> list[Exchange]:
        """The alternate exchange, if one is set and exists."""
        alternate = self._exchanges.get(exchange.alternate) if exchange.alternate else None
        return [] if alternate is None else [alternate]


def routing_keys(routing_key: str, headers: dict[str, object]) -> list[str]:
    """The routing key of a message and those in its CC and BCC headers. Raises ArgumentError if these are no arrays."""
    keys = [routing_key]
    for name in ("CC", "BCC"):
        if name not in headers:
            continue
        more = headers[name]
        if not isinstance(more, list):
            raise ArgumentError(f'invalid message: {{unacceptable_type_in_header,"{name}",{type_name(more)}}}')
        keys += [key for key in more if isinstance(key, str)]
    return keys


def _match(
    source: Exchange, keys: Sequence[str], headers: dict[str, object], queues: dict[str, None], found: list[Exchange]
) -> bool:
    """Adds what one exchange matches to queues and found; False if that is nothing."""
    matched = False
    for key in keys if source.matches_each_key else keys[:1]:
        for destination in source.match(key, headers):
            matched = True
            if isinstance(destination, str):
                queues[destination] = None
            else:
                found.append(destination)
    return matched

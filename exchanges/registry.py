"""The exchange types by name: the built-in ones, and others that installed packages offer as entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import Final

from exchanges.base import Exchange
from exchanges.delayed import DelayedExchange
from exchanges.direct import DirectExchange
from exchanges.fanout import FanoutExchange
from exchanges.hashing import ConsistentHashExchange, LocalRandomExchange, ModulusHashExchange, RandomExchange
from exchanges.headers import HeadersExchange
from exchanges.recent_history import RecentHistoryExchange
from exchanges.topic import TopicExchange

ENTRY_POINT_GROUP: Final = "amqpd.exchanges"

_types: dict[str, type[Exchange]] = {
    "direct": DirectExchange,
    "fanout": FanoutExchange,
    "headers": HeadersExchange,
    "topic": TopicExchange,
    "x-consistent-hash": ConsistentHashExchange,
    "x-delayed-message": DelayedExchange,
    "x-local-random": LocalRandomExchange,
    "x-modulus-hash": ModulusHashExchange,
    "x-random": RandomExchange,
    "x-recent-history": RecentHistoryExchange,
}


class UnknownType(Exception):
    """No exchange type has this name, or the entry point that offers it is broken; the text says which."""

    def __init__(self, type_name: str, reason: str = "") -> None:
        super().__init__(
            f"{'unknown' if type_name else 'invalid'} exchange type '{type_name}'" + (f": {reason}" if reason else "")
        )
        self.type_name = type_name


def create(
    type_name: str,
    name: str,
    durable: bool = False,
    auto_delete: bool = False,
    internal: bool = False,
    arguments: dict[str, object] | None = None,
) -> Exchange:
    """A new exchange of the type. Raises UnknownType, or ArgumentError if the arguments do not suit the type."""
    exchange = find(type_name)(name, durable, auto_delete, internal, arguments)
    if isinstance(exchange, DelayedExchange):
        exchange.route_like(create(exchange.delayed_type, name, arguments=arguments))
    return exchange


def find(type_name: str) -> type[Exchange]:
    """The class of exchanges of the type. Raises UnknownType."""
    exchange_type = _types.get(type_name)
    if exchange_type is None:
        exchange_type = _types[type_name] = _load(type_name)
    return exchange_type


def known_types() -> list[str]:
    """The names of all types, sorted, without loading those that entry points offer."""
    return sorted({*_types, *offered().names})


@cache
def offered() -> EntryPoints:
    """What installed packages offer; read once, for it takes a look into every one of them."""
    return entry_points(group=ENTRY_POINT_GROUP)


def _load(type_name: str) -> type[Exchange]:
    for entry_point in offered().select(name=type_name):
        try:
            loaded: object = entry_point.load()
        except Exception as error:
            raise UnknownType(type_name, f"{entry_point.value} does not load: {error!r}") from error
        if isinstance(loaded, type) and issubclass(loaded, Exchange):
            return loaded
        raise UnknownType(type_name, f"{entry_point.value} is not an Exchange")
    raise UnknownType(type_name)

"""Exchanges that spread messages: each message goes to one destination, picked by a hash or at random.

1. A hash depends on the message alone: the same message picks the same destination after a restart and on any machine.
2. With n equal destinations, one more takes about 1/(n+1) of the hashes of each, and moves no others (jump hash).
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Iterable
from hashlib import blake2b
from itertools import accumulate
from typing import ClassVar, Final

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError, Destination, Exchange, property_header
from exchanges.values import term

MAX_WEIGHT: Final = 65_535
HASHABLE_PROPERTIES: Final = ("correlation_id", "message_id", "timestamp")


@mypyc_attr(allow_interpreted_subclasses=True)
class SpreadingExchange(Exchange):
    """Picks one of its destinations; a subclass lists them whenever the bindings changed."""

    def _set_up(self) -> None:
        self.matches_each_key = False
        self._destinations: list[Destination] = []
        self._listed_generation = 0

    def _list_destinations(self) -> None:
        """Called before a match if bindings have changed, to list the destinations anew."""
        raise NotImplementedError

    def _listed(self) -> list[Destination]:
        if self._listed_generation != self.generation:
            self._list_destinations()
            self._listed_generation = self.generation
        return self._destinations


@mypyc_attr(allow_interpreted_subclasses=True)
class ConsistentHashExchange(SpreadingExchange):
    """Picks by the hash of the routing key, a header or a property; the binding key is the destination's weight."""

    type: ClassVar[str] = "x-consistent-hash"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """One destination, as likely as its weight says."""
        listed = self._listed()
        if not listed:
            return ()
        hashed = routing_key if self._hash_field is None else headers.get(self._hash_field)
        bucket = jump(digest("" if hashed is None else str(hashed)), self._ends[-1])
        return (listed[bisect_right(self._ends, bucket)],)

    def _set_up(self) -> None:
        super()._set_up()
        self._hash_field = _hash_field(self.arguments)
        self._ends: list[int] = []
        self.routes_by_key = self._hash_field is None
        self.wants_properties = "hash-property" in self.arguments

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        if re.fullmatch(r"[+-]?[0-9]+", routing_key) is None:
            raise ArgumentError(f"The binding key must be an integer: {term(routing_key)}")
        weight = int(routing_key)
        if weight < 1:
            raise ArgumentError("The binding key must be greater than 0")
        if weight > MAX_WEIGHT:
            raise ArgumentError(f"The binding key must not exceed {MAX_WEIGHT}")

    def _list_destinations(self) -> None:
        # Only the first binding of a destination counts.
        weights: dict[Destination, int] = {}
        for binding in self.bindings.values():
            weights.setdefault(binding.destination, int(binding.routing_key))
        self._destinations = list(weights)
        self._ends = list(accumulate(weights.values()))


@mypyc_attr(allow_interpreted_subclasses=True)
class ModulusHashExchange(SpreadingExchange):
    """Picks by the routing key's hash modulo the number of destinations, which stand in the order of their names."""

    type: ClassVar[str] = "x-modulus-hash"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """One destination, the same for each routing key while the bindings stay."""
        listed = self._listed()
        return (listed[digest(routing_key) % len(listed)],) if listed else ()

    def _list_destinations(self) -> None:
        named = {binding.key[:2]: binding.destination for binding in self.bindings.values()}
        self._destinations = [named[kind_and_name] for kind_and_name in sorted(named)]


@mypyc_attr(allow_interpreted_subclasses=True)
class RandomExchange(SpreadingExchange):
    """Picks one binding at random, each as likely as another."""

    type: ClassVar[str] = "x-random"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The destination of one binding."""
        listed = self._listed()
        return (random.choice(listed),) if listed else ()  # noqa: S311 - nothing secret is drawn here

    def _set_up(self) -> None:
        super()._set_up()
        self.routes_by_key = False

    def _list_destinations(self) -> None:
        self._destinations = [binding.destination for binding in self.bindings.values()]


@mypyc_attr(allow_interpreted_subclasses=True)
class LocalRandomExchange(RandomExchange):
    """Picks as a random exchange does, among the queues of this node: with one node, among all; takes no binding keys."""

    type: ClassVar[str] = "x-local-random"

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        if routing_key:
            raise ArgumentError(f"Non empty binding '{routing_key}' key not permitted")


def digest(text: str) -> int:
    """A 64-bit hash of a text that may hold any characters."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def jump(hashed: int, buckets: int) -> int:
    """The bucket, from 0 to buckets - 1, of a 64-bit hash: jump consistent hash, Lamping and Veach 2014."""
    bucket = following = 0
    while following < buckets:
        bucket = following
        hashed = (hashed * 2_862_933_555_777_941_757 + 1) & 0xFFFF_FFFF_FFFF_FFFF
        following = ((bucket + 1) << 31) // ((hashed >> 33) + 1)
    return bucket


def _hash_field(arguments: dict[str, object]) -> str | None:
    """The header that is hashed; None for the routing key."""
    for argument in ("hash-header", "hash-property"):
        if argument in arguments and not isinstance(arguments[argument], str):
            raise ArgumentError(f"{argument} must be a string")
    if "hash-header" in arguments and "hash-property" in arguments:
        raise ArgumentError("hash-header and hash-property are mutually exclusive")
    if "hash-property" in arguments:
        name = str(arguments["hash-property"])
        if name not in HASHABLE_PROPERTIES:
            raise ArgumentError(f"Unsupported property: {name}")
        return property_header(name)
    return str(arguments["hash-header"]) if "hash-header" in arguments else None

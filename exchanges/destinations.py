"""Counted destinations: how many bindings of one index entry lead to each destination."""

from __future__ import annotations

from typing import TypeAlias

from exchanges.base import Destination

CountedDestinations: TypeAlias = dict[Destination, int]


def add(destinations: CountedDestinations, destination: Destination) -> None:
    """Counts one more binding to the destination."""
    destinations[destination] = destinations.get(destination, 0) + 1


def remove(destinations: CountedDestinations, destination: Destination) -> None:
    """Counts one binding less; the destination is gone with its last one."""
    count = destinations[destination] - 1
    if count:
        destinations[destination] = count
    else:
        del destinations[destination]

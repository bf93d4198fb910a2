"""A gate that stops messages which an exchange has seen before (x-message-deduplication on any exchange)."""

from __future__ import annotations

from typing import Final

from amqpd.broker.clock import Clock
from amqpd.broker.duplicate_filter import CACHE_SIZE, CACHE_TTL, DEDUPLICATION, HEADER, DuplicateFilter
from amqpd.broker.gate import Gate, Passage
from exchanges.base import ArgumentError, Exchange
from exchanges.values import type_name


class DuplicateGate(Gate):
    """Lets each identified message through once."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        """Raises ArgumentError."""
        _check(exchange.arguments)
        self.filter: Final = DuplicateFilter(exchange.arguments, clock)

    def admit(self, passage: Passage) -> bool:
        """See `Gate.admit`; a duplicate is confirmed no earlier than what it repeats."""
        is_duplicate = self.filter.is_duplicate(passage.headers)
        if self.filter.calendar is not None and self.filter.header in passage.headers:
            passage.stored = True
        return not is_duplicate

    def rejected(self, passage: Passage) -> None:
        """See `Gate.rejected`."""
        self.filter.forget(passage.headers)


def is_wanted(exchange: Exchange) -> bool:
    """Whether the exchange was declared with deduplication. Raises ArgumentError."""
    value = exchange.arguments.get(DEDUPLICATION, False)
    if not isinstance(value, bool):
        raise ArgumentError(f"Invalid argument, '{DEDUPLICATION}' must be a boolean, not {type_name(value)}")
    return value


def _check(arguments: dict[str, object]) -> None:
    for name in (CACHE_SIZE, CACHE_TTL):
        value = arguments.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ArgumentError(f"Invalid argument, '{name}' must be a positive integer")
    if not isinstance(arguments.get(HEADER, ""), str):
        raise ArgumentError(f"Invalid argument, '{HEADER}' must be a string")

"""The headers exchange: binding arguments are a pattern for the message's headers.

1. `x-match` says how many fields must match: `all` (the default) or `any`; these two ignore fields whose name begins
   with `x-`. `all-with-x` and `any-with-x` ignore only `x-match` itself.
2. A field without value (void) matches a header of that name whatever its value; else the values must be the same.
3. No fields: `all` matches every message, `any` matches none. The routing key plays no role.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar, Final

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError, Binding, BindingKey, Destination, Exchange
from exchanges.values import canonical, term, type_name

MODES: Final = ("all", "any", "all-with-x", "any-with-x")


class Pattern:
    """One binding's arguments, ready to be compared with the canonical headers of a message."""

    __slots__ = ("destination", "fields", "needs_all")

    def __init__(self, binding: Binding) -> None:
        mode = binding.arguments.get("x-match", "all")
        with_x = mode in ("all-with-x", "any-with-x")
        self.destination = binding.destination
        self.needs_all = mode in ("all", "all-with-x")
        self.fields: list[tuple[str, Hashable]] = [
            (name, canonical(value))
            for name, value in binding.arguments.items()
            if name != "x-match" and (with_x or not name.startswith("x-"))
        ]

    def matches(self, headers: dict[str, Hashable]) -> bool:
        """True if all fields match, or one of them if one is enough."""
        for name, value in self.fields:
            matched = name in headers and (value is None or value == headers[name])
            if matched != self.needs_all:
                return matched
        return self.needs_all


@mypyc_attr(allow_interpreted_subclasses=True)
class HeadersExchange(Exchange):
    """Routes to the destinations whose binding arguments match the headers; AMQP 0-9-1 section 3.1.3.4."""

    type: ClassVar[str] = "headers"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The destinations whose pattern matches."""
        compared = {name: canonical(value) for name, value in headers.items()}
        return [pattern.destination for pattern in self._patterns.values() if pattern.matches(compared)]

    def _set_up(self) -> None:
        self.routes_by_key = False
        self.matches_each_key = False
        self._patterns: dict[BindingKey, Pattern] = {}

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        mode = arguments.get("x-match", "all")
        if not isinstance(mode, str):
            raise ArgumentError(f"Invalid x-match field type {type_name(mode)} (value {term(mode)}); expected longstr")
        if mode not in MODES:
            expected = "all, any, all-with-x, or any-with-x"
            raise ArgumentError(f"Invalid x-match field value {term(mode)}; expected {expected}")

    def _added(self, binding: Binding) -> None:
        self._patterns[binding.key] = Pattern(binding)

    def _removed(self, binding: Binding) -> None:
        del self._patterns[binding.key]

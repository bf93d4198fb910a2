"""The default exchange: the routing key is the name of the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError, Destination, Exchange


@mypyc_attr(allow_interpreted_subclasses=True)
class DefaultExchange(Exchange):
    """Routes to the queue named by the routing key, whether or not there is one; AMQP 0-9-1 section 3.1.3.1."""

    type: ClassVar[str] = "direct"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The queue of that name."""
        return (routing_key,)

    def _check(self, routing_key: str, arguments: dict[str, object]) -> None:
        raise ArgumentError("operation not permitted on the default exchange")

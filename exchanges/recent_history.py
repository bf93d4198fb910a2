"""The recent history exchange: everything goes to everyone, and who comes late hears the last few messages."""

from __future__ import annotations

from typing import ClassVar, Final

from mypy_extensions import mypyc_attr

from exchanges.base import ArgumentError
from exchanges.fanout import FanoutExchange
from exchanges.values import term

DEFAULT_LENGTH: Final = 20


@mypyc_attr(allow_interpreted_subclasses=True)
class RecentHistoryExchange(FanoutExchange):
    """Routes as a fanout exchange; its owner keeps the last `length` messages for new bindings."""

    type: ClassVar[str] = "x-recent-history"

    def _set_up(self) -> None:
        super()._set_up()
        length = self.arguments.get("x-recent-history-length", DEFAULT_LENGTH)
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise ArgumentError(f"Invalid argument {term(length)}, 'x-recent-history-length' must be a positive integer")
        self.length = length

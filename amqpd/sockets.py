"""Mends the sockets of Python 3.11's event loop: each would keep itself alive until garbage is collected (gh-100348)."""

import sys
from asyncio import selector_events
from typing import Any


def mend() -> None:
    """Let a socket's transport go of its own methods when the connection is lost, as Python 3.12 does."""
    if sys.version_info >= (3, 12):
        return
    transport: Any = vars(selector_events)["_SelectorSocketTransport"]
    lose = transport._call_connection_lost  # noqa: SLF001 - there is no other place

    def let_go(self: Any, error: BaseException | None) -> None:  # noqa: ANN401 - the type has no public name
        try:
            lose(self, error)
        finally:
            self._read_ready_cb = None

    transport._call_connection_lost = let_go  # noqa: SLF001 - the same

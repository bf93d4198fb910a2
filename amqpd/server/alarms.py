"""Alarms: while the disk is nearly full, those who publish are not read, and are told so (connection.blocked)."""

from __future__ import annotations

from typing import Final


class Blockable:
    """A connection that can be kept from publishing."""

    def block(self, reason: str) -> None:
        """Stop reading from it, and tell it if it asked to be told."""
        raise NotImplementedError

    def unblock(self) -> None:
        """Read from it again, and tell it."""
        raise NotImplementedError


class Alarms:
    """What is wrong now, and who was blocked for it."""

    def __init__(self) -> None:
        self.active: bool = False
        self._reasons: Final[dict[str, None]] = {}
        self._blocked: Final[dict[Blockable, None]] = {}

    def set(self, reason: str) -> None:
        """Something is low: `disk` or `memory`."""
        self._reasons[reason] = None
        self.active = True

    def clear(self, reason: str) -> None:
        """It is no longer low; whoever was blocked goes on once nothing is."""
        self._reasons.pop(reason, None)
        self.active = bool(self._reasons)
        if not self.active:
            blocked = list(self._blocked)
            self._blocked.clear()
            for connection in blocked:
                connection.unblock()

    def reasons(self) -> list[str]:
        """What is low."""
        return list(self._reasons)

    def publisher_seen(self, connection: Blockable) -> None:
        """A connection published during an alarm: block it."""
        if connection not in self._blocked:
            self._blocked[connection] = None
            connection.block("low on " + " & ".join(self._reasons))

    def forget(self, connection: Blockable) -> None:
        """The connection is gone."""
        self._blocked.pop(connection, None)

"""Alarms: while memory or disk are low, those who publish are not read, and are told so (connection.blocked).

1. A connection is blocked with the first content frame that it sends during an alarm, and unblocked once no alarm is left.
2. An alarm stands as long as any of its causes does: the disk is low for the watch, or full for the store.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.events import Events

MEMORY: Final = "memory"
DISK: Final = "disk"
"""What can be low; connection.blocked names both in this order."""

WATERMARK: Final = "watermark"
STORE: Final = "store"
"""The causes of an alarm: a measure passed its limit, or the store found no space."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Blockable:
    """A connection that can be kept from publishing."""

    def stop_at_content(self, stops: bool) -> None:
        """Whether it is to call `Alarms.publisher_seen` when it publishes, and to hear nothing more then."""
        raise NotImplementedError

    def block(self, reason: str) -> None:
        """Withhold what it sends, and tell it if it asked to be told."""
        raise NotImplementedError

    def unblock(self) -> None:
        """Hear it again, and tell it."""
        raise NotImplementedError


class Alarms:
    """What is wrong now, who is to be stopped when he publishes, and who was blocked for it."""

    def __init__(self, events: Events) -> None:
        self.active: bool = False
        self._events: Final = events
        self._causes: Final[dict[str, set[str]]] = {MEMORY: set(), DISK: set()}
        self._connections: Final[dict[Blockable, None]] = {}
        self._blocked: Final[dict[Blockable, None]] = {}

    def low(self) -> list[str]:
        """What is low now: MEMORY, DISK."""
        return [resource for resource, causes in self._causes.items() if causes]

    def stands(self, resource: str, cause: str) -> bool:
        """True while this cause stands."""
        return cause in self._causes[resource]

    def set(self, resource: str, cause: str) -> None:
        """MEMORY or DISK is low for this cause."""
        causes = self._causes[resource]
        is_new = not causes
        causes.add(cause)
        if not self.active:
            self._turn(True)
        if is_new:
            self._events.emit("alarm.set", {"node": self._events.node, "source": resource})

    def clear(self, resource: str, cause: str) -> None:
        """A cause is gone; whoever was blocked goes on once nothing is low any more."""
        causes = self._causes[resource]
        if cause not in causes:
            return
        causes.remove(cause)
        if not causes:
            self._events.emit("alarm.cleared", {"node": self._events.node, "source": resource})
        if not self.low():
            self._turn(False)
            blocked = list(self._blocked)
            self._blocked.clear()
            for connection in blocked:
                connection.unblock()

    def _turn(self, active: bool) -> None:
        self.active = active
        for connection in self._connections:
            connection.stop_at_content(active)

    def add(self, connection: Blockable) -> None:
        """A connection is there."""
        self._connections[connection] = None
        if self.active:
            connection.stop_at_content(True)

    def publisher_seen(self, connection: Blockable) -> None:
        """A connection published during an alarm: block it."""
        if connection not in self._blocked:
            self._blocked[connection] = None
            connection.block("low on " + " & ".join(self.low()))

    def forget(self, connection: Blockable) -> None:
        """The connection is gone."""
        self._connections.pop(connection, None)
        self._blocked.pop(connection, None)

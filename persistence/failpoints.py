"""Named places at which tests can have the program end, fail or dawdle.

The environment variable `AMQPD_FAILPOINT=NAME:ACTION[:N]`, read once at start, arms one of them for its Nth passage.
Actions are `kill` (SIGKILL), `full` (the disk has no space left), `broken` (the disk fails) and `sleep`. No place is
passed more than a few times a commit.
"""

from __future__ import annotations

import os
from threading import Event
from typing import Final

from persistence.store import NoSpace, StoreError

VARIABLE: Final = "AMQPD_FAILPOINT"

DEFINITIONS_BEGUN: Final = "definitions-begun"
"""A batch was closed; nothing of it is written."""
DEFINITIONS_WRITTEN: Final = "definitions-written"
"""Its definitions are in a transaction that is not committed."""
DEFINITIONS_DURABLE: Final = "definitions-durable"
"""Its definitions are durable, its messages are not."""
MESSAGES_BEGUN: Final = "messages-begun"
"""Nothing of its messages is written."""
MAP_FULL: Final = "map-full"
"""The map of a database is about to grow."""
MESSAGES_WRITTEN: Final = "messages-written"
"""Its messages are in a transaction that is not committed."""
MESSAGES_DURABLE: Final = "messages-durable"
"""All of it is durable, and nobody knows."""
NAMES: Final = (
    *(DEFINITIONS_BEGUN, DEFINITIONS_WRITTEN, DEFINITIONS_DURABLE),
    *(MESSAGES_BEGUN, MAP_FULL, MESSAGES_WRITTEN, MESSAGES_DURABLE),
)
"""In the order in which a commit passes them."""

COMPACTION_COPIED: Final = "compaction-copied"
"""The compacted messages are on the disk, beside the others."""
COMPACTION_REPLACED: Final = "compaction-replaced"
"""They are in the place of the others."""
COMPACTION_ENDS: Final = "compaction-ends"
"""The definitions are compacted too."""
COMPACTION: Final = (COMPACTION_COPIED, COMPACTION_REPLACED, COMPACTION_ENDS)
"""In the order in which a compaction passes them."""

BACKUP_BEGUN: Final = "backup-begun"
"""The state of the messages is chosen."""
BACKUP_DEFINED: Final = "backup-defined"
"""The definitions are copied."""
BACKUP_COPIED: Final = "backup-copied"
"""The messages are copied too, and perhaps not on the disk."""
BACKUP_DURABLE: Final = "backup-durable"
"""Nothing is missing but what makes a data folder of it."""
BACKUP: Final = (BACKUP_BEGUN, BACKUP_DEFINED, BACKUP_COPIED, BACKUP_DURABLE)
"""In the order in which a backup or its restoration passes them."""

REPAIR_BEGUN: Final = "repair-begun"
"""The definitions cannot be read; nothing is changed."""
REPAIR_REBUILT: Final = "repair-rebuilt"
"""New ones are on the disk, beside the others."""
REPAIR_REMOVED: Final = "repair-removed"
"""The damaged ones are moved aside."""
REPAIR_DEFINED: Final = "repair-defined"
"""The definitions are mended; nothing is done to the messages."""
REPAIR_SALVAGED: Final = "repair-salvaged"
"""The messages that can be read are in a database beside the damaged one."""
REPAIR_EMPTIED: Final = "repair-emptied"
"""The damaged one is moved aside."""
REPAIR_MENDED: Final = "repair-mended"
"""The messages are mended; their queues may be lost."""
REPAIR: Final = (
    *(REPAIR_BEGUN, REPAIR_REBUILT, REPAIR_REMOVED, REPAIR_DEFINED),
    *(REPAIR_SALVAGED, REPAIR_EMPTIED, REPAIR_MENDED),
)
"""In the order in which a repair of everything passes them."""

SLEEP_SECONDS: Final = 0.5
_SIGKILL: Final = 9


class Failpoint:
    """An armed place."""

    def __init__(self, name: str, action: str, number: int) -> None:
        self.name: Final = name
        self._action: Final = action
        self._left: int = number

    def passed(self) -> None:
        """Somebody came by. Raises NoSpace, StoreError."""
        self._left -= 1
        if self._left == 0:
            self._act()

    def _act(self) -> None:
        if self._action == "kill":
            os.kill(os.getpid(), _SIGKILL)
        elif self._action == "full":
            raise NoSpace(f"no space left at {self.name}")
        elif self._action == "broken":
            raise StoreError(f"the disk failed at {self.name}")
        else:
            Event().wait(SLEEP_SECONDS)


def armed(setting: str) -> Failpoint | None:
    """The failpoint that a setting arms; None if it is empty."""
    if not setting:
        return None
    name, action, number = (setting + ":1").split(":")[:3]
    return Failpoint(name, action, int(number))


_ARMED: Final = armed(os.environ.get(VARIABLE, ""))


def at(name: str) -> None:
    """The program is at the place of this name. Raises NoSpace, StoreError if it is armed so."""
    if _ARMED is not None and _ARMED.name == name:
        _ARMED.passed()

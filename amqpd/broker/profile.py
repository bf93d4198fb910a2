"""What a virtual host says of itself: description, tags and defaults, for operators and for declarations."""

from __future__ import annotations

import json
from typing import Final

from amqpd.broker.users import joined
from persistence import rows

_TRACING: Final = "tracing"
_PROTECTED: Final = "protected_from_deletion"


class Profile:
    """The changeable properties of one virtual host."""

    def __init__(self) -> None:
        self.description: str = ""
        self.tags: list[str] = []
        self.default_queue_type: str = ""
        """Empty: classic."""
        self.tracing: bool = False
        self.is_protected: bool = False
        """True if it cannot be deleted until the protection is lifted."""

    def row(self, vhost: str) -> rows.VHost:
        """The row that keeps it."""
        metadata = json.dumps({_TRACING: self.tracing, _PROTECTED: self.is_protected})
        return rows.VHost(vhost, self.description, joined(self.tags), self.default_queue_type, metadata)


def profile_of(row: rows.VHost) -> Profile:
    """The profile that a row keeps."""
    profile = Profile()
    profile.description = row.description
    profile.tags = row.tags.split(",") if row.tags else []
    profile.default_queue_type = row.default_queue_type
    metadata = json.loads(row.metadata)
    profile.tracing = bool(metadata.get(_TRACING, False))
    profile.is_protected = bool(metadata.get(_PROTECTED, False))
    return profile

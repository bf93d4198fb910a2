"""Users, their tags and what they may do in which virtual host (RabbitMQ's access control, part 1.12 of its matrix)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from amqpd.broker import passwords
from amqpd.broker.permissions import Access, Permission, TopicPermission

IMPERSONATOR: Final = "impersonator"
"""The tag of users who may publish in the name of others (property user_id)."""


def joined(tags: Sequence[str]) -> str:
    """Tags as a row keeps them, with commas between. Raises ValueError if one has a comma in it: it would become two."""
    if any("," in tag for tag in tags):
        raise ValueError("a tag must not have a comma in it")
    return ",".join(tags)


class User:
    """One user as the definitions hold it."""

    def __init__(self, name: str, password_hash: str, algorithm: str, tags: tuple[str, ...]) -> None:
        self.name: Final = name
        self.password_hash: Final = password_hash
        self.algorithm: Final = algorithm
        self.tags: Final = tags
        self.permissions: Final[dict[str, Permission]] = {}
        """By virtual host."""
        self.topic_permissions: Final[dict[tuple[str, str], TopicPermission]] = {}
        """By virtual host and exchange."""

    def may_enter(self, vhost: str) -> bool:
        """True if the user may do anything in the virtual host."""
        return vhost in self.permissions

    def access(self, vhost: str) -> Access | None:
        """What the user may do in the virtual host; None if he may not even enter it."""
        permission = self.permissions.get(vhost)
        if permission is None:
            return None
        topics = {exchange: topic for (where, exchange), topic in self.topic_permissions.items() if where == vhost}
        return Access(self.name, vhost, permission, topics)


class Users:
    """All users by name."""

    def __init__(self) -> None:
        self.by_name: Final[dict[str, User]] = {}
        self.loopback_only: frozenset[str] = frozenset(("guest",))
        """Users with a password that everybody knows: they may log in from this machine alone."""

    def login(self, name: str, password: str, from_loopback: bool) -> User | str:
        """The user, or the reason for the log why he was refused (the peer is told nothing of it)."""
        user = self.verify(name, password)
        return user if isinstance(user, str) else self.place(user, from_loopback)

    def place(self, user: User, from_loopback: bool) -> User | str:
        """The user, unless he may not log in from where he is."""
        if user.name in self.loopback_only and not from_loopback:
            return f"user '{user.name}' can only connect via localhost"
        return user

    def verify(self, name: str, password: str) -> User | str:
        """The user of that password, or the reason why there is none."""
        user = self.by_name.get(name)
        if user is None:
            # An unknown name takes as long as a wrong password, so that names cannot be guessed by time.
            passwords.verify(password, _NOBODY, passwords.SHA256)
            return f"user '{name}' - invalid credentials"
        if not passwords.verify(password, user.password_hash, user.algorithm):
            return f"user '{name}' - invalid credentials"
        return user


_NOBODY: Final = passwords.hash_password("nobody")

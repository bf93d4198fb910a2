"""Backends that know users: each is asked in turn until one knows the peer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.answers import Answers
from amqpd.broker.users import User, Users


class Credentials:
    """What a peer presents."""

    def __init__(self, name: str, password: str | None, host: str) -> None:
        self.name: Final = name
        self.password: Final = password
        """None if the mechanism has proved already who it is."""
        self.host: Final = host
        """The address that it comes from."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Authority:
    """One backend."""

    def login(self, credentials: Credentials, answers: Answers) -> User | str:
        """The user, or the reason for the log why it is none. Raises Undecided for what has to be asked first."""
        raise NotImplementedError


class Internal(Authority):
    """The users in the definitions."""

    def __init__(self, users: Users) -> None:
        self.users: Final = users

    def login(self, credentials: Credentials, answers: Answers) -> User | str:
        """See `Authority.login`."""
        name, password = credentials.name, credentials.password
        if password is not None:
            return self.users.verify(name, password)
        return self.users.by_name.get(name) or f"user '{name}' does not exist"


def login(authorities: Sequence[Authority], credentials: Credentials, answers: Answers) -> User | str:
    """The user of the first authority that knows him, or the last one's reason why it does not. Raises Undecided."""
    found: User | str = "there is no backend"
    for authority in authorities:
        found = authority.login(credentials, answers)
        if isinstance(found, User):
            break
    return found

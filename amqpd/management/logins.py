"""Who asks: passwords, session tokens, and patience with those who guess."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from amqpd.broker.patience import Patience
from amqpd.broker.users import User, Users
from amqpd.management.refusal import Refusal

TOKEN_SECONDS: Final = 8 * 3600.0
"""How long a session token is good for after its last use."""
TOKENS_MAX: Final = 10_000


class Unknown(Refusal):
    """401: no credentials, or wrong ones."""

    def __init__(self, reason: str, challenges: bool) -> None:
        super().__init__(401, "not_authorized", reason)
        self.challenges: Final = challenges
        """True if a browser should ask for a password."""


class Tokens:
    """Session tokens that were given out, by the digest of each; they die with their user's password."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now: Final = now
        self._sessions: Final[dict[bytes, tuple[str, str, float]]] = {}

    def issue(self, user: User) -> str:
        """A new token for the user."""
        if len(self._sessions) >= TOKENS_MAX:
            del self._sessions[next(iter(self._sessions))]
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = (user.name, user.password_hash, self._now() + TOKEN_SECONDS)
        return token

    def user(self, token: str, users: Users) -> User | None:
        """Whose token it is; None if it is unknown or expired."""
        digest = _digest(token)
        name, password_hash, until = self._sessions.get(digest, ("", "", 0.0))
        user = users.by_name.get(name)
        if user is None or user.password_hash != password_hash or until < self._now():
            self._sessions.pop(digest, None)
            return None
        self._sessions[digest] = (name, password_hash, self._now() + TOKEN_SECONDS)
        return user

    def revoke(self, token: str) -> None:
        """The token is good for nothing any more."""
        self._sessions.pop(_digest(token), None)


class Logins:
    """Turns what a request presents into a user."""

    def __init__(self, users: Users, now: Callable[[], float]) -> None:
        self.users: Final = users
        self.tokens: Final = Tokens(now)
        self.patience: Final = Patience()
        self._now: Final = now
        self.succeeded: int = 0
        self.failed: int = 0

    def user(self, authorization: str, address: str) -> User:
        """The user behind an Authorization header. Raises Unknown, Refusal (429)."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            found = self.tokens.user(value.strip(), self.users)
            if found is None:
                raise Unknown("Not_Authorized", challenges=False)
            return found
        if scheme.lower() != "basic":
            raise Unknown("Login failed", challenges=True)
        name, password = _basic(value.strip())
        return self.login(name, password, address)

    def login(self, name: str, password: str, address: str) -> User:
        """The user of that name and password. Raises Unknown, Refusal (429)."""
        if self.patience.is_lost(address, name, self._now()):
            raise Refusal(429, "too_many_requests", "Too many failed logins, try again in a minute")
        user = self.users.login(name, password, is_loopback(address))
        if isinstance(user, str):
            self.failed += 1
            self.patience.failed(address, name, self._now())
            raise Unknown("Not_Authorized", challenges=False)
        self.succeeded += 1
        return user


def is_loopback(address: str) -> bool:
    """True for an address of this machine alone."""
    return address.startswith(("127.", "::ffff:127.")) or address == "::1"


def _basic(value: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode("utf-8", "surrogateescape").partition(":")
    except (binascii.Error, ValueError):
        colon = name = password = ""
    if not colon:
        raise Unknown("Not_Authorized", challenges=False)
    return name, password


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()

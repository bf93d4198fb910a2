"""Who asks: passwords, session tokens, and patience with those who guess."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from amqpd.broker import authority
from amqpd.broker.answers import DENY, Answers
from amqpd.broker.authority import Authority, Credentials, Internal
from amqpd.broker.patience import Patience
from amqpd.broker.remote import RemoteUser
from amqpd.broker.users import User, Users
from amqpd.errors import Undecided
from amqpd.management.refusal import Refusal

Ask = Callable[[Undecided, Callable[[Undecided, str], None]], None]
"""Asks a backend outside, which calls back with the answer, later and once."""

TOKEN_SECONDS: Final = 8 * 3600.0
"""How long a session token is good for after its last use."""
TOKENS_MAX: Final = 10_000
"""Of all users."""
TOKENS_OF_USER_MAX: Final = 100
"""Of one, who loses the one that he has not used for longest, and cannot cost others theirs."""


class Unknown(Refusal):
    """401: no credentials, or wrong ones."""

    def __init__(self, reason: str, challenges: bool) -> None:
        super().__init__(401, "not_authorized", reason)
        self.challenges: Final = challenges
        """True if a browser should ask for a password."""


class Backends:
    """Who knows users: each authority in turn until one knows the peer, and whoever answers for those outside."""

    def __init__(self, authorities: Sequence[Authority], ask: Ask) -> None:
        self._authorities: Final = authorities
        self._ask: Final = ask

    async def login(self, credentials: Credentials) -> User | str:
        """The user, or the reason for the log why it is none."""
        answers = Answers(of_request=True)
        while True:
            try:
                return authority.login(self._authorities, credentials, answers)
            except Undecided as question:
                await self.ask(question, answers)

    async def ask(self, question: Undecided, answers: Answers) -> None:
        """Have a question answered."""
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note(_: Undecided, answer: str) -> None:
            if not answered.done():
                answered.set_result(answer)

        self._ask(question, note)
        answers.note(question, await answered)


def internal_alone(users: Users) -> Backends:
    """The definitions, and nobody outside."""
    return Backends([Internal(users)], lambda question, answered: answered(question, DENY))


class _Session:
    """Who a token was given to, and until when it is good."""

    def __init__(self, user: User, until: float) -> None:
        self.user: Final = user
        self.until: float = until


class Tokens:
    """Session tokens that were given out, by the digest of each; they die with their user's password.

    Use renews a token, except one of a user of a backend outside, which would not be asked about him any more.
    """

    def __init__(self, now: Callable[[], float], most: int = TOKENS_MAX) -> None:
        self._now: Final = now
        self._most: Final = most
        self._sessions: Final[dict[bytes, _Session]] = {}

    def issue(self, user: User) -> str:
        """A new token for the user."""
        own = [digest for digest, session in self._sessions.items() if session.user.name == user.name]
        if len(own) >= TOKENS_OF_USER_MAX:
            self._forget_one(own)
        elif len(self._sessions) >= self._most:
            self._forget_one(self._sessions)
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = _Session(user, self._now() + TOKEN_SECONDS)
        return token

    def _forget_one(self, digests: Iterable[bytes]) -> None:
        """The session that is the first of these to expire is over."""
        del self._sessions[min(digests, key=lambda digest: self._sessions[digest].until)]

    def user(self, token: str, users: Users) -> User | None:
        """Whose token it is; None if it is unknown or expired."""
        session = self._sessions.get(_digest(token))
        user = self._present(session, users) if session is not None else None
        if user is None:
            self.revoke(token)
        return user

    def _present(self, session: _Session, users: Users) -> User | None:
        """Who the user of a session is by now."""
        now, then = self._now(), session.user
        if session.until < now:
            return None
        if isinstance(then, RemoteUser):
            return RemoteUser(then.name, then.tags, then.host, Answers(of_request=True))
        user = users.by_name.get(then.name)
        if user is None or user.password_hash != then.password_hash:
            return None
        session.until = now + TOKEN_SECONDS
        return user

    def revoke(self, token: str) -> None:
        """The token is good for nothing any more."""
        self._sessions.pop(_digest(token), None)


class Logins:
    """Turns what a request presents into a user."""

    def __init__(self, users: Users, backends: Backends, now: Callable[[], float]) -> None:
        self.users: Final = users
        self.backends: Final = backends
        self.tokens: Final = Tokens(now)
        self.patience: Final = Patience()
        self._now: Final = now
        self.succeeded: int = 0
        self.failed: int = 0

    async def user(self, authorization: str, address: str) -> User:
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
        return await self.login(name, password, address)

    async def login(self, name: str, password: str, address: str) -> User:
        """The user of that name and password. Raises Unknown, Refusal (429)."""
        if self.patience.is_lost(address, name, self._now()):
            raise Refusal(429, "too_many_requests", "Too many failed logins, try again in a minute")
        found = await self.backends.login(Credentials(name, password, address))
        if isinstance(found, User):
            found = self.users.place(found, is_loopback(address))
        if isinstance(found, str):
            self.failed += 1
            self.patience.failed(address, name, self._now())
            raise Unknown("Not_Authorized", challenges=False)
        self.succeeded += 1
        return found


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

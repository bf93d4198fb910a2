"""Who may come in: mechanisms, backends, and patience with those who guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from amqpd.broker import authority
from amqpd.broker.answers import Answers
from amqpd.broker.authority import Authority, Credentials
from amqpd.broker.patience import Patience
from amqpd.broker.users import User, Users
from amqpd.config import Config
from amqpd.errors import AccessRefused, BadSyntax, Undecided
from amqpd.protocol import handshake
from amqpd.server.certificate import Certificate, user_name

EXTERNAL: Final = "EXTERNAL"
ANONYMOUS: Final = "ANONYMOUS"


class Origin:
    """Where a peer comes from."""

    def __init__(self, host: str, from_loopback: bool, certificate: Certificate | None) -> None:
        self.host: Final = host
        self.from_loopback: Final = from_loopback
        self.certificate: Final = certificate
        """What it proved to be over TLS; None without TLS or a certificate."""


class Asker:
    """Asks a backend outside; base of what the composition root hands in."""

    def ask(self, question: Undecided, answered: Callable[[Undecided, str], None]) -> None:
        """Call `answered` with the answer, later and once; `deny` if there is none to be had."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ask no more."""


class Admission:
    """Logs peers in."""

    def __init__(
        self, config: Config, users: Users, authorities: Sequence[Authority], asker: Asker, now: Callable[[], float]
    ) -> None:
        self.asker: Final = asker
        self._config: Final = config
        self._users: Final = users
        self.authorities: Final = authorities
        self._now: Final = now
        self._patience: Final = Patience()

    def mechanisms(self, origin: Origin) -> tuple[str, ...]:
        """What the peer is offered; EXTERNAL only if it has shown a certificate."""
        known = self._config.mechanisms
        return known if origin.certificate else tuple(name for name in known if name != EXTERNAL)

    def login(self, mechanism: str, response: bytes, origin: Origin, answers: Answers) -> User:
        """The user of a start-ok. Raises AccessRefused whose explanation is for the log, BadSyntax, Undecided."""
        if mechanism not in self.mechanisms(origin):
            raise BadSyntax(f"unknown authentication mechanism '{mechanism}'")
        credentials = self._credentials(mechanism, response, origin)
        if self._patience.is_lost(origin.host, credentials.name, self._now()):
            raise AccessRefused(f"user '{credentials.name}' - too many failed logins from {origin.host}")
        found = authority.login(self.authorities, credentials, answers)
        if isinstance(found, User):
            found = self._users.place(found, origin.from_loopback)
        if isinstance(found, User):
            return found
        self._patience.failed(origin.host, credentials.name, self._now())
        raise AccessRefused(found)

    def _credentials(self, mechanism: str, response: bytes, origin: Origin) -> Credentials:
        config = self._config
        if mechanism == ANONYMOUS:
            return Credentials(config.anonymous_user, None, origin.host)
        if mechanism == EXTERNAL:
            assert origin.certificate is not None, "it is offered only with a certificate"
            name = user_name(origin.certificate, config.tls_login_from, config.tls_login_san_type, config.tls_login_san_index)
            if not name:
                raise AccessRefused(f"the client certificate has no {config.tls_login_from}")
            return Credentials(name, None, origin.host)
        name, password = handshake.credentials(mechanism, response)
        return Credentials(name, password, origin.host)

"""Users that a service outside knows, in the words of RabbitMQ's HTTP backend: questions with parameters, `allow` or `deny`."""

from __future__ import annotations

from typing import Final

from amqpd.broker.answers import ALLOW, DENY, RESOURCE, TOPIC, USER, VHOST, Answers
from amqpd.broker.authority import Authority, Credentials
from amqpd.broker.connections import Connections
from amqpd.broker.permissions import DEFAULT_EXCHANGE, EXCHANGE, Access, Permission
from amqpd.broker.users import User

NOTHING: Final = Permission("", "", "")


class Remote(Authority):
    """The service outside."""

    def login(self, credentials: Credentials, answers: Answers) -> User | str:
        """See `Authority.login`."""
        parameters: tuple[tuple[str, str], ...] = (("username", credentials.name),)
        if credentials.password is not None:
            if not credentials.password:
                return f"user '{credentials.name}' - blank password"
            parameters = (*parameters, ("password", credentials.password))
        answer = answers.to(USER, parameters)
        if not allows(answer):
            reason = answer.removeprefix(DENY).strip()
            return f"user '{credentials.name}' - denied by the HTTP backend{': ' + reason if reason else ''}"
        return RemoteUser(credentials.name, tuple(answer.split()[1:]), credentials.host, answers)


class RemoteUser(User):
    """A user of one connection, or of one request to the management; the service knows what he may do."""

    def __init__(self, name: str, tags: tuple[str, ...], host: str, answers: Answers) -> None:
        super().__init__(name, "", "", tags)
        self.host: Final = host
        self.answers: Final = answers

    def may_enter(self, vhost: str) -> bool:
        """See `User.may_enter`. Raises Undecided."""
        return self.access(vhost) is not None

    def access(self, vhost: str) -> Access | None:
        """See `User.access`. Raises Undecided."""
        question = (("username", self.name), ("vhost", vhost), ("ip", self.host), ("tags", " ".join(self.tags)))
        return RemoteAccess(self, vhost) if allows(self.answers.to(VHOST, question)) else None


class RemoteAccess(Access):
    """What such a user may do in a virtual host; each question may raise Undecided."""

    def __init__(self, user: RemoteUser, vhost: str) -> None:
        super().__init__(user.name, vhost, NOTHING)
        self.answers: Final = user.answers
        self._tags: Final = " ".join(user.tags)

    def can(self, right: str, name: str, kind: str = EXCHANGE) -> bool:
        """See `Access.can`. Raises Undecided."""
        if kind == EXCHANGE and not name:
            name = DEFAULT_EXCHANGE
        return allows(self.answers.to(RESOURCE, self._question(kind, name, right)))

    def can_route(self, right: str, exchange: str, routing_key: str) -> bool:
        """See `Access.can_route`. Raises Undecided."""
        question = (
            *self._question("topic", exchange, right),
            ("routing_key", routing_key),
            ("variable_map.username", self.user),
            ("variable_map.vhost", self.vhost),
        )
        return allows(self.answers.to(TOPIC, question))

    def _question(self, kind: str, name: str, right: str) -> tuple[tuple[str, str], ...]:
        return (
            ("username", self.user),
            ("vhost", self.vhost),
            ("resource", kind),
            ("name", name),
            ("permission", right),
            ("tags", self._tags),
        )


def allows(answer: str) -> bool:
    """True if the answer is `allow`, with or without tags."""
    return answer == ALLOW or answer.startswith(f"{ALLOW} ")


def expire_answers(connections: Connections) -> set[str]:
    """Have every connection ask again; the virtual hosts of those that had asked."""
    vhosts: set[str] = set()
    for connection in connections.open:
        access = connection.client.access if connection.client is not None else None
        if isinstance(access, RemoteAccess):
            access.answers.expire()
            vhosts.add(access.vhost)
    return vhosts

"""Who may do what: a user's permission in a virtual host is three regular expressions over the names of resources."""

import re
from typing import Final

from amqpd.broker.expression import Expression
from amqpd.errors import AccessRefused

CONFIGURE: Final = "configure"
WRITE: Final = "write"
READ: Final = "read"

EXCHANGE: Final = "exchange"
QUEUE: Final = "queue"
"""Kinds of resources; only backends outside tell them apart."""

DEFAULT_EXCHANGE: Final = "amq.default"
"""The name under which the default exchange, whose name is empty, is checked."""

CACHED_ANSWERS: Final = 64


class Permission:
    """What a user may configure, write and read in a virtual host; an empty expression allows nothing."""

    def __init__(self, configure: str, write: str, read: str) -> None:
        """Raise ValueError if one of them is no regular expression."""
        self.configure: Final = configure
        self.write: Final = write
        self.read: Final = read
        self._expressions: Final[dict[str, Expression]] = {
            CONFIGURE: _read(CONFIGURE, configure),
            WRITE: _read(WRITE, write),
            READ: _read(READ, read),
        }

    def allows(self, kind: str, resource_name: str) -> bool:
        """Whether the expression of this kind is found anywhere in the name."""
        return self._expressions[kind].is_in(resource_name or DEFAULT_EXCHANGE)


class TopicPermission:
    """Which routing keys a user may publish and bind with at a topic exchange, as expressions with variables in braces."""

    def __init__(self, write: str, read: str) -> None:
        """Raise ValueError if one of them is no regular expression."""
        self.write: Final = write
        self.read: Final = read
        _read(WRITE, write)
        _read(READ, read)

    def expression(self, kind: str, user: str, vhost: str) -> Expression:
        """The expression for writing or reading, with the names put in as they are. Raises ValueError."""
        text = self.write if kind == WRITE else self.read
        return _read(kind, text.replace("{username}", re.escape(user)).replace("{vhost}", re.escape(vhost)))


class Access:
    """A user's permission in a virtual host, as a channel asks for it: recent answers are remembered."""

    def __init__(self, user: str, vhost: str, permission: Permission, topics: dict[str, TopicPermission] | None = None) -> None:
        self.user: Final = user
        self.vhost: Final = vhost
        self.permission: Final = permission
        self._topics: Final = topics or {}
        """By exchange; at any other every routing key is allowed."""
        self._answers: Final[dict[tuple[str, str], bool]] = {}
        self._expressions: Final[dict[tuple[str, str], Expression | None]] = {}
        """Right and topic exchange → the expression for routing keys; None if the user's name spoils it."""

    def can(self, right: str, name: str, kind: str = EXCHANGE) -> bool:
        """Whether the user may `configure`, `write` or `read` the exchange or queue (kind)."""
        question = (right, name)
        answer = self._answers.get(question)
        if answer is None:
            answer = self.permission.allows(right, name)
            if len(self._answers) >= CACHED_ANSWERS:
                self._answers.clear()
            self._answers[question] = answer
        return answer

    def can_route(self, right: str, exchange: str, routing_key: str) -> bool:
        """Whether the user may publish (`write`) or bind (`read`) with the routing key at the topic exchange."""
        topic = self._topics.get(exchange)
        if topic is None:
            return True
        question = (right, exchange)
        if question not in self._expressions:
            try:
                self._expressions[question] = topic.expression(right, self.user, self.vhost)
            except ValueError:
                self._expressions[question] = None
        expression = self._expressions[question]
        return expression is not None and expression.is_in(routing_key)


class Onlooker(Access):
    """Whoever comes while the broker only shows what it has: he may do nothing."""

    def can(self, right: str, name: str, kind: str = EXCHANGE) -> bool:
        """Raise AccessRefused."""
        raise AccessRefused(
            f"{right} access to {kind} '{name or DEFAULT_EXCHANGE}' in vhost '{self.vhost}' refused: the broker is read-only"
        )


def _read(kind: str, expression: str) -> Expression:
    try:
        return Expression(expression or "^$")
    except ValueError as error:
        raise ValueError(f"{kind}: {expression!r} is not a regular expression: {error}") from None

"""Who may do what: a user's permission in a virtual host is three regular expressions over the names of resources."""

import re
from typing import Final

CONFIGURE: Final = "configure"
WRITE: Final = "write"
READ: Final = "read"

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
        self._patterns: Final[dict[str, re.Pattern[str]]] = {
            CONFIGURE: _compile(CONFIGURE, configure),
            WRITE: _compile(WRITE, write),
            READ: _compile(READ, read),
        }

    def allows(self, kind: str, resource_name: str) -> bool:
        """Whether the expression of this kind is found anywhere in the name."""
        return self._patterns[kind].search(resource_name or DEFAULT_EXCHANGE) is not None


class TopicPermission:
    """Which routing keys a user may publish and bind with at a topic exchange, as expressions with variables in braces."""

    def __init__(self, write: str, read: str) -> None:
        """Raise ValueError if one of them is no regular expression."""
        self.write: Final = write
        self.read: Final = read
        _compile(WRITE, write)
        _compile(READ, read)


class Access:
    """A user's permission in a virtual host, as a channel asks for it: recent answers are remembered."""

    def __init__(self, user: str, vhost: str, permission: Permission) -> None:
        self.user: Final = user
        self.vhost: Final = vhost
        self.permission: Final = permission
        self._answers: Final[dict[tuple[str, str], bool]] = {}

    def can(self, kind: str, resource_name: str) -> bool:
        """Whether the user may `configure`, `write` or `read` the exchange or queue."""
        question = (kind, resource_name)
        answer = self._answers.get(question)
        if answer is None:
            answer = self.permission.allows(kind, resource_name)
            if len(self._answers) >= CACHED_ANSWERS:
                self._answers.clear()
            self._answers[question] = answer
        return answer


def _compile(kind: str, expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression or "^$")
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{kind}: {expression!r} is not a regular expression: {error}") from None

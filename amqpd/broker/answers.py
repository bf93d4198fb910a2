"""What a backend that has to be asked said to one connection, or for one request to the management.

1. Nobody waits in the core: a question without an answer raises `Undecided`, and the command is done again once it is there.
2. Only permission is remembered, until it expires. A refusal and a login are used once, so that a later question is a new one.
3. For a request everything is remembered: it is done again from its start after each answer, and asks the same things.
"""

from __future__ import annotations

from typing import Final

from amqpd.errors import Undecided

ALLOW: Final = "allow"
DENY: Final = "deny"
"""How an answer begins; tags or a reason may follow after a space."""

USER: Final = "user"
VHOST: Final = "vhost"
RESOURCE: Final = "resource"
TOPIC: Final = "topic"
"""What a question is about."""

REMEMBERED: Final = 4096


class Answers:
    """The answers that one connection, or one request (3), has at hand."""

    def __init__(self, of_request: bool = False) -> None:
        self._of_request: Final = of_request
        self._answers: Final[dict[tuple[str, tuple[tuple[str, str], ...]], str]] = {}

    def to(self, subject: str, parameters: tuple[tuple[str, str], ...]) -> str:
        """The answer to a question. Raises Undecided if it has to be asked first."""
        answer = self._answers.get((subject, parameters))
        if answer is None:
            raise Undecided(subject, parameters)
        if not self._of_request and (subject == USER or not answer.startswith(ALLOW)):
            del self._answers[(subject, parameters)]
        return answer

    def note(self, question: Undecided, answer: str) -> None:
        """The backend answered."""
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        self._answers[(question.subject, question.parameters)] = answer

    def expire(self) -> None:
        """Ask everything again."""
        self._answers.clear()

"""One class per AMQP reply code (specification 1.2, "reply-code" domain); raised in the core, sent by the server."""

from __future__ import annotations

import os
from typing import ClassVar

REPLY_TEXT_LIMIT = 255
_CUT = "..."


class AmqpError(Exception):
    """An error that a peer is told of: a soft one closes the channel, a hard one the connection."""

    code: ClassVar[int] = 541
    name: ClassVar[str] = "INTERNAL_ERROR"
    hard: ClassVar[bool] = True

    def __init__(self, explanation: str = "") -> None:
        super().__init__(explanation)
        self.explanation = explanation

    @property
    def reply_text(self) -> str:
        """`NAME - explanation`, cut to what a short string holds (255 octets of UTF-8)."""
        text = f"{self.name} - {self.explanation}" if self.explanation else self.name
        encoded = text.encode("utf-8", "surrogateescape")
        if len(encoded) <= REPLY_TEXT_LIMIT:
            return text
        return encoded[: REPLY_TEXT_LIMIT - len(_CUT)].decode("utf-8", "ignore") + _CUT


class ConnectionForced(AmqpError):
    """320: an operator or the broker itself ends the connection."""

    code = 320
    name = "CONNECTION_FORCED"


class AccessRefused(AmqpError):
    """403: missing rights, a reserved name, or an exclusive consumer in the way."""

    code = 403
    name = "ACCESS_REFUSED"
    hard = False


class NotFound(AmqpError):
    """404: no such queue or exchange."""

    code = 404
    name = "NOT_FOUND"
    hard = False


class ResourceLocked(AmqpError):
    """405: the queue is exclusive to another connection."""

    code = 405
    name = "RESOURCE_LOCKED"
    hard = False


class PreconditionFailed(AmqpError):
    """406: arguments or state do not allow what was asked."""

    code = 406
    name = "PRECONDITION_FAILED"
    hard = False


class FrameError(AmqpError):
    """501: bytes that are not a frame."""

    code = 501
    name = "FRAME_ERROR"


class BadSyntax(AmqpError):
    """502: a method or table that does not parse."""

    code = 502
    name = "SYNTAX_ERROR"


class CommandInvalid(AmqpError):
    """503: a method that makes no sense here."""

    code = 503
    name = "COMMAND_INVALID"


class ChannelError(AmqpError):
    """504: the channel is not open, or open already."""

    code = 504
    name = "CHANNEL_ERROR"


class UnexpectedFrame(AmqpError):
    """505: a good frame of the wrong kind."""

    code = 505
    name = "UNEXPECTED_FRAME"


class ResourceError(AmqpError):
    """506: the broker ran out of something."""

    code = 506
    name = "RESOURCE_ERROR"


class NotAllowed(AmqpError):
    """530: a limit or a right stands in the way of the whole connection."""

    code = 530
    name = "NOT_ALLOWED"


class Unimplemented(AmqpError):
    """540: a feature of the specification that RabbitMQ does not offer either."""

    code = 540
    name = "NOT_IMPLEMENTED"


class InternalError(AmqpError):
    """541: the broker failed; details are in its log only."""


class Undecided(Exception):
    """A command waits for somebody's answer: nothing was done, and it is done again once the answer is there."""

    def __init__(self, subject: str, parameters: tuple[tuple[str, str], ...]) -> None:
        super().__init__(subject)
        self.subject = subject
        """What is asked: one of the words in `broker.answers`."""
        self.parameters = parameters


def reason_of(error: Exception) -> str:
    """What the system says of an error, without asyncio's repetition of the address."""
    code = error.errno if isinstance(error, OSError) else None
    return os.strerror(code) if code is not None and code > 0 else str(error)


class StartError(Exception):
    """The broker cannot start; the text is one clear line for the operator."""

"""Why a request was not carried out: a status and RabbitMQ's words for it."""

from __future__ import annotations

from typing import Final

from amqpd.errors import AccessRefused, AmqpError, NotAllowed, NotFound


class Refusal(Exception):
    """A request that ends in an error; the body is `{"error": …, "reason": …}` unless there is another one."""

    def __init__(self, status: int, error: str, reason: object, body: dict[str, object] | None = None) -> None:
        super().__init__(f"{status} {error}: {reason}")
        self.status: Final = status
        self.body: Final = {"error": error, "reason": reason} if body is None else body


def bad_request(reason: object) -> Refusal:
    """400: the request makes no sense, or the broker's rules forbid it."""
    return Refusal(400, "bad_request", reason)


def not_found() -> Refusal:
    """404: there is no such thing."""
    return Refusal(404, "Object Not Found", "Not Found")


def missing(reason: str) -> Refusal:
    """404: what the thing would belong to does not exist."""
    return Refusal(404, "not_found", reason)


def not_authorised(reason: str) -> Refusal:
    """401: a known user lacks a right."""
    return Refusal(401, "not_authorised", reason)


def unavailable(**extras: object) -> Refusal:
    """503: a health check failed."""
    return Refusal(503, "", "", {"status": "failed", **extras})


def refusal_of(error: AmqpError) -> Refusal:
    """What an operation's AMQP error is over HTTP."""
    if isinstance(error, NotFound):
        return missing(error.explanation)
    if isinstance(error, AccessRefused | NotAllowed):
        return not_authorised("Access refused.")
    return bad_request(error.explanation)


def channel_refusal(error: AmqpError) -> Refusal:
    """What an AMQP error is over HTTP where RabbitMQ goes through a channel of its own (publish)."""
    return bad_request(f"{error.code} {error.reply_text}")

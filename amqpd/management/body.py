"""The body of a request: nothing of it is read until it is known who asks, and no more than is good for what is asked."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from amqpd.management.refusal import Refusal
from amqpd.management.silence import whole

LOGIN_BYTES: Final = 8 * 1024
"""Of a login, which anybody may send."""


class TooLong(Refusal):
    """400, as RabbitMQ says it: more was sent than is read."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status, "bad_request", "Exceeded HTTP request body size limit")


def refuse_compressed(request: web.Request) -> None:
    """Raise Refusal (415) if the body would have to be inflated first."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise Refusal(415, "unsupported_media_type", "Compressed request bodies are not supported")


async def read(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises TooLong, before it reads what says so itself; Refusal (400, 408)."""
    if (request.content_length or 0) > limit:
        raise TooLong
    try:
        return await whole(request.clone(client_max_size=limit).read())
    except web.HTTPRequestEntityTooLarge:
        raise TooLong from None

"""Those who connect and then say nothing, or half of a request, and so hold a socket: they are hung up on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final, TypeVar

from aiohttp import web

from amqpd.management.refusal import Refusal, bad_request

FIRST_REQUEST_SECONDS: Final = 15.0
"""How long the head of a first request may take, and at most twice that; later ones have aiohttp's keep-alive time."""
BODY_SECONDS: Final = 60.0
"""How long a body may take."""


T = TypeVar("T")


async def whole(reading: Awaitable[T]) -> T:
    """A body, once all of it came. Raises Refusal (408) if that takes too long, (400) if it never does."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await reading
    except TimeoutError:
        raise Refusal(408, "request_timeout", "The request body took too long") from None
    except (web.RequestPayloadError, ConnectionError):
        raise bad_request("The request body did not come whole") from None


class Silence:
    """Watches the connections of one HTTP server."""

    def __init__(self, seconds: float = FIRST_REQUEST_SECONDS) -> None:
        self._seconds: Final = seconds
        self._spoke: Final[set[object]] = set()
        self._task: asyncio.Task[None] | None = None

    def heard(self, request: web.Request) -> None:
        """A whole head of a request came."""
        self._spoke.add(request.protocol)

    def watch(self, runner: web.AppRunner) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._watch(runner))

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self, runner: web.AppRunner) -> None:
        silent: set[object] = set()
        while True:
            await asyncio.sleep(self._seconds)
            connections = [] if runner.server is None else runner.server.connections
            self._spoke.intersection_update(connections)
            still = [one for one in connections if one not in self._spoke]
            for connection in still:
                if connection in silent:
                    connection.force_close()
            silent = set(still)

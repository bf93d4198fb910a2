"""One HTTP port: it listens, and hangs up on those who hold a connection and say nothing.

What is sent compressed is not inflated: that would happen before it is known who sends it, and also if nobody reads it.
"""

from __future__ import annotations

import ssl
from typing import Final

from aiohttp import web

from amqpd.listening import address_of, listening_sockets
from amqpd.management.malformed import HTTP_LOGGER
from amqpd.management.silence import Silence

LINGERING_SECONDS: Final = 2.0
"""How long what is left of a body is passed over, so that who sends it reads the answer."""


class Port:
    """Where an application is served."""

    def __init__(self) -> None:
        self._silence: Final = Silence()
        self._runner: web.AppRunner | None = None

    async def open(self, application: web.Application, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=HTTP_LOGGER,
            handle_signals=False,
            shutdown_timeout=1.0,
            auto_decompress=False,
            lingering_time=LINGERING_SECONDS,
        )
        await self._runner.setup()
        listening = listening_sockets(host, port)
        for one in listening:
            await web.SockSite(self._runner, one, ssl_context=tls).start()
        self._silence.watch(self._runner)
        return address_of(listening)

    def heard(self, request: web.Request) -> None:
        """A whole head of a request came."""
        self._silence.heard(request)

    async def close(self) -> None:
        """Stop listening and drop connections."""
        await self._silence.stop()
        if self._runner is not None:
            await self._runner.cleanup()

"""A listening socket whose connections begin with something else than AMQP: a PROXY header, then perhaps TLS."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from amqpd.config import Config
from amqpd.logs import WARNING, log
from amqpd.protocol import proxy
from amqpd.protocol.proxy import ProxyError, Route
from amqpd.server.reactor import Reactor
from amqpd.server.stream import Stream
from amqpd.server.tls import Tls
from amqpd.server.transport import Transport

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""How long nobody is accepted after the process ran out of file descriptors."""
GREETINGS_MAX: Final = 4096
"""Connections that may be at their beginning at the same time; more wait in the kernel."""


class Gate:
    """Accepts connections and makes transports of those that begin as they should."""

    def __init__(
        self,
        listening: socket.socket,
        config: Config,
        tls: Tls | None,
        reactor: Reactor | None,
        make: Callable[[Route | None], Transport],
    ) -> None:
        """The reactor serves what comes without TLS, if there is one."""
        listening.setblocking(False)
        self.tls: Final = tls
        self._listening: Final = listening
        self._config: Final = config
        self._reactor: Final = reactor
        self._make: Final = make
        self._room: Final = asyncio.Semaphore(GREETINGS_MAX)
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._task: Final = asyncio.create_task(self._accept())

    def close(self) -> None:
        """Accept nobody any more."""
        for task in (self._task, *self._tasks):
            task.cancel()
        self._listening.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                client, _address = await loop.sock_accept(self._listening)
            except OSError as error:
                self._room.release()
                log(logger, WARNING, "cannot accept connections", reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            task = asyncio.create_task(self._greet(client))
            self._tasks.add(task)
            task.add_done_callback(self._greeted)

    def _greeted(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()

    async def _greet(self, client: socket.socket) -> None:
        peer = client.getpeername() if client.fileno() >= 0 else ""
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._config.handshake_timeout):
                route = await _read_route(client) if self._config.proxy_protocol else None
            await self._connect(client, route)
        except (OSError, ProxyError, TimeoutError) as error:
            log(logger, WARNING, "connection refused", peer=str(peer), reason=str(error) or "it took too long")
            client.close()
        except BaseException:
            client.close()
            raise

    async def _connect(self, client: socket.socket, route: Route | None) -> None:
        if self.tls is None and self._reactor is not None:
            Stream(self._reactor, client, self._make(route))
            return
        context: ssl.SSLContext | None = self.tls.context if self.tls is not None else None
        factory = cast(Callable[[], asyncio.BaseProtocol], lambda: self._make(route))
        timeout = self._config.handshake_timeout if context is not None else None
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(
            factory, client, ssl=context, ssl_handshake_timeout=timeout, ssl_shutdown_timeout=timeout
        )


async def _read_route(client: socket.socket) -> Route:
    """Take the PROXY header from the socket, and nothing after it. Raises ProxyError, OSError."""
    header = b""
    while True:
        await _readable(client)
        seen = client.recv(proxy.LONGEST, socket.MSG_PEEK)
        if not seen:
            raise ProxyError("no PROXY header")
        route = proxy.parse(header + seen)
        taken = len(seen) if route is None else route.size - len(header)
        header += client.recv(taken)
        if route is not None:
            return route


async def _readable(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(client, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(client)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)

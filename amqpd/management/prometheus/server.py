"""The HTTP server of metrics: nobody has to log in, and nothing can be changed."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, Summary, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from amqpd.broker.expression import Expression, Malformed
from amqpd.management.port import Port
from amqpd.management.prometheus import scrape
from amqpd.management.site import Site
from amqpd.management.streaming import GZIP, takes_gzip

PATTERN_MAX: Final = 1000
PIECE_BYTES: Final = 64 * 1024
"""What is gathered before it is sent."""
_TELEMETRY: Final = ("registry", "content_type")


class Server:
    """Serves metrics to Prometheus."""

    def __init__(self, site: Site) -> None:
        self.site: Final = site
        self._port: Final = Port()
        self._registry: Final = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._durations: Final = Summary(
            "telemetry_scrape_duration_seconds", "How long scrapes took", _TELEMETRY, registry=self._registry
        )
        self._sizes: Final = Summary(
            "telemetry_scrape_size_bytes", "How long answers were", _TELEMETRY, registry=self._registry
        )

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        application = web.Application()
        application.router.add_get("/metrics", self.respond)
        application.router.add_get("/metrics/{registry}", self.respond)
        application.router.add_get("/metrics/{registry}/", self.respond)
        return await self._port.open(application, host, port, tls)

    async def close(self) -> None:
        """Stop listening and drop connections."""
        await self._port.close()

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer one scrape."""
        self._port.heard(request)
        registry = request.match_info.get("registry", "")
        self.site.wiring.begin()  # Ages are measured against the core's clock.
        try:
            pieces = self._pieces(registry, request)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        if pieces is None:
            return web.Response(status=404, text="Unknown Registry")
        started = time.perf_counter()
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
        compressor = None
        if takes_gzip(request):
            response.headers["Content-Encoding"] = "gzip"
            compressor = zlib.compressobj(wbits=GZIP)
        await response.prepare(request)
        size = 0
        async for piece in _gathered(pieces):
            size += len(piece)
            await response.write(piece if compressor is None else await asyncio.to_thread(compressor.compress, piece))
        if compressor is not None:
            await response.write(compressor.flush())
        await response.write_eof()
        described = (registry or "default", CONTENT_TYPE_PLAIN_0_0_4)
        self._durations.labels(*described).observe(time.perf_counter() - started)
        self._sizes.labels(*described).observe(size)
        return response

    def _pieces(self, registry: str, request: web.Request) -> AsyncIterator[str] | None:
        """What was asked for; None if there is no such registry. Raises ValueError for a bad pattern."""
        site, query = self.site, request.query
        if registry == "":
            return self._with_process(scrape.aggregated(site))
        if registry == "per-object":
            return self._with_process(scrape.per_object(site))
        if registry == "memory-breakdown":
            return scrape.memory_breakdown(site)
        if registry == "detailed":
            vhosts = query.getall("vhost", [])
            return scrape.detailed(site, query.getall("family", []), vhosts, _expression(query.getall("queue", [])))
        return None

    async def _with_process(self, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
        """The pieces, and what the library itself knows of the process."""
        async for piece in pieces:
            yield piece
        yield (await asyncio.to_thread(generate_latest, self._registry)).decode()


def _expression(given: list[str]) -> Expression | None:
    """What queues were asked for. Raises ValueError."""
    if not given:
        return None
    if len(given) > 1:
        raise ValueError("'queue' may be given once")
    if len(given[0]) > PATTERN_MAX:
        raise ValueError("'queue' regex too long")
    try:
        return Expression(given[0])
    except Malformed as error:
        raise ValueError(f"Invalid 'queue' regex at position {error.position}: {error}") from None


async def _gathered(pieces: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """The pieces as bytes, small ones joined."""
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        encoded = piece.encode()
        waiting.append(encoded)
        size += len(encoded)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)

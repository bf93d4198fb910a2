"""Long answers, sent piece by piece, so that neither memory nor anybody else waits for the whole."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from amqpd.management.encoding import Encoded
from amqpd.management.slices import Slices

GZIP: Final = 31
"""zlib's number for a gzip header and the largest window."""


class Streamed(web.StreamResponse):
    """JSON, compressed for those who take that."""

    def __init__(self, request: web.Request, encoded: Encoded) -> None:
        super().__init__(headers={"Content-Type": "application/json"})
        self._pieces: Final[Iterator[bytes]] = encoded.pieces()
        self._compressor: Final = zlib.compressobj(wbits=GZIP) if takes_gzip(request) else None
        if self._compressor is None:
            self.content_length = encoded.size
        else:
            self.headers["Content-Encoding"] = "gzip"

    async def write_eof(self, data: bytes = b"") -> None:
        """Send all of it; data is nothing."""
        slices = Slices()
        compressor = self._compressor
        for piece in self._pieces:
            await self.write(piece if compressor is None else await asyncio.to_thread(compressor.compress, piece))
            if slices.is_over():
                await slices.pause()
        await super().write_eof(b"" if compressor is None else compressor.flush())


def takes_gzip(request: web.Request) -> bool:
    """True if the client takes compressed answers."""
    return "gzip" in request.headers.get("Accept-Encoding", "")

"""A crowd of clients that all come at once."""

import asyncio
import resource
from typing import Final

from helpers import client
from helpers.broker import Broker
from helpers.recorder import OPEN, START_OK, tune_ok

GREETING: Final = client.HEADER + START_OK + tune_ok(channel_max=10) + OPEN
"""All that a client says until its connection is open."""
OPEN_OK: Final = b"\x00\x0a\x00\x29"
SECONDS: Final = 600.0


class Crowd:
    """Clients that connect at once and stay."""

    def __init__(self, broker: Broker, size: int) -> None:
        self._broker: Final = broker
        self._size: Final = size
        self._writers: Final[list[asyncio.StreamWriter]] = []

    async def come(self) -> int:
        """Open all connections; return how many were opened, each after as many attempts as it took."""
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*[self._open() for _ in range(self._size)])
        return len(self._writers)

    def go(self) -> None:
        """Close all connections without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _open(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._broker.host, self._broker.port)
                writer.write(GREETING)
                await reader.readuntil(OPEN_OK)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(1)
            else:
                self._writers.append(writer)
                return


def allow_files(count: int) -> None:
    """Let this process, and those that it starts, have so many files open. Raises ValueError, OSError."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))

import asyncio
import gc
import socket

from amqpd import sockets


class _Host(asyncio.Protocol):
    """Hangs up on those who say so."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"bye")
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del self._transport


def _visit(address: tuple[str, int], said: bytes) -> None:
    with socket.create_connection(address, timeout=30) as visitor:
        if said:
            visitor.sendall(said)
            while visitor.recv(10):
                pass


async def _left() -> list[str]:
    """What is left of asyncio's sockets after visits that either side ended, though nobody looked for garbage."""
    server = await asyncio.get_running_loop().create_server(_Host, "127.0.0.1", 0)
    gc.collect()
    gc.disable()
    try:
        for said in (b"", b"hello"):
            await asyncio.to_thread(_visit, server.sockets[0].getsockname(), said)
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)
        return [name for name in (type(found).__name__ for found in gc.get_objects()) if "SocketTransport" in name]
    finally:
        gc.enable()


def test_connections_leave_nothing() -> None:
    """A transport is freed at once when its connection ends."""
    sockets.mend()
    assert [] == asyncio.run(_left())

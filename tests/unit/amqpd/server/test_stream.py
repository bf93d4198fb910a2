"""Plain connections in the reactor: input, output, pauses, and ends of every kind."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from amqpd.server import reactor as reactor_module
from amqpd.server.acceptor import Acceptor
from amqpd.server.flush import FlushSet
from amqpd.server.reactor import READ, Reactor, Watched
from amqpd.server.stream import Stream
from amqpd.server.transport import WRITE_HIGH, Transport
from helpers.core import Core

pytestmark = pytest.mark.skipif(not reactor_module.is_available(), reason="this system has no epoll")

LARGE = bytes(range(256)) * 4096 * 8
"""More than the sockets of both ends buffer."""


class Stage:
    """A reactor on the running loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.flush_set = FlushSet(self.loop, Core().broker)
        self.reactor = Reactor(self.loop, self.flush_set)
        self.streams: list[Stream] = []

    def transport(self) -> Transport:
        """A transport that hears, but has nobody to tell."""
        return Transport(self.loop, self.flush_set, 60.0)

    def pair(self) -> tuple[Transport, Stream, socket.socket]:
        """The broker's transport and stream, and the client's socket."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            client = socket.create_connection(listening.getsockname())
            ours, _ = listening.accept()
        client.setblocking(False)
        transport = self.transport()
        stream = Stream(self.reactor, ours, transport)
        self.streams.append(stream)
        return transport, stream, client

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop run until it is so."""
        async with asyncio.timeout(10):
            while not is_so():  # noqa: ASYNC110 - nobody would set an event
                await asyncio.sleep(0.001)

    async def read(self, client: socket.socket, size: int) -> bytes:
        """So many bytes, or what comes before the end."""
        data = b""
        async with asyncio.timeout(10):
            while len(data) < size and (more := await self.loop.sock_recv(client, 1 << 20)):
                data += more
        return data


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    """Run a scene on a new stage."""

    async def main() -> None:
        stage = Stage()
        try:
            await scene(stage)
        finally:
            for stream in stage.streams:
                stream.abort()
            await asyncio.sleep(0)
            stage.reactor.close()

    asyncio.run(main())


def test_what_the_client_sends_is_heard() -> None:
    """Every byte reaches the transport, and counts."""

    async def scene(stage: Stage) -> None:
        transport, _, client = stage.pair()
        await stage.loop.sock_sendall(client, LARGE)
        await stage.until(lambda: transport.received == len(LARGE))
        client.close()
        await stage.until(lambda: transport.socket is None)

    play(scene)


def test_output_keeps_its_order_however_slowly_it_is_read() -> None:
    """What the socket does not take is buffered, and later writes go behind it."""

    async def scene(stage: Stage) -> None:
        _, stream, client = stage.pair()
        for start in range(0, len(LARGE), 100_000):
            stream.write(LARGE[start : start + 100_000])
        assert stream.get_write_buffer_size() > 0
        assert LARGE == await stage.read(client, len(LARGE))
        assert 0 == stream.get_write_buffer_size()
        client.close()

    play(scene)


def test_a_slow_reader_is_told_of_once_each_way() -> None:
    """Above the limit the transport is not writable; once the client caught up it is again."""

    async def scene(stage: Stage) -> None:
        transport, stream, client = stage.pair()
        stream.write(LARGE)
        assert stream.get_write_buffer_size() > WRITE_HIGH
        assert not transport.flow.writable
        await stage.read(client, len(LARGE))
        await stage.until(lambda: transport.flow.writable)
        client.close()

    play(scene)


def test_a_paused_stream_hears_nothing() -> None:
    """Input waits in the kernel until reading is resumed."""

    async def scene(stage: Stage) -> None:
        transport, stream, client = stage.pair()
        stream.pause_reading()
        client.send(b"hello")
        await asyncio.sleep(0.02)
        assert 0 == transport.received
        stream.resume_reading()
        await stage.until(lambda: transport.received == len(b"hello"))
        client.close()

    play(scene)


def test_a_paused_stream_ends_when_its_connection_breaks() -> None:
    """A reset is noticed although nothing is read."""

    async def scene(stage: Stage) -> None:
        transport, stream, client = stage.pair()
        stream.pause_reading()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        await stage.until(lambda: transport.socket is None)
        assert -1 == stream.socket.fileno()

    play(scene)


def test_closing_writes_what_is_buffered() -> None:
    """The client gets everything, then the end."""

    async def scene(stage: Stage) -> None:
        transport, stream, client = stage.pair()
        stream.write(LARGE)
        stream.close()
        assert stream.is_closing()
        assert LARGE == await stage.read(client, len(LARGE))
        await stage.until(lambda: transport.socket is None)
        client.close()

    play(scene)


def test_aborting_drops_what_is_buffered() -> None:
    """The end comes at once, and only once."""

    async def scene(stage: Stage) -> None:
        transport, stream, client = stage.pair()
        stream.write(LARGE)
        stream.abort()
        stream.abort()
        stream.write(b"into the void")
        await stage.until(lambda: transport.socket is None)
        assert 0 == stream.get_write_buffer_size()
        assert len(await stage.read(client, len(LARGE))) < len(LARGE)
        client.close()

    play(scene)


def test_what_fails_in_one_stream_ends_no_other() -> None:
    """The reactor hands an unexpected exception to whom it belongs, and serves the others."""

    class Broken(Watched):
        """Cannot read."""

        def __init__(self) -> None:
            self.error: Exception | None = None

        def readable(self) -> None:
            """See `Watched.readable`."""
            raise ValueError("broken")

        def writable(self) -> None:
            """See `Watched.writable`."""

        def failed(self, error: Exception) -> None:
            """See `Watched.failed`."""
            self.error = error

    async def scene(stage: Stage) -> None:
        one, other = socket.socketpair()
        broken = Broken()
        stage.reactor.watch(one.fileno(), broken, READ)
        other.send(b"x")
        transport, _, client = stage.pair()
        client.send(b"hello")
        await stage.until(lambda: transport.received == len(b"hello"))
        assert "broken" == str(broken.error)
        stage.reactor.forget(one.fileno())
        for end in (one, other, client):
            end.close()

    play(scene)


def test_the_acceptor_makes_a_stream_of_every_connection() -> None:
    """Also of many at once; and of none once it is closed."""

    async def scene(stage: Stage) -> None:
        made: list[Transport] = []

        def make() -> Transport:
            made.append(stage.transport())
            return made[-1]

        listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        address = listening.getsockname()
        acceptor = Acceptor(stage.reactor, listening, make)
        clients = [socket.create_connection(address) for _ in range(150)]
        await stage.until(lambda: len(made) == len(clients))
        acceptor.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        for client in clients:
            client.close()
        await stage.until(lambda: all(one.socket is None for one in made))

    play(scene)

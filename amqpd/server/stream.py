"""One plain TCP connection as a transport hears and writes it: what asyncio's sockets do, in fewer calls.

Invariants:

1. The protocol's `connection_lost` is called once, in a later callback of the loop than whatever ended the stream.
2. Output is written in order: as long as some is buffered, all further output is buffered behind it.
3. A paused stream is not read, but it ends when its connection breaks.
"""

from __future__ import annotations

import logging
import socket
from typing import Any, Final

from amqpd.server.reactor import READ, WRITE, Reactor, Watched
from amqpd.server.transport import Transport
from amqpd.shortage import end_if_out_of_memory

logger = logging.getLogger(__name__)

READ_BYTES: Final = 256 * 1024
"""At most so much is read at once."""


class Stream(Watched):
    """An accepted socket, with the methods of `asyncio.Transport` that a transport calls."""

    def __init__(self, reactor: Reactor, client: socket.socket, protocol: Transport) -> None:
        self.reactor: Final = reactor
        self.socket: Final = client
        self.protocol: Final = protocol
        self.file: Final[int] = client.fileno()
        self._peer_name: Final[Any] = client.getpeername()
        self._socket_name: Final[Any] = client.getsockname()
        self._events: int = READ
        self._buffer: Final[bytearray] = bytearray()
        self._low: int = 0
        self._high: int = 0
        self._is_high: bool = False
        """The protocol was told to write no more for now."""
        self._closing: bool = False
        self._lost: bool = False
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reactor.watch(self.file, self, self._events)
        protocol.connection_made(self)

    # --- called by the reactor -------------------------------------------------------------------------------------

    def readable(self) -> None:
        """See `Watched.readable`."""
        if self._lost:
            return
        if not self._events & READ:
            self._end(None)  # What nobody asked for can only be that the connection is broken.
            return
        try:
            data: bytes = self.socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self.protocol.data_received(data)
        else:
            self.close()

    def writable(self) -> None:
        """See `Watched.writable`."""
        self._drain()
        if self._is_high and len(self._buffer) <= self._low:
            self._is_high = False
            self.protocol.resume_writing()
        if self._closing and not self._buffer:
            self._end(None)

    def failed(self, error: Exception) -> None:
        """See `Watched.failed`."""
        end_if_out_of_memory(error)
        logger.error("internal error", exc_info=error, extra={"fields": {"peer": self.protocol.peer_address}})
        self._end(error)

    # --- called by the transport -----------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send the bytes, now or as soon as there is room."""
        if self._lost:
            return
        sent = 0 if self._buffer else self._send(data)
        if sent < len(data) and not self._lost:
            self._buffer.extend(data[sent:] if sent else data)
            self._want(self._events | WRITE)
        if not self._is_high and len(self._buffer) > self._high:
            self._is_high = True
            self.protocol.pause_writing()

    def close(self) -> None:
        """Read no more, and end it when everything is written."""
        if self._closing:
            return
        self._closing = True
        self._want(self._events & ~READ)
        if not self._buffer:
            self._end(None)

    def abort(self) -> None:
        """End it now."""
        self._end(None)

    def is_closing(self) -> bool:
        """True once it is closed or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._want(self._events & ~READ)

    def resume_reading(self) -> None:
        """Read again."""
        if not self._closing:
            self._want(self._events | READ)

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """Tell the protocol to pause above so many buffered bytes, and to go on at so few."""
        self._high = high
        self._low = low

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the client to read."""
        return len(self._buffer)

    def get_extra_info(self, name: str) -> Any:  # noqa: ANN401 - what asyncio knows under the name
        """`peername`, `sockname` or `socket`; None for what only TLS has."""
        if name == "peername":
            return self._peer_name
        if name == "sockname":
            return self._socket_name
        return self.socket if name == "socket" else None

    # --- the socket ------------------------------------------------------------------------------------------------

    def _send(self, data: bytes | bytearray) -> int:
        try:
            sent: int = self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._end(error)
            return 0
        return sent

    def _drain(self) -> None:
        if self._buffer:
            sent = self._send(self._buffer)
            del self._buffer[:sent]
        if not self._buffer:
            self._want(self._events & ~WRITE)

    def _want(self, events: int) -> None:
        if events != self._events and not self._lost:
            self._events = events
            self.reactor.change(self.file, events)

    def _end(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._closing = True
        self._buffer.clear()
        self.reactor.forget(self.file)
        self.reactor.loop.call_soon(self._ended, error)

    def _ended(self, error: Exception | None) -> None:
        try:
            self.protocol.connection_lost(error)
        finally:
            self.socket.close()

"""A proxy between suite and broker that counts the broker's methods and corrupts one of them.

A broker that answers a protocol header by its own has said its first word, too.
"""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Final

from conformance.mutation.corruption import Lie, corrupted_content, refuse, twist
from conformance.wire import frames
from conformance.wire.frames import Frame, FrameReader

NEVER: Final = 0
LOOPBACK: Final = "127.0.0.1"
PROTOCOL: Final = b"AMQP"


def dial(host: str, port: int) -> socket.socket:
    """A connection to the broker; on the loopback from an address of its own, as brokers limit the failed logins of one."""
    source = (f"127.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{secrets.randbelow(254) + 1}", 0)
    return socket.create_connection((host, port), source_address=source if host == LOOPBACK else None)


class Proxy:
    """Listens on a free port of the loopback; the broker's method with the number `victim`, from 1, becomes the lie.

    One that lingers does not pass on that the broker closed the connection.
    """

    def __init__(self, host: str, port: int, lie: Lie = twist, victim: int = NEVER, lingers: bool = False) -> None:
        self._upstream = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._seen = 0
        self._victim = victim
        self._lie = lie
        self._lingers = lingers
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        return int(self._listener.getsockname()[1])

    def be_honest(self) -> None:
        """Lies no more."""
        self._victim, self._lingers = NEVER, False

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = dial(*self._upstream)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._pass_on, args=(client, broker), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(broker, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> None:
        _copy(client, broker, lambda octets: octets)
        _close(client, broker)

    def _pass_back(self, broker: socket.socket, client: socket.socket) -> None:
        reader, liar = FrameReader(), Liar()

        def translate(octets: bytes) -> bytes:
            if octets.startswith(PROTOCOL):
                return self._header(octets)
            reader.feed(octets)
            translated = []
            while frame := reader.next():
                translated += liar.translate(frame, self._lie_about(frame))
            return b"".join(frame.encode() for frame in translated)

        _copy(broker, client, translate)
        if not self._lingers:
            _close(broker, client)

    def _header(self, octets: bytes) -> bytes:
        """A protocol header, which is a lie if it is the first word and the victim."""
        with self._lock:
            self._seen += 1
            return octets[::-1] if self._seen == self._victim else octets

    def _lie_about(self, frame: Frame) -> Lie | None:
        with self._lock:
            self._seen += frame.type == frames.METHOD
            return self._lie if frame.type == frames.METHOD and self._seen == self._victim else None


class Liar:
    """Corrupts the frames of one connection: a method on demand, and the content that follows it."""

    def __init__(self) -> None:
        self._corrupt_content_of: int | None = None
        self._hide_content_of: int | None = None

    def translate(self, frame: Frame, lie: Lie | None) -> list[Frame]:
        """What the client gets instead of this frame."""
        if frame.type == frames.METHOD:
            self._corrupt_content_of = frame.channel if lie is twist else None
            self._hide_content_of = frame.channel if lie is refuse else None
            return lie(frame) if lie else [frame]
        if frame.type in (frames.HEADER, frames.BODY):
            if frame.channel == self._hide_content_of:
                return []
            if frame.channel == self._corrupt_content_of:
                return corrupted_content(frame)
        return [frame]


def _copy(source: socket.socket, sink: socket.socket, translate: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while octets := source.recv(262144):
            sink.sendall(translate(octets))


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

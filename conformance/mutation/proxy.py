"""A proxy between suite and broker that counts the broker's methods and corrupts one of them."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from conformance.mutation.corruption import Lie, corrupted_content, refuse, twist
from conformance.wire import frames
from conformance.wire.frames import Frame, FrameReader

NEVER: Final = 0


class Proxy:
    """Listens on a free port of the loopback; `begin` says which of the broker's next methods is to be a lie."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._seen = 0
        self._victim = NEVER
        self._lie: Lie = twist
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        return int(self._listener.getsockname()[1])

    def begin(self, victim: int = NEVER, lie: Lie = twist) -> None:
        """Starts counting methods from 1; the one with this number will be replaced by the lie."""
        with self._lock:
            self._seen, self._victim, self._lie = 0, victim, lie

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(self._upstream)
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client, broker), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(broker, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> None:
        _copy(client, broker, lambda octets: octets)

    def _pass_back(self, broker: socket.socket, client: socket.socket) -> None:
        reader, liar = FrameReader(), Liar()

        def translate(octets: bytes) -> bytes:
            reader.feed(octets)
            translated = []
            while frame := reader.next():
                translated += liar.translate(frame, self._lie_about(frame))
            return b"".join(frame.encode() for frame in translated)

        _copy(broker, client, translate)

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
    for end in (sink, source):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

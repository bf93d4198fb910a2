"""A proxy between suite and broker that counts the broker's methods and corrupts one of them.

A broker that answers a protocol header by its own has said its first word, too.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from conformance.mutation.corruption import Lie, corrupted_content, refuse, twist
from conformance.mutation.listener import NEVER, Listener
from conformance.wire import frames
from conformance.wire.frames import Frame, FrameReader

PROTOCOL: Final = b"AMQP"


class Proxy(Listener):
    """Corrupts methods of the broker; one that lingers does not pass on that the broker closed the connection."""

    def __init__(self, host: str, port: int, lie: Lie = twist, victim: int = NEVER, lingers: bool = False) -> None:
        super().__init__(host, port, victim)
        self._lie = lie
        self._lingers = lingers
        self.start()

    def be_honest(self) -> None:
        """See `Listener.be_honest`."""
        super().be_honest()
        self._lingers = False

    def serve(self, client: socket.socket) -> None:
        """See `Listener.serve`."""
        try:
            broker = self.dial()
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pass_on, args=(client, broker), daemon=True).start()
        self._pass_back(broker, client)

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
        return octets[::-1] if self.is_victim() else octets

    def _lie_about(self, frame: Frame) -> Lie | None:
        return self._lie if frame.type == frames.METHOD and self.is_victim() else None


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

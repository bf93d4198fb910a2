"""One TCP (or TLS) connection to the broker: octets out, frames in, both noted in the transcript."""

import socket
import ssl
import time

from conformance.client.transcript import Transcript
from conformance.wire.frames import Frame, FrameReader, abbreviate


class Disconnected(Exception):
    """The broker closed or reset the TCP connection."""


class Link:
    """Sends octets and receives frames; number is how the transcript calls this connection."""

    def __init__(self, address: tuple[str, int], transcript: Transcript, number: int, tls: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection(address, timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname=address[0])
        self._transcript = transcript
        self._reader = FrameReader()
        self._is_open = True
        self.number = number

    def send_octets(self, octets: bytes, note: str = "") -> None:
        """Sends octets as they are; a broken pipe is left for the next receive to report."""
        self._transcript.sent(self.number, note or f"octets {abbreviate(octets)}")
        self._send(octets)

    def send_frames(self, *frames: Frame) -> None:
        """Sends frames in one write."""
        for frame in frames:
            self._transcript.sent(self.number, frame)
        self._send(b"".join(frame.encode() for frame in frames))

    def send_slices(self, frames: list[Frame], size: int) -> None:
        """Sends frames in writes of `size` octets each."""
        for frame in frames:
            self._transcript.sent(self.number, frame)
        octets = b"".join(frame.encode() for frame in frames)
        for start in range(0, len(octets), size):
            self._send(octets[start : start + size])

    def _send(self, octets: bytes) -> None:
        try:
            self._socket.settimeout(10)
            self._socket.sendall(octets)
        except OSError as error:
            self._transcript.sent(self.number, f"(not sent: {type(error).__name__})")

    def receive_frame(self, deadline: float) -> Frame:
        """The next frame; raises TimeoutError at the deadline (monotonic seconds) and Disconnected at the end."""
        while (frame := self._reader.next()) is None:
            self._reader.feed(self.receive_octets(deadline))
        self._transcript.received(self.number, frame)
        return frame

    def receive_octets(self, deadline: float) -> bytes:
        """Some octets; raises TimeoutError at the deadline (monotonic seconds) and Disconnected at the end."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            self._socket.settimeout(left)
            octets = self._socket.recv(262144)
        except TimeoutError:
            raise
        except OSError as error:
            octets = b""
            self._transcript.received(self.number, f"({type(error).__name__})")
        if not octets:
            self._transcript.received(self.number, "(connection closed by the broker)")
            raise Disconnected
        return octets

    def stop_sending(self) -> None:
        """Sends the end of the stream, and can still receive."""
        self._transcript.sent(self.number, "(end of stream)")
        self._socket.shutdown(socket.SHUT_WR)

    def drop(self) -> None:
        """Closes the TCP connection without a word of AMQP."""
        if self._is_open:
            self._is_open = False
            self._transcript.sent(self.number, "(connection closed by the suite)")
            self._socket.close()

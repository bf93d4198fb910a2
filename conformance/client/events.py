"""What arrives on a channel: methods, and messages put together from method, header and body frames."""

from typing import Any

from conformance.wire import frames
from conformance.wire.content import Header
from conformance.wire.frames import Frame
from conformance.wire.methods import CONTENT_METHODS, Method, decode_method


class Message:
    """A content-bearing method with its header and body; the method's arguments are read as attributes."""

    def __init__(self, method: Method, header: Header, body: bytes, body_frames: list[Frame]) -> None:
        self.method = method
        self.name = method.name
        self.header = header
        self.properties = header.properties
        self.body = body
        self.body_frames = body_frames

    @property
    def headers(self) -> dict[str, Any]:
        """The headers property, empty when absent."""
        headers: dict[str, Any] = self.properties.get("headers", {})
        return headers

    def __getattr__(self, argument: str) -> Any:
        return getattr(self.__dict__["method"], argument)

    def __repr__(self) -> str:
        return f"{self.method!r} {self.properties!r} {self.body[:40]!r}"


Event = Method | Message


class Assembler:
    """Puts one channel's frames together; raises ValueError when they come in an order that 4.2.6 forbids."""

    def __init__(self) -> None:
        self._method: Method | None = None
        self._header: Header | None = None
        self._bodies: list[Frame] = []

    def add(self, frame: Frame) -> Event | None:
        """The event that this frame completes, if it does."""
        if frame.type == frames.METHOD:
            return self._add_method(frame)
        if self._method is None:
            raise ValueError(f"content without a method: {frame.describe()}")
        if frame.type == frames.HEADER and self._header is None:
            self._header = Header(frame.payload)
        elif frame.type == frames.BODY and self._header is not None:
            self._bodies.append(frame)
        else:
            raise ValueError(f"unexpected frame inside content: {frame.describe()}")
        return self._finished()

    def _add_method(self, frame: Frame) -> Event | None:
        method = decode_method(frame.payload)
        if self._method is not None and method.name != "channel.close":
            raise ValueError(f"{method.name} inside the content of {self._method.name}")
        if method.name not in CONTENT_METHODS:
            return method
        self._method, self._header, self._bodies = method, None, []
        return None

    def _finished(self) -> Message | None:
        method, header = self._method, self._header
        body = b"".join(frame.payload for frame in self._bodies)
        if method is None or header is None or len(body) < header.body_size:
            return None
        self._method = None
        return Message(method, header, body, self._bodies)

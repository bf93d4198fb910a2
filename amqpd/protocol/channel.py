"""One channel as the wire sees it (specification 2.3.5.2): it gathers the frames of a message and hands them on whole."""

from __future__ import annotations

from typing import Final

from amqpd.errors import BadSyntax, FrameError, PreconditionFailed, UnexpectedFrame
from amqpd.protocol.handler import ChannelHandler
from amqpd.protocol.states import EXPECT_BODY, EXPECT_HEADER, EXPECT_METHOD
from amqpd.wire import properties

CONTENT_CEILING: Final = 512 * 1024 * 1024
"""No configuration admits larger bodies than this; a header that announces one is a frame error."""


class ContentStopped(Exception):
    """Part of a message was heard, and nothing is to be heard after it."""


class Channel:
    """Content assembly and closing state of one channel."""

    def __init__(self, number: int, handler: ChannelHandler, max_message_size: int) -> None:
        self.number: Final = number
        self.handler: Final = handler
        self.max_message_size: Final = max_message_size
        self.closing: bool = False
        """True once channel.close was sent: frames are dropped until it is answered."""
        self.expecting: int = EXPECT_METHOD
        self.publish: bytes = b""
        self.header: bytes = b""
        self.parts: list[bytes] = []
        self.missing: int = 0
        """Octets of the body that are still to come."""
        self.repeats: bool = False
        """True if the last message had the same method and header payloads as the one before."""

    def start(self, publish: bytes) -> None:
        """basic.publish arrived: a content header is due. Raises BadSyntax."""
        if publish == self.publish:
            self.repeats = True
        else:
            _check(publish)
            self.publish = publish
            self.repeats = False
        self.expecting = EXPECT_HEADER

    def content_header(self, header: bytes) -> None:
        """A content header frame. Raises UnexpectedFrame, FrameError, PreconditionFailed."""
        if self.expecting != EXPECT_HEADER:
            raise self._unexpected()
        if len(header) < properties.FIXED_SIZE:
            raise FrameError("content header is cut short")
        class_id = header[0] << 8 | header[1]
        if class_id != properties.BASIC:
            raise UnexpectedFrame(f"expected content header for class 60, got one for class {class_id} instead")
        if header[2] or header[3]:
            raise UnexpectedFrame("expected content header of weight 0 (specification 4.2.6.1)")
        if header != self.header:
            self.header = header
            self.repeats = False
        size = properties.body_size(header)
        if size > self.max_message_size:
            self.refuse(size)
        self.missing = size
        self.expecting = EXPECT_BODY
        if not size:
            self._whole(b"")

    def refuse(self, size: int) -> None:
        """Raise what too large a body deserves."""
        self.expecting = EXPECT_METHOD
        if size > CONTENT_CEILING:
            raise FrameError(f"content body size {size} exceeds maximum allowed size {CONTENT_CEILING}")
        raise PreconditionFailed(f"message size {size} is larger than configured max size {self.max_message_size}")

    def content_body(self, part: bytes) -> None:
        """A content body frame. Raises UnexpectedFrame, FrameError."""
        if self.expecting != EXPECT_BODY:
            raise self._unexpected()
        self.missing -= len(part)
        if self.missing < 0:
            raise FrameError("content body frame exceeds remaining content size")
        if self.missing:
            self.parts.append(part)
        elif self.parts:
            self.parts.append(part)
            body = b"".join(self.parts)
            self.parts = []
            self._whole(body)
        else:
            self._whole(part)

    def _whole(self, body: bytes) -> None:
        self.expecting = EXPECT_METHOD
        self.handler.publish(self.publish, self.header, body)

    def check_method(self) -> None:
        """A method frame other than content arrived. Raises UnexpectedFrame while content is due."""
        if self.expecting != EXPECT_METHOD:
            raise self._unexpected()

    def _unexpected(self) -> UnexpectedFrame:
        if self.expecting == EXPECT_METHOD:
            return UnexpectedFrame("expected method frame, got non method frame instead")
        if self.expecting == EXPECT_HEADER:
            return UnexpectedFrame("expected content header for class 60, got non content header frame instead")
        return UnexpectedFrame("expected content body, got non content body frame instead")

    def drop_content(self) -> None:
        """Forget a message that is only partly there."""
        self.expecting = EXPECT_METHOD
        self.parts = []
        self.missing = 0


def _check(publish: bytes) -> None:
    """Ids, ticket, two short strings and an octet of bits make a basic.publish."""
    size = len(publish)
    if size > 8:
        exchange_end = 7 + publish[6]
        if exchange_end < size and exchange_end + publish[exchange_end] + 2 == size:
            return
    raise BadSyntax("basic.publish is cut short")

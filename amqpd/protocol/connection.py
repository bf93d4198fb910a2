"""One connection as the wire sees it: a parser of frames and the rules of opening, closing and failing.

1. Any bytes whatever lead to commands or to a close: only defects raise, and those are reported to the handler.
2. What is kept of unfinished input is bounded by one frame, or by one message of the announced size.
3. After channel.close was sent, nothing but its answer is heard on that channel; after connection.close, on any.
4. A soft error on channel 0 is a hard one (there is no channel to close).
5. A command that raises `Undecided` has done nothing; it and all that follows wait for `resume`, and it is the first then.
6. While it stops at content, the next content header or body is the last frame that it hears; the handler gets the rest.
7. It hears as many frames at once as its handler allows; what follows waits for `resume`.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from amqpd.errors import (
    AccessRefused,
    AmqpError,
    BadSyntax,
    ChannelError,
    CommandInvalid,
    FrameError,
    InternalError,
    NotAllowed,
    Undecided,
    UnexpectedFrame,
)
from amqpd.protocol.channel import Channel, ContentStopped
from amqpd.protocol.handler import NOBODY, ConnectionHandler
from amqpd.protocol.handshake import Limits
from amqpd.protocol.output import ANSWERS_MAX, Output
from amqpd.protocol.repeat import Repeat, repeat_of
from amqpd.protocol.states import CLOSED, CLOSING, CONNECTION, EXPECT_METHOD, HEADER, OPENING, RUNNING, STARTING, TUNING
from amqpd.wire import frames, methods
from amqpd.wire.frames import BODY, END, FRAME_OVERHEAD, HEARTBEAT, METHOD
from amqpd.wire.frames import HEADER as HEADER_FRAME
from amqpd.wire.methods import METHODS

_PUBLISH: Final = 60 << 16 | 40
_ACK: Final = 60 << 16 | 80
_CONNECTION_CLASS: Final = 10
_CHANNEL_CLOSE: Final = METHODS["channel.close"]
_CHANNEL_CLOSE_OK: Final = METHODS["channel.close-ok"]
_CHANNEL_OPEN: Final = METHODS["channel.open"]
_CONNECTION_CLOSE: Final = METHODS["connection.close"]
_CONNECTION_CLOSE_OK: Final = METHODS["connection.close-ok"]


class Connection:
    """Feeds on `receive_data`, calls its handlers, and collects what is to be sent in its output."""

    def __init__(self, handler: ConnectionHandler, output: Output, max_message_size: int) -> None:
        self.handler: ConnectionHandler = handler
        self.output: Final = output
        self.max_message_size: Final = max_message_size
        self.state: str = HEADER
        self.limits: Limits = Limits(0, frames.FRAME_MIN * 2, 0)
        """Before tuning is complete, frames of twice the least size are accepted: client properties can be long."""
        self.closes_on_refusal: bool = False
        """The peer has the capability authentication_failure_close."""
        self.channels: dict[int, Channel] = {}
        self.waits: bool = False
        """Input is kept, and heard after `resume` (5, 7)."""
        self.stops_at_content: bool = False
        """While the peer must not publish (6)."""
        self._undecided: Channel | None = None
        """The channel that published, if that is the command."""
        self._rest: bytes = b""
        self._deaf: bool = False
        self._allowed: i64 = 0  # Frames until the handler is asked for more (7).
        self._repeat: Repeat | None = None
        self._next: i64 = 0
        self._at_channel: int = 0
        self._at_method: int = 0

    # --- input -----------------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer, in pieces of any size."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self.waits:
            self._rest = data
            return
        position: i64 = 0
        if self.state == HEADER:
            position = self._protocol_header(data)
        while not self._deaf and self.state != CLOSED:
            try:
                position = self._parse(data, position)
            except AmqpError as error:
                self._fail(error)
                position = self._next
            except Undecided as question:
                self._wait(question, data, position)
                return
            except ContentStopped:
                self.handler.stopped(data[self._next :])
                return
            except Exception as defect:  # noqa: BLE001 - a defect must cost one connection, not the broker
                self.handler.crashed(defect)
                self._fail(InternalError())
                position = self._next
            else:
                if position < len(data) and self.state != HEADER:
                    self._rest = data[position:] if position else data
                return

    def _protocol_header(self, data: bytes) -> i64:
        expected = frames.PROTOCOL_HEADER
        if data[:8] == expected or data[:8] == frames.PROTOCOL_HEADER_0_9:
            self.state = STARTING
            self.handler.method(METHODS["connection.start"], [])
            return 8
        if len(data) < 8 and (expected.startswith(data) or frames.PROTOCOL_HEADER_0_9.startswith(data)):
            self._rest = data
            return 0
        self.output.add(expected)
        self.state = CLOSED
        self.handler.dropped("protocol header mismatch", True)
        return 0

    def _parse(self, data: bytes, position: i64) -> i64:
        """Handle every whole frame from position on; return where the unfinished rest begins."""
        end: i64 = len(data)
        if self.state == HEADER:
            return position
        undecided = self._undecided
        if undecided is not None:
            self._undecided = None
            self._next = position
            self._at_channel = undecided.number
            self._at_method = _PUBLISH
            undecided.handler.publish_again()
        limit: i64 = self.limits.frame_max or 0x7FFFFFFF
        while end - position >= FRAME_OVERHEAD:
            if not self._allowed:
                self._allowed = self.handler.allowance()
                if not self._allowed:
                    self.waits = True
                    return position
            self._allowed -= 1
            repeat = self._repeat
            if repeat is not None:
                start: i64 = position + len(repeat.prefix)
                if data[position:start] == repeat.prefix:
                    stop: i64 = position + repeat.size
                    if stop > end:
                        return position
                    if data[stop - 1] == END:
                        self._next = stop
                        self._at_channel = repeat.channel.number
                        self._at_method = _PUBLISH
                        repeat.channel.handler.publish(repeat.method, repeat.header, data[start : stop - 1])
                        position = stop
                        continue
            size: i64 = (data[position + 3] << 24) | (data[position + 4] << 16) | (data[position + 5] << 8) | data[position + 6]
            stop = position + size + FRAME_OVERHEAD
            if size > limit:
                too_large = f"{{frame_too_large,{size},{self.limits.frame_max - 8}}}"
                self._lost_track(f"type {data[position]}, {size} octets: {too_large}")
            if stop > end:
                if data[position] > HEARTBEAT:
                    self._lost_track(f"type {data[position]}: unknown_frame")
                return position
            if data[stop - 1] != END:
                self._deaf = True
                raise FrameError(f"type {data[position]}, {size} octets: {{invalid_frame_end_marker,{data[stop - 1]}}}")
            self._next = stop
            self._frame(data[position], data[position + 1] << 8 | data[position + 2], data[position + 7 : stop - 1])
            if self._deaf or self.state == CLOSED:
                return stop
            if self.state != RUNNING:
                limit = self.limits.frame_max or 0x7FFFFFFF
            position = stop
        return position

    def _wait(self, question: Undecided, data: bytes, position: i64) -> None:
        """Keep the undecided command and what follows (5); a message is kept by its channel, else its frame is kept."""
        if self._at_method == _PUBLISH:
            self._undecided = self.channels[self._at_channel]
            position = self._next
        else:
            position = frames.start_of(data, position, self._next)
        self._rest = data[position:]
        self.waits = True
        self.handler.undecided(question)

    def resume(self) -> None:
        """What it waits for is there: go on."""
        self.waits = False
        self.receive_data(b"")

    def stop_at_content(self, stops: bool) -> None:
        """Whether the next frame of a message is the last one that is heard (6)."""
        self.stops_at_content = stops
        self._repeat = None

    def _lost_track(self, problem: str) -> None:
        self._deaf = True
        self._at_channel = self._at_method = 0
        raise FrameError(problem)

    def _frame(self, frame_type: int, number: int, payload: bytes) -> None:
        self._at_channel = number
        self._at_method = 0
        if self.state == CLOSING and (number or frame_type != METHOD):
            return
        if number == 0:
            self._frame_on_zero(frame_type, payload)
            return
        if frame_type == HEARTBEAT:
            raise UnexpectedFrame(f"type {frame_type}, heartbeat on channel {number}")
        if frame_type != METHOD and frame_type != HEADER_FRAME and frame_type != BODY:
            self._lost_track(f"type {frame_type}: unknown_frame")
        if self.state != RUNNING:
            raise ChannelError(f"unexpected method in connection state {self.state}")
        channel = self.channels.get(number)
        if channel is None:
            self._frame_on_unopened(frame_type, number, payload)
        elif channel.closing:
            self._frame_on_closing(frame_type, channel, payload)
        elif frame_type == METHOD:
            self._method(channel, payload)
        else:
            self._at_method = _PUBLISH
            if frame_type == HEADER_FRAME:
                channel.content_header(payload)
            else:
                channel.content_body(payload)
            if self.stops_at_content:
                raise ContentStopped
            if channel.repeats and channel.expecting == EXPECT_METHOD:
                self._repeat = repeat_of(channel, self.limits.frame_max) or self._repeat

    # --- methods ---------------------------------------------------------------------------------------------------

    def _method(self, channel: Channel, payload: bytes) -> None:
        channel.check_method()
        if len(payload) < 4:
            raise BadSyntax("method frame is cut short")
        key = payload[0] << 24 | payload[1] << 16 | payload[2] << 8 | payload[3]
        self._at_method = key
        if key == _PUBLISH:
            repeat = self._repeat
            if repeat is not None and repeat.channel is channel:
                self._repeat = None  # Else a whole message could pass for one within the message that begins here.
            channel.start(payload)
        elif key == _ACK:
            if len(payload) != 13:
                raise BadSyntax("basic.ack is cut short")
            channel.handler.ack(int.from_bytes(payload[4:12], "big"), (payload[12] & 1) != 0)
        else:
            method, values = methods.decode(payload)
            if method.class_id == _CONNECTION_CLASS:
                raise CommandInvalid(f"{method.name} on channel {channel.number}")
            if method is _CHANNEL_CLOSE:
                self.forget(channel)
                self.send(channel.number, _CHANNEL_CLOSE_OK, ())
            elif method is _CHANNEL_OPEN:
                raise ChannelError("second 'channel.open' seen")
            elif method is not _CHANNEL_CLOSE_OK:
                channel.handler.method(method, values)
                if self.output.size > ANSWERS_MAX:
                    self._allowed = 0

    def _frame_on_unopened(self, frame_type: int, number: int, payload: bytes) -> None:
        if frame_type != METHOD:
            raise ChannelError("expected 'channel.open'")
        method, _values = methods.decode(payload)
        self._at_method = method.key
        if method is _CHANNEL_CLOSE_OK:
            return
        if method is not _CHANNEL_OPEN:
            raise ChannelError("expected 'channel.open'")
        handler = self.handler.open_channel(number)
        self.channels[number] = Channel(number, handler, self.max_message_size)
        self.send(number, METHODS["channel.open-ok"], (b"",))

    def _frame_on_closing(self, frame_type: int, channel: Channel, payload: bytes) -> None:
        if frame_type != METHOD or len(payload) < 4:
            return
        key = payload[0] << 24 | payload[1] << 16 | payload[2] << 8 | payload[3]
        if key == _CHANNEL_CLOSE_OK.key:
            del self.channels[channel.number]
        elif key == _CHANNEL_CLOSE.key:
            self.send(channel.number, _CHANNEL_CLOSE_OK, ())

    def _frame_on_zero(self, frame_type: int, payload: bytes) -> None:
        if frame_type == HEARTBEAT:
            if payload:
                raise FrameError("heartbeat with a payload")
            return
        if frame_type != METHOD:
            if frame_type != HEADER_FRAME and frame_type != BODY:
                self._lost_track(f"type {frame_type}: unknown_frame")
            raise UnexpectedFrame(f"type {frame_type}, unexpected frame on channel 0")
        if self.state == CLOSING and payload[:4] not in (b"\x00\x0a\x00\x32", b"\x00\x0a\x00\x33"):
            return
        method, values = methods.decode(payload)
        self._at_method = method.key
        following = CONNECTION[self.state].get(method.name)
        if following is None:
            raise ChannelError(f"unexpected method in connection state {self.state}")
        if method is _CONNECTION_CLOSE:
            self._end()  # First, so that exclusive queues are gone before close-ok leaves.
            self.handler.method(method, values)
            self.send(0, _CONNECTION_CLOSE_OK, ())
        elif method is _CONNECTION_CLOSE_OK:
            self._end()
            self.handler.method(method, values)
        else:
            self.handler.method(method, values)
            if self.state not in (CLOSING, CLOSED):
                self.state = following

    # --- closing and failing ---------------------------------------------------------------------------------------

    def forget(self, channel: Channel) -> None:
        """The peer closed the channel: its number is free again."""
        del self.channels[channel.number]
        self._drop(channel)

    def _drop(self, channel: Channel) -> None:
        if self._repeat is not None and self._repeat.channel is channel:
            self._repeat = None
        if self._undecided is channel:
            self._undecided = None
        channel.drop_content()
        channel.handler.closed()

    def _end(self) -> None:
        """Nothing is heard any more; every channel is torn down."""
        self.state = CLOSED
        self._repeat = None
        channels = [channel for channel in self.channels.values() if not channel.closing]
        self.channels = {}
        for channel in channels:
            channel.handler.leaving()
        for channel in channels:
            self._drop(channel)

    def lost(self) -> None:
        """The socket is gone: nothing is heard, and nobody told, any more."""
        if self.state != CLOSED or self.channels:
            self._end()
        self.handler = NOBODY  # Its owner and it would keep each other until somebody looks for garbage.

    def _fail(self, error: AmqpError) -> None:
        if self.state == CLOSING:
            if self._deaf:
                self._end()
            return
        channel = self.channels.get(self._at_channel)
        if not error.hard and channel is not None and not channel.closing:
            self.close_channel(channel, error, self._at_method)
        elif self.state == RUNNING or self.state == OPENING:
            self.close(error, 0 if error.code == FrameError.code else self._at_method)
        elif self.state == TUNING and error.code == NotAllowed.code:
            self.close(error, METHODS["connection.tune"].key)
        elif self.state == STARTING and isinstance(error, AccessRefused):
            self._refuse(error)
        else:
            self._end()
            self.handler.dropped(error.reply_text, False)

    def _refuse(self, error: AccessRefused) -> None:
        """Old clients take a dropped connection for a wrong password, newer ones are told (authentication_failure_close)."""
        if self.closes_on_refusal:
            self.close(error, 0)
        else:
            self._end()
            self.handler.dropped(error.reply_text, True)

    def close_channel(self, channel: Channel, error: AmqpError, method: int) -> None:
        """Send channel.close for a soft error; method is class id << 16 | method id, 0 if no method is to blame."""
        channel.closing = True
        self._drop(channel)
        self.send(channel.number, _CHANNEL_CLOSE, (error.code, error.reply_text, method >> 16, method & 0xFFFF))
        self.handler.channel_failed(channel.number, error.reply_text)

    def close(self, error: AmqpError, method: int) -> None:
        """Send connection.close; method is class id << 16 | method id, 0 if no method is to blame."""
        if self.state in (CLOSING, CLOSED):
            return
        deaf = self._deaf
        self._end()
        self.state = CLOSING
        self.send(0, _CONNECTION_CLOSE, (error.code, error.reply_text, method >> 16, method & 0xFFFF))
        self.handler.closing(error.reply_text, deaf)

    # --- output ----------------------------------------------------------------------------------------------------

    def send(self, channel: int, method: methods.Method, values: tuple[object, ...]) -> None:
        """Send one method frame."""
        self.output.add(frames.frame(METHOD, channel, methods.encode(method, values)))

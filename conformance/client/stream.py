"""Frames of one connection sorted by channel: sending methods, waiting for events."""

import struct
import time
from collections import deque
from typing import Any

from conformance.client.events import Assembler, Event
from conformance.client.link import Disconnected, Link
from conformance.mismatch import Mismatch
from conformance.wire import frames
from conformance.wire.frames import Frame
from conformance.wire.methods import BY_NAME, encode_method


class Stream:
    """Every wait ends after `timeout` seconds with a Mismatch."""

    def __init__(self, link: Link, timeout: float) -> None:
        self.link = link
        self.timeout = timeout
        self.frame_max = 4096
        self.heartbeats = 0
        self.declared: list[tuple[str, str]] = []
        self._inboxes: dict[int, deque[Event]] = {}
        self._assemblers: dict[int, Assembler] = {}

    def send(self, name: str, channel: int = 0, **arguments: Any) -> None:
        """Sends one method."""
        self.send_frames(Frame(frames.METHOD, channel, encode_method(name, arguments)))

    def send_frames(self, *outgoing: Frame) -> None:
        """Sends frames in one write."""
        self.link.send_frames(*outgoing)

    def heartbeat(self, channel: int = 0) -> None:
        """Sends a heartbeat frame."""
        self.send_frames(Frame(frames.HEARTBEAT, channel, b""))

    def inbox(self, channel: int) -> deque[Event]:
        """What arrived on a channel and was not taken yet."""
        return self._inboxes.setdefault(channel, deque())

    def pump(self, deadline: float) -> None:
        """Receives one frame into the inbox of its channel; TimeoutError, Disconnected."""
        frame = self.link.receive_frame(deadline)
        if frame.type == frames.HEARTBEAT:
            self.heartbeats += 1
            return
        try:
            event = self._assemblers.setdefault(frame.channel, Assembler()).add(frame)
        except (ValueError, KeyError, IndexError, struct.error) as error:
            raise Mismatch("well-formed frames in a legal order", str(error)) from error
        if event is not None:
            self.inbox(frame.channel).append(event)

    def wait(self, *names: str, channel: int = 0, timeout: float | None = None) -> Event:
        """The next event of one of these names on a channel; others stay. Mismatch when it does not come."""
        within = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + within
        wanted = " or ".join(names)
        while True:
            if event := self._taken(names, channel):
                return event
            try:
                self.pump(deadline)
            except TimeoutError:
                raise Mismatch(wanted, f"nothing for {within:g} seconds") from None
            except Disconnected:
                raise Mismatch(wanted, "the broker closed the TCP connection") from None

    def _taken(self, names: tuple[str, ...], channel: int) -> Event | None:
        inbox = self.inbox(channel)
        for event in inbox:
            if event.name in names:
                inbox.remove(event)
                return event
            if event.name == "channel.close":
                raise Mismatch(" or ".join(names), describe_close(event))
        for event in self.inbox(0):
            if event.name == "connection.close" and "connection.close" not in names:
                raise Mismatch(" or ".join(names), describe_close(event))
        return None


def describe_close(close: Event) -> str:
    """A close method in words, with the name of the method at fault."""
    by = next((name for name, method in BY_NAME.items() if method.ids == (close.class_id, close.method_id)), "no method")
    return f"{close.name} {close.reply_code} {close.reply_text!r} by {by}"


def check_close(close: Event, code: int, by: str | None) -> None:
    """Raises Mismatch unless a close method carries this code and the ids of the method at fault."""
    if close.reply_code != code:
        raise Mismatch(f"{close.name} {code}", describe_close(close))
    if by is not None and (close.class_id, close.method_id) != BY_NAME[by].ids:
        raise Mismatch(f"class and method ids of {by}: {BY_NAME[by].ids}", describe_close(close))

"""The commands of one channel: publish and ack go straight to the session, every other method to its handler in `on_*`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from amqpd.broker import connection_facts
from amqpd.broker.pace import Pace
from amqpd.broker.publication import Draft, Publication
from amqpd.broker.session import Session
from amqpd.errors import CommandInvalid, Undecided, Unimplemented
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ChannelHandler
from amqpd.server.transport import Transport
from amqpd.wire.methods import METHODS, Method

Handlers = dict[str, Callable[..., None]]
"""By method name: a function that takes the channel and the method's arguments in the order of their row."""

NOTHING: Final = (b"", b"", b"")
MEMO_LIMIT: Final = 1024
"""Addresses of publishes that a channel remembers; one that uses more starts over."""


class ChannelCommands(ChannelHandler):
    """One open channel on the server's side."""

    def __init__(
        self, number: int, connection: Connection, transport: Transport, session: Session, handlers: Handlers,
        pace: Pace,
    ) -> None:  # fmt: skip
        self.number: Final = number
        self.connection: Final = connection
        self.transport: Final = transport
        self.session: Final = session
        self._handlers: Final = handlers
        self._pace: Final = pace
        self._publications: dict[bytes, Publication] = {}
        self._method: bytes = b""
        self._header: bytes = b""
        self._draft: Draft | None = None
        self._undecided: tuple[bytes, bytes, bytes] = NOTHING
        """The message that waits for an answer."""

    def publish(self, method: bytes, header: bytes, body: bytes) -> None:
        """basic.publish with its content."""
        try:
            draft = self._draft
            if draft is None or method is not self._method or header is not self._header:
                draft = self._new_draft(method, header)
            if self._pace.is_limited:
                self._keep_pace()
            self.session.publish(draft, body)
        except Undecided:
            self._undecided = (method, header, body)
            raise

    def _keep_pace(self) -> None:
        client = self.session.client
        seconds = self._pace.published(client.user, client.vhost)
        if seconds:
            self.transport.rest(seconds)

    def publish_again(self) -> None:
        """The last message, which was undecided."""
        method, header, body = self._undecided
        self._undecided = NOTHING
        self.publish(method, header, body)

    def _new_draft(self, method: bytes, header: bytes) -> Draft:
        publication = self._publications.get(method)
        if publication is None:
            publication = self._new_publication(method)
        draft = self.session.draft(publication, header)
        self._method = method
        self._header = header
        self._draft = draft
        return draft

    def forget_draft(self) -> None:
        """What the next message says is to be read anew, although it may be the same as before."""
        self._draft = None

    def _new_publication(self, method: bytes) -> Publication:
        bits = method[-1]
        if bits & 2:
            raise Unimplemented("immediate=true")
        address = method[6:-1]
        exchange = address[1 : 1 + address[0]].decode("utf-8", "surrogateescape")
        routing_key = address[2 + address[0] :].decode("utf-8", "surrogateescape")
        publication = self.session.publication(exchange, routing_key, (bits & 1) != 0, address)
        if len(self._publications) >= MEMO_LIMIT:
            self._publications.clear()
        self._publications[method] = publication
        return publication

    def ack(self, delivery_tag: int, multiple: bool) -> None:
        """basic.ack."""
        self.session.ack(delivery_tag, multiple)

    def method(self, method: Method, values: list[object]) -> None:
        """Any other method."""
        handler = self._handlers.get(method.name)
        if handler is None:
            raise CommandInvalid("unimplemented method")
        session = self.session
        session.events.actor = session.client.user
        handler(self, *values)

    def leaving(self) -> None:
        """The connection ends."""
        self.session.leave()

    def closed(self) -> None:
        """The channel is gone."""
        self.session.close()
        self.session.events.emit("channel.closed", connection_facts.channel_closed(self.session))
        self._publications.clear()
        self._draft = None

    def reply(self, name: str, *values: Any) -> None:  # noqa: ANN401 - as the row of the method says
        """Send a method on this channel."""
        self.connection.send(self.number, METHODS[name], values)

    def hold(self) -> None:
        """Let nothing leave this connection until everything queued so far is durable."""
        self.transport.hold()

"""What the protocol asks of its owner: the two bases that the server's side implements."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.errors import Undecided
from amqpd.wire.methods import Method


@mypyc_attr(allow_interpreted_subclasses=True)
class ChannelHandler:
    """Takes the commands of one channel; any of them may raise AmqpError."""

    def publish(self, method: bytes, header: bytes, body: bytes) -> None:
        """A whole message: the payloads of basic.publish and of the content header, and the joined body.

        Equal method or header payloads of consecutive messages may be the same object. May raise Undecided.
        """
        raise NotImplementedError

    def publish_again(self) -> None:
        """The last message, which was undecided; as in `publish`."""
        raise NotImplementedError

    def ack(self, delivery_tag: int, multiple: bool) -> None:
        """basic.ack."""
        raise NotImplementedError

    def method(self, method: Method, values: list[object]) -> None:
        """Any other method; values in the order of its row in `wire.methods`. May raise Undecided."""
        raise NotImplementedError

    def leaving(self) -> None:
        """The connection ends: `closed` follows, once all its channels know; none gets what another one gives back."""
        raise NotImplementedError

    def closed(self) -> None:
        """The channel is gone, whoever closed it; called once."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class ConnectionHandler:
    """Takes what concerns the connection as a whole."""

    def method(self, method: Method, values: list[object]) -> None:
        """A method on channel 0 that the connection's state allows; may raise AmqpError, Undecided."""
        raise NotImplementedError

    def open_channel(self, number: int) -> ChannelHandler:
        """The peer opens a channel; may raise AmqpError."""
        raise NotImplementedError

    def closing(self, reason: str, after_frame_error: bool) -> None:
        """connection.close was sent because of an error, or the peer is to be dropped; start the timer for its answer."""
        raise NotImplementedError

    def dropped(self, reason: str, at_once: bool) -> None:
        """The connection ends without connection.close: at once, or after a pause that slows down guessing."""
        raise NotImplementedError

    def channel_failed(self, number: int, reason: str) -> None:
        """channel.close was sent because of an error."""
        raise NotImplementedError

    def lost(self, reason: str) -> None:
        """The socket is gone; called once."""
        raise NotImplementedError

    def connected(self) -> None:
        """The socket is there, with TLS if it has any; called once, before everything else."""
        raise NotImplementedError

    def allowance(self) -> int:
        """How many frames may be heard before it is asked again; 0: none, and `Connection.resume` will be called."""
        raise NotImplementedError

    def undecided(self, question: Undecided) -> None:
        """The last command and all input wait; `Connection.resume` is to be called once the question is answered."""
        raise NotImplementedError

    def stopped(self, rest: bytes) -> None:
        """The peer publishes, and `Connection.stop_at_content` was called: this is what it sent after, and was not heard."""
        raise NotImplementedError

    def timed_out(self) -> None:
        """Nothing was heard for two heartbeat intervals; the socket is about to be closed."""
        raise NotImplementedError

    def crashed(self, error: Exception) -> None:
        """A handler raised something else than AmqpError: a defect to be logged."""
        raise NotImplementedError


NOBODY: Final = ConnectionHandler()
"""The owner of a connection that is lost, whom nothing is told."""

"""Handlers of the classes channel and access (specification 1.5); opening and closing are the protocol's own."""

from __future__ import annotations

from amqpd.errors import Unimplemented
from amqpd.server.channel import ChannelCommands


def channel_flow(channel: ChannelCommands, active: bool) -> None:
    """Deliveries cannot be stopped in this way, only with prefetch."""
    if not active:
        raise Unimplemented("active=false")
    channel.reply("channel.flow-ok", True)


def channel_flow_ok(channel: ChannelCommands, active: bool) -> None:
    """An answer to what is never asked."""


def access_request(
    channel: ChannelCommands, realm: str, exclusive: bool, passive: bool, active: bool, write: bool, read: bool
) -> None:
    """A relic of AMQP 0-8: every request is granted with the same ticket, and no ticket is ever looked at."""
    channel.reply("access.request-ok", 1)

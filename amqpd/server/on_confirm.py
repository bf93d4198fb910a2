"""Handlers of RabbitMQ's class confirm."""

from __future__ import annotations

from amqpd.server.channel import ChannelCommands


def confirm_select(channel: ChannelCommands, no_wait: bool) -> None:
    """confirm.select."""
    channel.session.select_confirms()
    if not no_wait:
        channel.reply("confirm.select-ok")

"""Handlers of the class tx (specification 1.9)."""

from __future__ import annotations

from amqpd.server.channel import ChannelCommands


def tx_select(channel: ChannelCommands) -> None:
    """tx.select."""
    channel.session.select_tx()
    channel.reply("tx.select-ok")


def tx_commit(channel: ChannelCommands) -> None:
    """tx.commit: answered once everything in it is durable."""
    channel.session.commit()
    channel.hold()
    channel.reply("tx.commit-ok")


def tx_rollback(channel: ChannelCommands) -> None:
    """tx.rollback."""
    channel.session.rollback()
    channel.reply("tx.rollback-ok")

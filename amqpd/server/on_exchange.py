"""Handlers of the class exchange (specification 1.6, and RabbitMQ's exchange-to-exchange bindings)."""

from __future__ import annotations

from amqpd.broker import operations
from amqpd.broker.operations import clean
from amqpd.server.channel import ChannelCommands


def exchange_declare(
    channel: ChannelCommands, ticket: int, exchange: str, type: str, passive: bool, durable: bool, auto_delete: bool,
    internal: bool, no_wait: bool, arguments: bytes,
) -> None:  # fmt: skip
    """exchange.declare."""
    session = channel.session
    name = clean(exchange)
    if passive:
        operations.declare_exchange_passively(session.vhost, name)
    else:
        operations.declare_exchange(session.client, session.vhost, name, type, durable, auto_delete, internal, arguments)
        channel.hold()
    if not no_wait:
        channel.reply("exchange.declare-ok")


def exchange_delete(channel: ChannelCommands, ticket: int, exchange: str, if_unused: bool, no_wait: bool) -> None:
    """exchange.delete."""
    session = channel.session
    operations.delete_exchange(session.client, session.vhost, clean(exchange), if_unused)
    channel.hold()
    if not no_wait:
        channel.reply("exchange.delete-ok")


def exchange_bind(
    channel: ChannelCommands,
    ticket: int,
    destination: str,
    source: str,
    routing_key: str,
    no_wait: bool,
    arguments: bytes,
) -> None:
    """exchange.bind."""
    session = channel.session
    operations.bind_exchange(session.client, session.vhost, clean(destination), clean(source), routing_key, arguments)
    channel.hold()
    if not no_wait:
        channel.reply("exchange.bind-ok")


def exchange_unbind(
    channel: ChannelCommands,
    ticket: int,
    destination: str,
    source: str,
    routing_key: str,
    no_wait: bool,
    arguments: bytes,
) -> None:
    """exchange.unbind."""
    session = channel.session
    operations.unbind_exchange(session.client, session.vhost, clean(destination), clean(source), routing_key, arguments)
    channel.hold()
    if not no_wait:
        channel.reply("exchange.unbind-ok")

"""Handlers of the class queue (specification 1.7)."""

from __future__ import annotations

from amqpd.broker import operations, replies
from amqpd.broker.operations import clean
from amqpd.broker.replies import is_reply_name
from amqpd.errors import NotFound
from amqpd.server.channel import ChannelCommands


def named(channel: ChannelCommands, queue: str) -> str:
    """The queue that is meant: an empty name is the one declared last on this channel. Raises NotFound."""
    name = clean(queue) or channel.session.last_queue
    if not name:
        raise NotFound("no previously declared queue")
    return name


def queue_declare(
    channel: ChannelCommands, ticket: int, queue: str, passive: bool, durable: bool, exclusive: bool, auto_delete: bool,
    no_wait: bool, arguments: bytes,
) -> None:  # fmt: skip
    """queue.declare."""
    session = channel.session
    if is_reply_name(queue):
        _declare_replies(channel, clean(queue), no_wait)
        return
    if passive:
        found = operations.declare_queue_passively(session.client, session.vhost, clean(queue))
    else:
        found = operations.declare_queue(
            session.client, session.vhost, clean(queue), durable, exclusive, auto_delete, arguments
        )
        channel.hold()
    session.last_queue = found.name
    if not no_wait:
        channel.reply("queue.declare-ok", found.name, found.ready.count, found.consumer_count)


def _declare_replies(channel: ChannelCommands, name: str, no_wait: bool) -> None:
    """A name for direct replies is never declared; it is asked whether somebody waits there."""
    replies.check_alive(channel.session.vhost, name)
    channel.session.last_queue = name
    if not no_wait:
        channel.reply("queue.declare-ok", name, *replies.WAITING)


def queue_bind(
    channel: ChannelCommands, ticket: int, queue: str, exchange: str, routing_key: str, no_wait: bool, arguments: bytes
) -> None:
    """queue.bind; with neither queue nor routing key, the key is the name of the queue that was declared last."""
    session = channel.session
    name = named(channel, queue)
    if not queue and not routing_key:
        routing_key = name
    operations.bind_queue(session.client, session.vhost, name, clean(exchange), routing_key, arguments)
    channel.hold()
    if not no_wait:
        channel.reply("queue.bind-ok")


def queue_unbind(channel: ChannelCommands, ticket: int, queue: str, exchange: str, routing_key: str, arguments: bytes) -> None:
    """queue.unbind."""
    session = channel.session
    name = named(channel, queue)
    if not queue and not routing_key:
        routing_key = name
    operations.unbind_queue(session.client, session.vhost, name, clean(exchange), routing_key, arguments)
    channel.hold()
    channel.reply("queue.unbind-ok")


def queue_purge(channel: ChannelCommands, ticket: int, queue: str, no_wait: bool) -> None:
    """queue.purge."""
    session = channel.session
    count = operations.purge_queue(session.client, session.vhost, named(channel, queue))
    channel.hold()
    if not no_wait:
        channel.reply("queue.purge-ok", count)


def queue_delete(channel: ChannelCommands, ticket: int, queue: str, if_unused: bool, if_empty: bool, no_wait: bool) -> None:
    """queue.delete."""
    session = channel.session
    count = operations.delete_queue(session.client, session.vhost, named(channel, queue), if_unused, if_empty)
    channel.hold()
    if not no_wait:
        channel.reply("queue.delete-ok", count)

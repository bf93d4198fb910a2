"""Handlers of the class basic (specification 1.8); publish and ack never come here."""

from __future__ import annotations

from typing import Final

from amqpd.broker import operations, replies
from amqpd.broker.arguments import INTEGER_TAGS, QUORUM
from amqpd.broker.limits import NONE
from amqpd.broker.operations import REPLY_TO
from amqpd.errors import AccessRefused, PreconditionFailed, Unimplemented
from amqpd.server.channel import ChannelCommands
from amqpd.server.on_queue import named
from amqpd.wire import tables

OF_STREAMS: Final = frozenset({"x-stream-offset", "x-stream-filter", "x-stream-match-unfiltered"})
"""Arguments of consumers that only streams have."""


def basic_qos(channel: ChannelCommands, prefetch_size: int, prefetch_count: int, global_: bool) -> None:
    """basic.qos: for the channel's consumers to come, or with global for the channel as a whole (RabbitMQ's meaning)."""
    if prefetch_size:
        raise Unimplemented(f"prefetch_size!=0 ({prefetch_size})")
    channel.session.qos(prefetch_count, global_)
    channel.reply("basic.qos-ok")


def basic_consume(
    channel: ChannelCommands, ticket: int, queue: str, consumer_tag: str, no_local: bool, no_ack: bool, exclusive: bool,
    no_wait: bool, arguments: bytes,
) -> None:  # fmt: skip
    """basic.consume; no_local is ignored, as RabbitMQ does, and so is exclusive by quorum queues."""
    session = channel.session
    operations.check_share(session.vhost.setting.capacity.consumers, f"consume from queue '{queue}': consumer")
    tag = operations.consumer_tag(consumer_tag, session.consumers)
    if queue == REPLY_TO:
        _consume_replies(channel, tag, no_ack, no_wait)
        return
    found = operations.readable_queue(session.client, session.vhost, named(channel, queue))
    where = f"queue '{found.name}' in vhost '{session.vhost.name}'"
    _check_known(arguments, where, found.arguments.type)
    exclusive = exclusive and found.arguments.type != QUORUM
    priority = _integer(arguments, "x-priority", 0, where)
    timeout = _timeout(arguments, where)
    if found.has_exclusive_consumer() or (exclusive and (found.consumer_count or found.dispatch.single)):
        raise AccessRefused(f"queue '{found.name}' in vhost '{session.vhost.name}' in exclusive use")
    session.consume(found, tag, no_ack, exclusive, priority, timeout)
    if not no_wait:
        channel.reply("basic.consume-ok", tag)


def _consume_replies(channel: ChannelCommands, tag: str, no_ack: bool, no_wait: bool) -> None:
    replies.consume(channel.session, tag, no_ack)
    channel.forget_draft()
    if not no_wait:
        channel.reply("basic.consume-ok", tag)


def _check_known(arguments: bytes, where: str, queue_type: str) -> None:
    for field in tables.fields(arguments):
        if field.name in OF_STREAMS:
            raise PreconditionFailed(f"invalid arg '{field.name}' for {where} of queue type rabbit_{queue_type}_queue")


def _integer(arguments: bytes, name: str, default: int, where: str) -> int:
    for field in tables.fields(arguments):
        if field.name == name:
            if field.tag not in INTEGER_TAGS or not isinstance(field.value, int):
                raise PreconditionFailed(f"invalid arg '{name}' for {where}: \"expected integer, got {field.type_name}\"")
            return int(field.value)
    return default


def _timeout(arguments: bytes, where: str) -> int:
    """The milliseconds that the consumer asks to have for acknowledging; NONE: as its queue says."""
    timeout = _integer(arguments, "x-consumer-timeout", 0, where)
    if timeout < 0:
        raise PreconditionFailed(f"invalid arg 'x-consumer-timeout' for {where}: {{value_negative,{timeout}}}")
    return timeout or NONE


def basic_cancel(channel: ChannelCommands, consumer_tag: str, no_wait: bool) -> None:
    """basic.cancel; an unknown tag is cancelled already."""
    channel.session.cancel(consumer_tag)
    channel.forget_draft()
    channel.hold()
    if not no_wait:
        channel.reply("basic.cancel-ok", consumer_tag)


def basic_cancel_ok(channel: ChannelCommands, consumer_tag: str) -> None:
    """The peer took note that its consumer was cancelled."""


def basic_get(channel: ChannelCommands, ticket: int, queue: str, no_ack: bool) -> None:
    """basic.get."""
    session = channel.session
    found = operations.readable_queue(session.client, session.vhost, named(channel, queue))
    if not session.get(found, no_ack):
        channel.reply("basic.get-empty", "")


def basic_reject(channel: ChannelCommands, delivery_tag: int, requeue: bool) -> None:
    """basic.reject."""
    channel.session.nack(delivery_tag, False, requeue)


def basic_nack(channel: ChannelCommands, delivery_tag: int, multiple: bool, requeue: bool) -> None:
    """basic.nack, RabbitMQ's reject of many."""
    channel.session.nack(delivery_tag, multiple, requeue)


def basic_recover(channel: ChannelCommands, requeue: bool) -> None:
    """basic.recover; only with requeue."""
    basic_recover_async(channel, requeue)
    channel.reply("basic.recover-ok")


def basic_recover_async(channel: ChannelCommands, requeue: bool) -> None:
    """basic.recover without an answer."""
    if not requeue:
        raise Unimplemented("requeue=false")
    channel.session.recover()

"""Direct reply-to (RabbitMQ extension): replies without a reply queue that anybody has to declare.

A channel that consumes from `amq.rabbitmq.reply-to` gets a hidden queue with a name that nobody can guess. Requests that name
`amq.rabbitmq.reply-to` as their reply_to carry that name instead, and whoever knows it can publish to it through the default
exchange. The queue holds nothing but what its consumer's socket cannot take yet, and ends with the consumer.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.arguments import QueueArguments
from amqpd.broker.operations import REPLY_TO, server_name
from amqpd.broker.queue import Queue
from amqpd.broker.session import Session
from amqpd.broker.vhost import VHost
from amqpd.errors import NotFound, PreconditionFailed

WAITING: Final = (0, 1)
"""Messages and consumers of every name that replies can be sent to, as queue.declare-ok tells them."""


def is_reply_name(queue: str) -> bool:
    """Whether a queue of this name is no real one."""
    return queue.startswith(REPLY_TO)


def consume(session: Session, tag: str, no_ack: bool) -> None:
    """basic.consume of `amq.rabbitmq.reply-to`, with a tag that is not in use. Raises PreconditionFailed."""
    if not no_ack:
        raise PreconditionFailed("reply consumer cannot acknowledge")
    if session.reply_name():
        raise PreconditionFailed("reply consumer already set")
    queue = _hidden_queue(session.vhost)
    session.reply_queue = queue
    session.consume(queue, tag, True, False, 0)


def _hidden_queue(vhost: VHost) -> Queue:
    name = server_name(f"{REPLY_TO}.")
    arguments = QueueArguments(b"", name, vhost.name)
    queue = Queue(vhost.setting, vhost, vhost.journal.next_queue_id(), vhost.name, name, False, False, None, arguments)
    vhost.reply_queues[name] = queue
    return queue


def check_alive(vhost: VHost, queue: str) -> None:
    """Raise NotFound unless somebody waits for replies under this name; about the common name nothing is known."""
    if queue != REPLY_TO and queue not in vhost.reply_queues:
        raise NotFound(f"no queue '{queue}' in vhost '{vhost.name}'")

"""What events say of the objects that they are about, in RabbitMQ's order of headers.

Arguments are told as a table, and addresses as text, where RabbitMQ prints terms of its own language.
"""

from __future__ import annotations

from amqpd.broker.consumer import Consumer
from amqpd.broker.events import Facts
from amqpd.broker.permissions import Permission, TopicPermission
from amqpd.broker.policies import Policy
from amqpd.broker.profile import Profile
from amqpd.broker.queue import Queue
from exchanges.base import Binding, Exchange


def queue_created(queue: Queue) -> Facts:
    """queue.created."""
    return {
        "exclusive": queue.exclusive_to is not None,
        "arguments": queue.arguments.values(),
        "auto_delete": queue.auto_delete,
        "durable": queue.durable,
        "name": queue.name,
        "vhost": queue.vhost,
    }


def vhost_created(name: str, profile: Profile) -> Facts:
    """vhost.created."""
    return {
        "tags": profile.tags,
        "description": profile.description,
        "tracing": profile.tracing,
        "default_queue_type": profile.default_queue_type or "undefined",
        "name": name,
    }


def policy(ruling: Policy, vhost: str) -> Facts:
    """policy.set."""
    return {**_rules(ruling), "vhost": vhost, "name": ruling.name}


def queue_policy(queue: Queue, ruling: Policy | None) -> Facts:
    """queue.policy.updated, and queue.policy.cleared if no policy rules the queue any more."""
    rules = {} if ruling is None else _rules(ruling)
    return {**rules, "type": f"rabbit_{queue.arguments.type}_queue", "vhost": queue.vhost, "name": queue.name}


def _rules(ruling: Policy) -> Facts:
    return {
        "apply-to": ruling.apply_to,
        "priority": ruling.priority,
        "definition": ruling.definition,
        "pattern": ruling.pattern,
    }


def named(name: str, vhost: str) -> Facts:
    """The events about the end of a queue or an exchange."""
    return {"name": name, "vhost": vhost}


def exchange_created(exchange: Exchange, vhost: str) -> Facts:
    """exchange.created."""
    return {
        "policy": "",
        "arguments": exchange.arguments,
        "internal": exchange.internal,
        "auto_delete": exchange.auto_delete,
        "durable": exchange.durable,
        "type": exchange.type,
        "name": exchange.name,
        "vhost": vhost,
    }


def binding(found: Binding, vhost: str) -> Facts:
    """binding.created and binding.deleted."""
    destination = found.destination
    return {
        "vhost": vhost,
        "arguments": found.arguments,
        "routing_key": found.routing_key,
        "destination_kind": "exchange" if isinstance(destination, Exchange) else "queue",
        "destination_name": destination.name if isinstance(destination, Exchange) else destination,
        "source_kind": "exchange",
        "source_name": found.source.name,
    }


def consumer_created(consumer: Consumer, queue: Queue, channel: str) -> Facts:
    """consumer.created; channel is its connection's name with its number."""
    return {
        "prefetch_count": consumer.prefetch,
        "queue": queue.name,
        "vhost": queue.vhost,
        "channel": channel,
        "ack_required": not consumer.no_ack,
        "exclusive": consumer.exclusive,
        "arguments": {"x-priority": consumer.priority} if consumer.priority else {},
        "consumer_tag": consumer.tag,
    }


def consumer_deleted(consumer: Consumer, queue: Queue, channel: str) -> Facts:
    """consumer.deleted."""
    return {"queue": queue.name, "vhost": queue.vhost, "channel": channel, "consumer_tag": consumer.tag}


def permission(user: str, vhost: str, granted: Permission) -> Facts:
    """permission.created."""
    return {
        "read": granted.read, "write": granted.write, "configure": granted.configure, "vhost": vhost, "user": user,
    }  # fmt: skip


def topic_permission(user: str, vhost: str, exchange: str, granted: TopicPermission) -> Facts:
    """topic.permission.created."""
    return {"read": granted.read, "write": granted.write, "exchange": exchange, "vhost": vhost, "user": user}

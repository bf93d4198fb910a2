"""At start: rows become virtual hosts, users, exchanges, queues and bindings again, and queues find their messages."""

from __future__ import annotations

from amqpd.broker import governance
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.broker import Broker
from amqpd.broker.journal import PAUSED
from amqpd.broker.permissions import Permission, TopicPermission
from amqpd.broker.policies import policy_of
from amqpd.broker.profile import profile_of
from amqpd.broker.queue import Queue
from amqpd.broker.users import User
from amqpd.wire import tables
from exchanges import registry
from persistence import rows


class Recovered:
    """What the definitions hold, class by class."""

    def __init__(self) -> None:
        self.vhosts: list[rows.VHost] = []
        self.users: list[rows.User] = []
        self.permissions: list[rows.Permission] = []
        self.topic_permissions: list[rows.TopicPermission] = []
        self.exchanges: list[rows.Exchange] = []
        self.queues: list[rows.Queue] = []
        self.bindings: list[rows.Binding] = []
        self.policies: list[rows.Policy] = []
        self.parameters: list[rows.Parameter] = []


def recover(broker: Broker, found: Recovered) -> None:
    """Bring everything back; messages stay on disk until they are due."""
    for vhost in found.vhosts:
        broker.open_vhost(vhost.name, profile_of(vhost))
    _recover_users(broker, found)
    _recover_rules(broker, found)
    for exchange in found.exchanges:
        _recover_exchange(broker, exchange)
    windows = broker.store.recover({queue.id for queue in found.queues} | {exchange.id for exchange in found.exchanges})
    for exchange in found.exchanges:
        _recover_gates(broker, exchange)
    for row in found.queues:
        queue = _recover_queue(broker, row)
        queue.recover(windows.get(row.id, {}))
    _recover_pauses(broker, found)
    for binding in found.bindings:
        _recover_binding(broker, binding)


def _recover_users(broker: Broker, found: Recovered) -> None:
    users = broker.users.by_name
    for user in found.users:
        tags = tuple(user.tags.split(",")) if user.tags else ()
        users[user.name] = User(user.name, user.password_hash, user.hashing_algorithm, tags)
    for permission in found.permissions:
        users[permission.user].permissions[permission.vhost] = Permission(
            permission.configure, permission.write, permission.read
        )
    for topic in found.topic_permissions:
        users[topic.user].topic_permissions[(topic.vhost, topic.exchange)] = TopicPermission(topic.write, topic.read)


def _recover_rules(broker: Broker, found: Recovered) -> None:
    """Policies and limits come before what they rule, but after the predeclared exchanges."""
    for row in found.policies:
        governance.policies_of(broker.vhosts[row.vhost], row.operator).add(policy_of(row))
    for parameter in found.parameters:
        governance.restore_parameter(broker, parameter)
    for vhost in broker.vhosts.values():
        for exchange in vhost.exchanges.values():
            vhost.govern_exchange(exchange)


def _recover_exchange(broker: Broker, row: rows.Exchange) -> None:
    exchange = registry.create(row.type, row.name, row.durable, row.auto_delete, row.internal, tables.decode(row.arguments))
    broker.vhosts[row.vhost].add_exchange(exchange)


def _recover_gates(broker: Broker, row: rows.Exchange) -> None:
    vhost = broker.vhosts[row.vhost]
    vhost.gates.set_up(vhost.exchanges[row.name], row.id)


def _recover_queue(broker: Broker, row: rows.Queue) -> Queue:
    arguments = QueueArguments(row.arguments, row.name, row.vhost)
    queue = Queue(
        broker.setting, broker.vhosts[row.vhost], row.id, row.vhost, row.name, row.durable, row.auto_delete, None, arguments
    )
    broker.vhosts[row.vhost].add_queue(queue)
    return queue


def _recover_pauses(broker: Broker, found: Recovered) -> None:
    for parameter in found.parameters:
        if parameter.component == PAUSED:
            broker.vhosts[parameter.vhost].queues[parameter.name].dispatch.pause()


def _recover_binding(broker: Broker, row: rows.Binding) -> None:
    vhost = broker.vhosts[row.vhost]
    destination = vhost.exchanges[row.destination] if row.destination_kind == "exchange" else row.destination
    vhost.restore_binding(vhost.exchanges[row.source], destination, row.routing_key, row.arguments)

"""Virtual hosts, users and their rights: what an operator creates, changes and deletes while the broker runs.

1. A change is saved with the open batch; whoever asked for it is answered once that batch is durable.
2. A change of rights counts at once, also for connections that are open.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker import facts, governance, passwords
from amqpd.broker.arguments import QueueArguments
from amqpd.broker.broker import Broker
from amqpd.broker.journal import pause_row, queue_row
from amqpd.broker.permissions import Access, Permission, TopicPermission
from amqpd.broker.profile import Profile
from amqpd.broker.queue import Queue
from amqpd.broker.remote import RemoteAccess
from amqpd.broker.users import User, joined
from amqpd.broker.vhost import VHost
from amqpd.errors import PreconditionFailed
from amqpd.wire import tables
from exchanges.base import Exchange
from persistence import rows

NOTHING: Final = Permission("", "", "")
"""What remains of the rights of a connection whose user lost them."""

CHANGEABLE: Final = frozenset(
    (
        "x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes", "x-overflow", "x-dead-letter-exchange",
        "x-dead-letter-routing-key", "x-delivery-limit", "x-consumer-timeout",
    )
)  # fmt: skip
"""Arguments that can be changed while their queue lives: limits, which nothing that is stored depends on."""

# --- virtual hosts -----------------------------------------------------------------------------------------------------


def add_vhost(broker: Broker, name: str, creator: str) -> VHost:
    """A new virtual host, in which its creator (a user's name, or empty) has all rights."""
    vhost = broker.add_vhost(name)
    user = broker.users.by_name.get(creator)
    if user is not None:
        broker.set_permission(user, name, ".*", ".*", ".*")
    return vhost


def save_profile(broker: Broker, vhost: VHost, profile: Profile) -> None:
    """The virtual host says this of itself from now on."""
    broker.profiles[vhost.name] = profile
    if vhost.tracing != profile.tracing:
        _trace(broker, vhost, profile.tracing)
    vhost.default_queue_type = profile.default_queue_type
    broker.journal.save(profile.row(vhost.name))


def _trace(broker: Broker, vhost: VHost, tracing: bool) -> None:
    """Turn the firehose on or off, also for what channels resolved before."""
    vhost.tracing = tracing
    vhost.generation += 1
    for connection in broker.connections.of_vhost(vhost.name):
        for session in connection.sessions().values():
            session.retrace()


def delete_vhost(broker: Broker, vhost: VHost) -> None:
    """The virtual host ends with all that is in it; its connections are closed. Raises PreconditionFailed if protected."""
    if broker.profiles[vhost.name].is_protected:
        raise PreconditionFailed(f"Refusing to delete virtual host '{vhost.name}' because it is protected from deletion")
    for connection in broker.connections.of_vhost(vhost.name):
        connection.close(f"vhost '{vhost.name}' is deleted")
    for queue in list(vhost.queues.values()):
        vhost.delete_queue(queue)
    for exchange in deletable_exchanges(vhost):
        if vhost.exchanges.get(exchange.name) is exchange:
            vhost.delete_exchange(exchange)
    for user in broker.users.by_name.values():
        clear_permission(broker, user, vhost.name)
        clear_topic_permissions(broker, user, vhost.name, "")
    governance.forget_vhost(broker, vhost)
    del broker.vhosts[vhost.name]
    del broker.profiles[vhost.name]
    broker.journal.remove(rows.VHost(vhost.name))
    broker.events.emit_by_actor("vhost.deleted", {"name": vhost.name})


def deletable_exchanges(vhost: VHost) -> list[Exchange]:
    """Its exchanges but the predeclared ones."""
    return [exchange for name, exchange in vhost.exchanges.items() if name and not name.startswith("amq.")]


# --- queues ------------------------------------------------------------------------------------------------------------


def change_arguments(broker: Broker, queue: Queue, changes: dict[str, object]) -> None:
    """These arguments of a living queue are others from now on; one that is None is gone. Raises PreconditionFailed."""
    fixed = sorted(set(changes) - CHANGEABLE)
    if fixed:
        raise PreconditionFailed(
            f"cannot change '{fixed[0]}' of a queue; these can be changed: {', '.join(sorted(CHANGEABLE))}"
        )
    table = queue.arguments.table
    for name, value in changes.items():
        table = tables.without(table, name)
        if value is not None:
            table += tables.encode({name: value})
    queue.arguments = QueueArguments(table, queue.name, queue.vhost)
    queue.obey(queue.policy, queue.operator_policy)
    if queue.durable:
        broker.journal.save(queue_row(queue))


def pause_queue(broker: Broker, queue: Queue) -> None:
    """Deliver nothing to the queue's consumers until it is resumed; a durable queue stays paused over a restart."""
    queue.dispatch.pause()
    if queue.durable:
        broker.journal.save(pause_row(queue))


def resume_queue(broker: Broker, queue: Queue) -> None:
    """Deliver again."""
    queue.dispatch.resume()
    if queue.durable:
        broker.journal.remove(pause_row(queue))


# --- users -------------------------------------------------------------------------------------------------------------


def save_user(broker: Broker, name: str, password_hash: str, algorithm: str, tags: tuple[str, ...]) -> User:
    """A new user, or a known one with another password and other tags; rights stay. Raises ValueError for a bad tag."""
    row = rows.User(name, password_hash, algorithm, joined(tags))
    known = broker.users.by_name.get(name)
    user = User(name, password_hash, algorithm, tags)
    if known is not None:
        user.permissions.update(known.permissions)
        user.topic_permissions.update(known.topic_permissions)
    broker.users.by_name[name] = user
    broker.journal.save(row)
    _tell_of_user(broker, user, known)
    return user


def _tell_of_user(broker: Broker, user: User, known: User | None) -> None:
    events = broker.events
    if known is None:
        events.emit_by_actor("user.created", {"name": user.name})
    elif not user.password_hash:
        events.emit_by_actor("user.password.cleared", {"name": user.name})
    elif user.password_hash != known.password_hash:
        events.emit_by_actor("user.password.changed", {"name": user.name})
    events.emit_by_actor("user.tags.set", {"tags": list(user.tags), "name": user.name})


def hashed(password: str) -> str:
    """The hash to save a password by; empty, which no password matches, for an empty one."""
    return passwords.hash_password(password) if password else ""


def delete_user(broker: Broker, user: User) -> None:
    """The user is gone with his rights, and his connections are closed."""
    for vhost in list(user.permissions):
        clear_permission(broker, user, vhost)
    for vhost, exchange in list(user.topic_permissions):
        clear_topic_permissions(broker, user, vhost, exchange)
    governance.set_user_limits(broker, user.name, {})
    del broker.users.by_name[user.name]
    broker.journal.remove(rows.User(user.name, "", "", ""))
    broker.events.emit_by_actor("user.deleted", {"name": user.name})
    for connection in broker.connections.of_user(user.name):
        connection.close(f"user '{user.name}' is deleted")


# --- rights ------------------------------------------------------------------------------------------------------------


def set_permission(broker: Broker, user: User, vhost: str, configure: str, write: str, read: str) -> None:
    """What the user may do in the virtual host from now on. Raises ValueError for a bad expression."""
    broker.set_permission(user, vhost, configure, write, read)
    _spread(broker, user, vhost)


def check_expressions(configure: str, write: str, read: str) -> None:
    """Raise ValueError unless these can be a permission."""
    Permission(configure, write, read)


def clear_permission(broker: Broker, user: User, vhost: str) -> None:
    """The user may not enter the virtual host any more."""
    if user.permissions.pop(vhost, None) is not None:
        broker.journal.remove(rows.Permission(user.name, vhost, "", "", ""))
        broker.events.emit_by_actor("permission.deleted", {"vhost": vhost, "user": user.name})
        _spread(broker, user, vhost)


def _spread(broker: Broker, user: User, vhost_name: str) -> None:
    """Let open connections know, and have what they resolved before resolved again (2)."""
    access = user.access(vhost_name) or Access(user.name, vhost_name, NOTHING)
    for connection in broker.connections.of_user(user.name):
        client = connection.client
        if client is not None and client.vhost == vhost_name and not isinstance(client.access, RemoteAccess):
            client.access = access
    vhost = broker.vhosts.get(vhost_name)
    if vhost is not None:
        vhost.generation += 1


def set_topic_permission(broker: Broker, user: User, vhost: str, exchange: str, write: str, read: str) -> None:
    """Which routing keys the user may use at the exchange. Raises ValueError for a bad expression."""
    granted = user.topic_permissions[(vhost, exchange)] = TopicPermission(write, read)
    broker.events.emit_by_actor("topic.permission.created", facts.topic_permission(user.name, vhost, exchange, granted))
    broker.journal.save(rows.TopicPermission(user.name, vhost, exchange, write, read))
    _spread(broker, user, vhost)


def clear_topic_permissions(broker: Broker, user: User, vhost: str, exchange: str) -> bool:
    """Routing keys are free again at the exchange, or at all exchanges if it is empty; False if they were so already."""
    cleared = [key for key in user.topic_permissions if key[0] == vhost and exchange in ("", key[1])]
    for key in cleared:
        del user.topic_permissions[key]
        broker.journal.remove(rows.TopicPermission(user.name, vhost, key[1], "", ""))
    if cleared:
        broker.events.emit_by_actor("topic.permission.deleted", {"vhost": vhost, "user": user.name})
        _spread(broker, user, vhost)
    return bool(cleared)

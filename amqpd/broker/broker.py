"""The broker as a whole: virtual hosts and users over one store; what AMQP and the management work on."""

from __future__ import annotations

from typing import Final

from amqpd.broker import facts, passwords
from amqpd.broker.agenda import Agenda
from amqpd.broker.client import Client
from amqpd.broker.clock import Clock
from amqpd.broker.connections import Connections
from amqpd.broker.durability import Durability
from amqpd.broker.enforcement import Enforcement
from amqpd.broker.event_exchange import EventExchange
from amqpd.broker.events import Events
from amqpd.broker.journal import Journal
from amqpd.broker.lane import PageReader
from amqpd.broker.limits import NONE
from amqpd.broker.line import Setting
from amqpd.broker.memory import Memory
from amqpd.broker.outbox import Outbox
from amqpd.broker.pace import Pace
from amqpd.broker.permissions import Onlooker, Permission
from amqpd.broker.profile import Profile
from amqpd.broker.quota import MAX_CHANNELS, MAX_CONNECTIONS, Quota
from amqpd.broker.session import Session
from amqpd.broker.turn import Turn
from amqpd.broker.users import IMPERSONATOR, User, Users, joined
from amqpd.broker.vhost import VHost
from amqpd.errors import NotAllowed
from persistence import rows
from persistence.store import Store


class Broker:
    """Everything that outlives a connection."""

    def __init__(self, store: Store, journal: Journal, reader: PageReader, memory_limit: int) -> None:
        self.store: Final = store
        self.journal: Final = journal
        self.clock: Final = Clock()
        self.agenda: Final = Agenda()
        self.memory: Final = Memory(memory_limit)
        self.turn: Final = Turn()
        self.durability: Final = Durability()
        self.events: Final = Events(self.clock)
        self.pace: Final = Pace(self.clock)
        self.setting: Final = Setting(store, self.clock, self.agenda, self.memory, reader, self.turn, self.events)
        self.totals: Final = self.setting.totals
        self.users: Final = Users()
        self.read_only: bool = False
        """Clients may not do anything; the management shows what there is."""
        self.vhosts: Final[dict[str, VHost]] = {}
        self.profiles: Final[dict[str, Profile]] = {}
        """By virtual host."""
        self.connections: Final = Connections()
        self.enforcement: Final = Enforcement(self.agenda, self.clock)
        self.user_quotas: Final[dict[str, Quota]] = {}
        """By user; most users have none."""
        self.global_parameters: Final[dict[str, object]] = {}
        """What operators and tools keep here by name, as JSON."""

    # --- virtual hosts and users -----------------------------------------------------------------------------------

    def add_vhost(self, name: str) -> VHost:
        """A new virtual host with its predeclared exchanges."""
        profile = Profile()
        self.journal.save(profile.row(name))
        vhost = self.open_vhost(name, profile)
        self.events.emit_by_actor("vhost.created", facts.vhost_created(name, profile))
        return vhost

    def open_vhost(self, name: str, profile: Profile) -> VHost:
        """A virtual host that is in the definitions already."""
        self.profiles[name] = profile
        vhost = self.vhosts[name] = VHost(name, self.setting, self.journal)
        vhost.tracing = profile.tracing
        vhost.default_queue_type = profile.default_queue_type
        if name == self.events.home:
            self.events.audience = EventExchange(vhost)
        return vhost

    def add_user(self, name: str, password: str, tags: tuple[str, ...]) -> User:
        """A new user without rights. Raises ValueError for a bad tag."""
        user = User(name, passwords.hash_password(password), passwords.SHA256, tags)
        self.journal.save(rows.User(name, user.password_hash, user.algorithm, joined(tags)))
        self.users.by_name[name] = user
        self.events.emit_by_actor("user.created", {"name": name})
        return user

    def set_permission(self, user: User, vhost: str, configure: str, write: str, read: str) -> None:
        """What the user may do in the virtual host from now on. Raises ValueError for a bad expression."""
        user.permissions[vhost] = Permission(configure, write, read)
        self.journal.save(rows.Permission(user.name, vhost, configure, write, read))
        self.events.emit_by_actor("permission.created", facts.permission(user.name, vhost, user.permissions[vhost]))

    # --- clients ---------------------------------------------------------------------------------------------------

    def enter(self, user: User, vhost_name: str, wants_cancels: bool) -> Client:
        """A user opens a connection to a virtual host. Raises NotAllowed."""
        if vhost_name not in self.vhosts:
            raise NotAllowed(f"vhost {vhost_name} not found")
        self._check_connections(user.name, vhost_name)
        access = user.access(vhost_name)
        if access is None:
            raise NotAllowed(f"access to vhost '{vhost_name}' refused for user '{user.name}'")
        if self.read_only:
            access = Onlooker(user.name, vhost_name, access.permission)
        return Client(user.name, vhost_name, access, IMPERSONATOR in user.tags, wants_cancels)

    def _check_connections(self, user: str, vhost: str) -> None:
        """Raise NotAllowed if the virtual host or the user has as many connections as allowed."""
        limit = self.vhosts[vhost].quota.limit(MAX_CONNECTIONS)
        if limit != NONE and len(self.connections.of_vhost(vhost)) >= limit:
            raise NotAllowed(f"access to vhost '{vhost}' refused for user '{user}': connection limit ({limit}) is reached")
        limit = self._user_limit(user, MAX_CONNECTIONS)
        if limit != NONE and len(self.connections.of_user(user)) >= limit:
            raise NotAllowed(f"connection refused for user '{user}': user connection limit ({limit}) is reached")

    def check_channels(self, user: str) -> None:
        """Raise NotAllowed if the node or the user has as many channels as allowed."""
        limit = self.setting.capacity.channels_max
        if limit and len(self.totals.channels) >= limit:
            node = self.events.node
            raise NotAllowed(f"number of channels opened on node '{node}' has reached the maximum allowed limit of ({limit})")
        limit = self._user_limit(user, MAX_CHANNELS)
        if limit != NONE and sum([len(found.sessions()) for found in self.connections.of_user(user)]) >= limit:
            raise NotAllowed(
                f"number of channels opened for user '{user}' has reached the maximum allowed user limit of ({limit})"
            )

    def _user_limit(self, user: str, name: str) -> int:
        quota = self.user_quotas.get(user)
        return NONE if quota is None else quota.limit(name)

    def leave(self, client: Client) -> None:
        """A connection ended: its exclusive queues go with it."""
        vhost = self.vhosts.get(client.vhost)
        if vhost is not None:
            for name in list(client.exclusive_queues):
                vhost.delete_queue(vhost.queues[name])

    def relieve_memory(self) -> None:
        """Put away what can be put away of the messages that wait in memory."""
        for vhost in self.vhosts.values():
            for queues in (vhost.queues, vhost.reply_queues):
                for queue in queues.values():
                    queue.page_out()

    def ration(self, is_low: bool) -> None:
        """Memory is low, or is not any more: bound meanwhile what consumers hold unacknowledged."""
        self.memory.is_low = is_low
        for vhost in self.vhosts.values():
            for queue in vhost.queues.values():
                for consumer in queue.dispatch.consumers:
                    consumer.ration(is_low)

    def session(self, client: Client, outbox: Outbox) -> Session:
        """A channel of a client."""
        vhost = self.vhosts[client.vhost]
        self.connections.channels_opened += 1
        return Session(client, vhost, outbox, self.store, self.durability, self.turn, self.clock)

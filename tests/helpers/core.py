"""A broker's core without sockets: its disk is in memory, and what it sends is collected and read."""

from amqpd.broker import operations
from amqpd.broker.broker import Broker
from amqpd.broker.client import Client
from amqpd.broker.credit import Flow
from amqpd.broker.entry import Entry, EntryOwner
from amqpd.broker.journal import Journal
from amqpd.broker.lane import PageReader
from amqpd.broker.permissions import Access, Permission
from amqpd.broker.queue import Queue
from amqpd.broker.recovery import Recovered, recover
from amqpd.broker.vhost import VHost
from amqpd.message import Message, envelope_of
from amqpd.protocol.connection import Connection
from amqpd.protocol.handler import ConnectionHandler
from amqpd.protocol.handshake import Limits
from amqpd.protocol.output import Output
from amqpd.server.outbox import WireOutbox
from amqpd.wire import tables
from amqpd.wire.methods import short_string
from helpers.client import Heard, content_header, hear
from persistence import rows
from persistence.calendar import Calendar, Place
from persistence.memory import MemoryStore, memory_store
from persistence.rows import Row
from persistence.store import Log, StoredRecord, Window

PLENTY = 1 << 30


class MemoryJournal(Journal):
    """Definitions in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[object, ...], Row] = {}
        self.has_changed = False
        """True while the open batch holds definitions."""
        self._last_id = 0
        self._committed: dict[tuple[object, ...], Row] = {}

    def commit(self) -> None:
        """What was saved so far survives `forget_uncommitted`."""
        self._committed = dict(self.rows)
        self.has_changed = False

    def forget_uncommitted(self) -> None:
        """The process was killed before the open batch reached the disk."""
        self.rows = dict(self._committed)

    def save(self, row: Row) -> None:
        """Keep a row."""
        self.rows[_key(row)] = row
        self.has_changed = True

    def remove(self, row: Row) -> None:
        """Forget a row."""
        self.rows.pop(_key(row), None)
        self.has_changed = True

    def next_queue_id(self) -> int:
        """One more than the last time."""
        self._last_id += 1
        return self._last_id

    def recovered(self) -> Recovered:
        """The rows as recovery wants them."""
        found = Recovered()
        for row in self.rows.values():
            for kind, into in (
                (rows.VHost, found.vhosts), (rows.User, found.users), (rows.Permission, found.permissions),
                (rows.Exchange, found.exchanges), (rows.Queue, found.queues), (rows.Binding, found.bindings),
                (rows.Policy, found.policies), (rows.Parameter, found.parameters),
            ):  # fmt: skip
                if isinstance(row, kind):
                    into.append(row)  # type: ignore[arg-type]  # each list takes its own kind
        return found


def _key(row: Row) -> tuple[object, ...]:
    return (row.TABLE, *[getattr(row, name) for name in row.KEY])


class Pages(PageReader):
    """Reads windows when it is told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[Log, Window]] = []
        self.row_requests: list[tuple[Calendar, Place]] = []

    def request(self, log: Log, window: Window) -> None:
        """Note it for later."""
        self.requests.append((log, window))

    def read_now(self, log: Log, window: Window) -> list[StoredRecord]:
        """Read what a get cannot wait for."""
        return log.store.read(log, window)

    def request_rows(self, calendar: Calendar, place: Place) -> None:
        """Note it for later."""
        self.row_requests.append((calendar, place))

    def read_rows(self, store: MemoryStore) -> int:
        """Read the pages of calendars that were asked for; return how many that were."""
        requests, self.row_requests = self.row_requests, []
        for calendar, place in requests:
            calendar.owner.rows_read(store.read_calendar(calendar, place))
        return len(requests)

    def read(self) -> int:
        """Read what was asked for; return how many windows that were."""
        requests, self.requests = self.requests, []
        for log, window in requests:
            owner = log.owner
            assert isinstance(owner, EntryOwner)
            owner.page_read(log, window, log.store.read(log, window))
        return len(requests)


class Core:
    """A broker with one virtual host and a user who may do everything in it."""

    def __init__(
        self, memory_limit: int = PLENTY, store: MemoryStore | None = None, journal: MemoryJournal | None = None
    ) -> None:
        self.store = store or memory_store()
        self.journal = journal or MemoryJournal()
        self.pages = Pages()
        self.memory_limit = memory_limit
        self.broker = Broker(self.store, self.journal, self.pages, memory_limit)
        if journal is None:
            self.broker.add_vhost("/")
            user = self.broker.add_user("guest", "guest", ("administrator",))
            self.broker.set_permission(user, "/", ".*", ".*", ".*")

    @property
    def vhost(self) -> VHost:
        """The virtual host."""
        return self.broker.vhosts["/"]

    def restart(self) -> "Core":
        """The broker after a crash: what was committed is there."""
        core = Core(self.memory_limit, self.store.reopen(), self.journal)
        core.broker.clock.now = self.broker.clock.now
        recover(core.broker, self.journal.recovered())
        return core

    def client(self, *, wants_cancels: bool = True) -> Client:
        """A new connection of the user who may do everything."""
        return self.broker.enter(self.broker.users.by_name["guest"], "/", wants_cancels)

    def limited_client(self, configure: str = "", write: str = "", read: str = "") -> Client:
        """A new connection of a user with these rights."""
        return Client("alice", "/", Access("alice", "/", Permission(configure, write, read)), False, True)

    def channel(self, client: Client | None = None) -> "CoreChannel":
        """A new channel, of a client of its own unless one is given."""
        return CoreChannel(self, client or self.client())

    def finish(self) -> None:
        """End the turn: deliver and confirm."""
        self.broker.turn.finish()

    def write(self) -> int:
        """Bring the open batch to disk and return its number; nobody is told yet."""
        number = self.store.open_number
        batch = self.store.close_batch()
        if batch is not None:
            self.store.apply(batch)
            self.store.committed(batch)
        self.journal.commit()
        return number

    def commit(self) -> None:
        """End the turn, bring the open batch to disk, and finish what waited for it."""
        self.finish()
        self.broker.durability.batch_durable(self.write())
        self.finish()

    def settle(self) -> None:
        """Commit, and read pages, until nothing moves any more."""
        self.commit()
        while self.pages.read() or self.pages.read_rows(self.store):
            self.commit()


class CoreChannel:
    """A session with an outbox whose frames are kept."""

    def __init__(self, core: Core, client: Client) -> None:
        self.core = core
        self.client = client
        self.output = Output([])
        self.flow = Flow()
        connection = Connection(ConnectionHandler(), self.output, PLENTY)
        connection.limits = Limits(0, 0, 0)
        self.session = core.broker.session(client, WireOutbox(1, connection, self.flow))

    def publish(
        self, exchange: str, routing_key: str, body: bytes = b"", *, mandatory: bool = False, **properties: object
    ) -> None:
        """Publish one message."""
        address = short_string(exchange) + short_string(routing_key)
        publication = self.session.publication(exchange, routing_key, mandatory, address)
        self.session.publish(self.session.draft(publication, content_header(len(body), **properties)), body)

    def publish_many(self, queue: str, bodies: list[bytes], **properties: object) -> None:
        """Publish these bodies, which are all of one size, to a queue."""
        address = short_string("") + short_string(queue)
        publication = self.session.publication("", queue, False, address)
        draft = self.session.draft(publication, content_header(len(bodies[0]), **properties))
        for body in bodies:
            self.session.publish(draft, body)

    def get(self, queue: Queue, *, no_ack: bool = False) -> tuple[int, bytes] | None:
        """The tag and body of the next message that is got; None if there is none."""
        if not self.session.get(queue, no_ack):
            return None
        (heard,) = self.heard()
        return int(str(heard.values[0])), heard.body

    def consume(
        self,
        queue: Queue,
        tag: str = "c",
        *,
        no_ack: bool = False,
        prefetch: int = 0,
        exclusive: bool = False,
        priority: int = 0,
    ) -> None:
        """Consume with a prefetch of its own."""
        self.session.qos(prefetch, False)
        self.session.consume(queue, tag, no_ack, exclusive, priority)

    def heard(self) -> list[Heard]:
        """What was newly sent to the channel's peer."""
        return hear(self.output.take())

    def bodies(self) -> list[bytes]:
        """The bodies of what was newly delivered."""
        return [heard.body for heard in self.heard() if heard.name == "basic.deliver"]


def declare(core: Core, name: str, *, durable: bool = True, auto_delete: bool = False, **arguments: object) -> Queue:
    """A new queue; underscores in names of arguments stand for hyphens."""
    table = tables.encode({key.replace("_", "-"): value for key, value in arguments.items()})
    return operations.declare_queue(core.client(), core.vhost, name, durable, False, auto_delete, table)


def entry(sequence: int = 1, body: bytes = b"") -> Entry:
    """A message in no queue."""
    return Entry(EntryOwner(), sequence, Message(envelope_of(b"\0\0", content_header(len(body))), body), 0)

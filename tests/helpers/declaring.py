"""What clients and operators declare, bind, delete and rule, on the stage of the broker and its model."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from amqpd.broker import governance
from amqpd.wire import tables
from helpers.model import DEAD, Channel, Queue
from helpers.stage import Place, Stage

LETTERS: dict[str, object] = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
QUEUES: dict[str, tuple[bool, bool, bool, dict[str, object]]] = {
    "plain": (True, False, False, {}),
    "plain-transient": (False, False, False, {}),
    "plain-short": (True, False, False, {"x-max-length": 2, **LETTERS}),
    "plain-timed": (True, False, False, {"x-message-ttl": 20_000, **LETTERS}),
    "full": (True, False, False, {"x-max-length": 2, "x-overflow": "reject-publish"}),
    "ranked": (True, False, False, {"x-max-priority": 3, **LETTERS}),
    "fleeting": (True, False, False, {"x-expires": 60_000}),
    "auto": (False, True, False, LETTERS),
    "own": (False, False, True, {}),
    DEAD: (True, False, False, {}),
}
"""Durable, auto-delete, exclusive, and the arguments."""
BINDINGS = [("amq.direct", "k"), ("amq.fanout", ""), ("amq.topic", "#")]
EXCHANGES = {"d": ("direct", True), "f": ("fanout", False), "t": ("topic", True)}
POLICIES: list[dict[str, object]] = [{}, {"max-length": 1}, {"message-ttl": 10_000}, {"max-length": 4, "message-ttl": 40_000}]
PLACES = st.sampled_from([("a", 1), ("a", 2), ("b", 1), ("b", 2)])
NAMES = st.sampled_from(list(QUEUES))
SOURCES = st.sampled_from(["", "", "", "amq.direct", "amq.fanout", "amq.topic", *EXCHANGES])
KEYS = st.sampled_from(["k", "#", *QUEUES])


class Declaring(Stage):
    """The rules for queues, exchanges, bindings and the policy."""

    # --- exchanges, queues, bindings -------------------------------------------------------------------------------

    @initialize(names=st.sets(NAMES, min_size=4), bound=st.sets(st.tuples(NAMES, st.sampled_from(BINDINGS))))
    def begin(self, names: set[str], bound: set[tuple[str, tuple[str, str]]]) -> None:
        """Some queues are there, and bound."""
        for name in sorted(names | {"plain", DEAD}):
            self.declare(("a", 1), name)
        for name, (source, key) in sorted(bound):
            if name in self.model.queues:
                self._bind(("a", 1), source, name, key, is_bound=True)

    @rule(place=PLACES, name=NAMES)
    def declare(self, place: Place, name: str) -> None:
        """A queue is declared, perhaps again."""
        durable, auto_delete, exclusive, arguments = QUEUES[name]
        channel = self.channel(place)
        known = self.model.queues.get(name)
        if known is not None and known.owner not in {None, channel.connection}:
            return
        ready, consumers = (len(known.ready), len(self.model.consumers(name))) if known is not None else (0, 0)
        table = tables.encode(arguments)
        self.say(place, "queue.declare", 0, name, False, durable, exclusive, auto_delete, False, table)
        self.model.declare(name, durable, auto_delete, channel.connection if exclusive else None, arguments)
        self.check(self.finish(), "queue.declare-ok", name, ready, consumers)

    def _reachable(self, channel: Channel) -> list[Queue]:
        return [queue for queue in self.model.queues.values() if queue.owner in {None, channel.connection}]

    def some_queue(self, data: st.DataObject, channel: Channel) -> Queue | None:
        """One that the channel can reach; None if there is none."""
        queues = self._reachable(channel)
        return data.draw(st.sampled_from(sorted(queues, key=lambda queue: queue.name))) if queues else None

    @rule(place=PLACES, data=st.data())
    def delete(self, place: Place, data: st.DataObject) -> None:
        """A queue is deleted, with all that is in it."""
        queue = self.some_queue(data, self.channel(place))
        if queue is not None:
            self.say(place, "queue.delete", 0, queue.name, False, False, False)
            self.model.delete(queue.name)
            self.check(self.finish(), "queue.delete-ok", len(queue.ready))

    @rule(place=PLACES, data=st.data())
    def purge(self, place: Place, data: st.DataObject) -> None:
        """All that is ready goes."""
        queue = self.some_queue(data, self.channel(place))
        if queue is not None:
            self.say(place, "queue.purge", 0, queue.name, False)
            count = len(queue.ready)
            queue.ready.clear()
            self.check(self.finish(), "queue.purge-ok", count)

    @rule(place=PLACES, name=st.sampled_from(list(EXCHANGES)), is_deleted=st.booleans())
    def exchange(self, place: Place, name: str, is_deleted: bool) -> None:
        """An exchange comes or goes."""
        self.channel(place)
        if is_deleted:
            self.say(place, "exchange.delete", 0, name, False, False)
            if name in self.model.exchanges:
                self.model.delete_exchange(name)
            self.check(self.finish(), "exchange.delete-ok")
            return
        kind, durable = EXCHANGES[name]
        self.say(place, "exchange.declare", 0, name, kind, False, durable, False, False, False, b"")
        self.model.exchanges[name] = (kind, durable)
        self.check(self.finish(), "exchange.declare-ok")

    @rule(place=PLACES, source=SOURCES, key=KEYS, is_bound=st.booleans(), data=st.data())
    def bind(self, place: Place, source: str, key: str, is_bound: bool, data: st.DataObject) -> None:
        """A queue is bound, or unbound."""
        queue = self.some_queue(data, self.channel(place))
        if queue is not None and source and source in self.model.exchanges:
            self._bind(place, source, queue.name, key, is_bound=is_bound)

    def _bind(self, place: Place, source: str, name: str, key: str, *, is_bound: bool) -> None:
        if is_bound:
            self.say(place, "queue.bind", 0, name, source, key, False, b"")
            self.model.bindings.add((source, name, key))
        else:
            self.say(place, "queue.unbind", 0, name, source, key, b"")
            self.model.bindings.discard((source, name, key))
        self.check(self.finish(), "queue.bind-ok" if is_bound else "queue.unbind-ok")

    @rule(definition=st.sampled_from(POLICIES))
    def govern(self, definition: dict[str, object]) -> None:
        """The policy for the queues named `plain…` is another one, or gone."""
        vhost, broker = self.hall.core.vhost, self.hall.core.broker
        if definition:
            governance.set_policy(broker, vhost, "p", "^plain", definition, 0, "queues", operator=False)
        else:
            governance.clear_policy(broker, vhost, "p", operator=False)
        self.model.set_policy(definition)
        broker.agenda.run(self.model.now)
        self.turn()
        assert self.finish() is None

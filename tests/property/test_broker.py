"""The whole broker but its sockets and files against a model that is obviously right (`helpers.model`), step by step.

Clients speak octets; time passes when it is told to; a kill leaves what was committed. The long form of it is
`AMQPD_MODEL_STEPS=150 AMQPD_MODEL_RUNS=1500 pytest --timeout 0 tests/property/test_broker.py`.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from helpers import client
from helpers.declaring import BINDINGS, KEYS, PLACES, SOURCES, Declaring
from helpers.model import DEAD, Channel, Consumer
from helpers.pair import Hall
from helpers.stage import Place

PERSISTENT = st.sampled_from([True, True, False])
PREFETCHES = st.sampled_from([0, 1, 3])
FATES = st.sampled_from(["ack", "ack", "reject", "requeue"])
EXPIRATIONS = st.sampled_from([None, None, None, 0, 30_000])
SOON = 2_000
"""Milliseconds after which also what lies on disk has expired."""
LIFE = 6
"""Messages between two kills."""
STEPS = int(os.environ.get("AMQPD_MODEL_STEPS", "50"))
RUNS = int(os.environ.get("AMQPD_MODEL_RUNS", "25"))


class BrokerMachine(Declaring):
    """What clients may do, time and crashes."""

    # --- messages --------------------------------------------------------------------------------------------------

    @rule(
        messages=st.lists(st.tuples(PLACES, PERSISTENT, st.integers(0, 4), EXPIRATIONS), min_size=1, max_size=5),
        data=st.data(),
    )  # fmt: skip
    @precondition(lambda self: self.model.queues)
    def publish_to_queues(self, messages: list[tuple[Place, bool, int, int | None]], data: st.DataObject) -> None:
        """Messages are published to queues that are there."""
        for place, is_persistent, priority, expiration in messages:
            name = data.draw(st.sampled_from(sorted(self.model.queues)))
            self.publish(place, "", name, is_persistent, priority, expiration, mandatory=True)

    @rule(place=PLACES, binding=st.sampled_from(BINDINGS), is_persistent=PERSISTENT, expiration=EXPIRATIONS)
    def publish_to_many(self, place: Place, binding: tuple[str, str], is_persistent: bool, expiration: int | None) -> None:
        """A message is published to an exchange that is there."""
        self.publish(place, *binding, is_persistent, 0, expiration, mandatory=False)

    @rule(
        place=PLACES, source=SOURCES, key=KEYS, is_persistent=PERSISTENT, priority=st.integers(0, 4),
        expiration=EXPIRATIONS, mandatory=st.booleans(),
    )  # fmt: skip
    def publish(
        self, place: Place, source: str, key: str, is_persistent: bool, priority: int, expiration: int | None,
        mandatory: bool,
    ) -> None:  # fmt: skip
        """A message is published, perhaps to nobody."""
        channel = self.channel(place)
        if source and source not in self.model.exchanges:
            return
        self.number += 1
        given: dict[str, Any] = {"priority": priority, "delivery_mode": 2 if is_persistent else 1}
        if expiration is not None:
            given["expiration"] = str(expiration)
        self.send(place, client.publish(place[1], source, key, b"%d" % self.number, mandatory=mandatory, **given))
        self.model.publish(channel, source, key, self.number, is_persistent, priority, expiration, mandatory)
        assert self.finish(is_held=False) is None

    @rule(place=PLACES, name=st.sampled_from(["plain", "ranked", DEAD]), count=st.sampled_from([2, 5, 30]))
    def burst(self, place: Place, name: str, count: int) -> None:
        """Persistent messages in one piece."""
        channel = self.channel(place)
        if name not in self.model.queues or self.model.queues[name].limit("max-length") is not None:
            return
        pieces: list[bytes] = []
        for _ in range(count):
            self.number += 1
            pieces.append(client.publish(place[1], "", name, b"%d" % self.number, delivery_mode=2))
            self.model.publish(channel, "", name, self.number, True, 0, None, False)
            self.model.rank += 1
        self.send(place, *pieces)
        assert self.finish(is_held=False) is None

    @rule(place=PLACES, no_ack=st.booleans(), data=st.data())
    def get(self, place: Place, no_ack: bool, data: st.DataObject) -> None:
        """The next message is got, or nothing."""
        channel = self.channel(place)
        queue = self.some_queue(data, channel)
        if queue is None:
            return
        self.say(place, "basic.get", 0, queue.name, no_ack)
        queue.used_at = self.model.now
        answer = self.finish(is_held=False)
        assert answer is not None
        if not queue.ready:
            assert answer.name == "basic.get-empty"
            return
        tag, redelivered, _, _, left = answer.values
        item = queue.take(int(answer.body), answer.origin, redelivered)
        assert len(queue.ready) == left
        self.model.deliver(channel, int(str(tag)), item, queue, "", no_ack)

    @rule(consumers=st.lists(st.tuples(PLACES, st.booleans(), PREFETCHES), min_size=1, max_size=3), data=st.data())
    def consume_more(self, consumers: list[tuple[Place, bool, int]], data: st.DataObject) -> None:
        """Consumers come."""
        for place, no_ack, prefetch in consumers:
            self._consume(place, no_ack, prefetch, data)

    def _consume(self, place: Place, no_ack: bool, prefetch: int, data: st.DataObject) -> None:
        channel = self.channel(place)
        queue = self.some_queue(data, channel)
        if queue is None or len(self.model.consumers(queue.name)) > 1:
            return
        self.number += 1
        tag = f"c{self.number}"
        self.say(place, "basic.qos", 0, prefetch, False)
        self.check(self.listen(), "basic.qos-ok")
        self.say(place, "basic.consume", 0, queue.name, tag, False, no_ack, False, False, b"")
        queue.used_at = self.model.now
        channel.consumers[tag] = Consumer(channel, tag, queue.name, no_ack, prefetch)
        self.check(self.finish(is_held=False), "basic.consume-ok", tag)

    def _some_place(self, data: st.DataObject, is_meant: Callable[[Channel], object]) -> Place:
        return data.draw(st.sampled_from([place for place, channel in self.places.items() if is_meant(channel)]))

    @rule(data=st.data())
    @precondition(lambda self: any(channel.consumers for channel in self.places.values()))
    def cancel(self, data: st.DataObject) -> None:
        """A consumer leaves."""
        place = self._some_place(data, lambda channel: channel.consumers)
        channel = self.places[place]
        tag = data.draw(st.sampled_from(sorted(channel.consumers)))
        self.say(place, "basic.cancel", tag, False)
        self.model.cancel(channel, tag)
        self.check(self.finish(), "basic.cancel-ok", tag)

    @rule(place=PLACES, prefetch=st.sampled_from([0, 2, 5]))
    def limit(self, place: Place, prefetch: int) -> None:
        """The channel as a whole takes so many."""
        channel = self.channel(place)
        self.say(place, "basic.qos", 0, prefetch, True)
        channel.whole_prefetch = prefetch
        self.check(self.finish(is_held=False), "basic.qos-ok")

    @rule(answers=st.lists(st.tuples(st.booleans(), FATES), min_size=1, max_size=4), data=st.data())
    @precondition(lambda self: any(channel.unsettled for channel in self.places.values()))
    def settle(self, answers: list[tuple[bool, str]], data: st.DataObject) -> None:
        """What was delivered is acknowledged, rejected or sent back."""
        for is_multiple, fate in answers:
            if any(channel.unsettled for channel in self.places.values()):
                self._settle(self._some_place(data, lambda channel: channel.unsettled), data, fate, is_multiple=is_multiple)

    def _settle(self, place: Place, data: st.DataObject, fate: str, *, is_multiple: bool) -> None:
        channel = self.places[place]
        open_tags = channel.unsettled
        tag = data.draw(st.sampled_from(open_tags))
        tags = [one for one in open_tags if one <= tag] if is_multiple else [tag]
        if fate == "ack":
            self.say(place, "basic.ack", tag, is_multiple)
        else:
            self.say(place, "basic.nack", tag, is_multiple, fate == "requeue")
        self.model.answer(channel, tags, fate)
        assert self.finish(is_held=False) is None

    @rule(place=PLACES)
    def recover(self, place: Place) -> None:
        """All that is not settled goes back."""
        channel = self.channel(place)
        self.say(place, "basic.recover", True)
        self.model.requeue(channel, channel.unsettled)
        self.check(self.finish(is_held=False), "basic.recover-ok")

    # --- modes, mistakes and ends ----------------------------------------------------------------------------------

    @rule(place=PLACES, is_confirm=st.booleans())
    def select(self, place: Place, is_confirm: bool) -> None:
        """A channel becomes transactional, or confirms."""
        channel = self.channel(place)
        if channel.is_transactional or channel.is_confirming:
            return
        if is_confirm:
            channel.is_confirming = True
            self.say(place, "confirm.select", False)
        else:
            channel.is_transactional = True
            self.say(place, "tx.select")
        self.check(self.finish(is_held=False), "confirm.select-ok" if is_confirm else "tx.select-ok")

    @rule(is_committed=st.booleans(), data=st.data())
    @precondition(lambda self: any(channel.is_transactional for channel in self.places.values()))
    def end_transaction(self, is_committed: bool, data: st.DataObject) -> None:
        """All of a transaction happens, or nothing."""
        place = self._some_place(data, lambda channel: channel.is_transactional)
        channel = self.places[place]
        sources = {"", *self.model.exchanges}
        if is_committed and any(publish[0] not in sources for publish in channel.publishes):
            self.say(place, "tx.commit")
            self._refused(place)
            return
        if is_committed:
            self.say(place, "tx.commit")
            self.model.commit(channel)
        else:
            self.say(place, "tx.rollback")
            self.model.rollback(channel)
        self.check(self.finish(), "tx.commit-ok" if is_committed else "tx.rollback-ok")

    @rule(place=PLACES, wrong=st.sampled_from(["get", "ack", "publish", "bind", "declare"]))
    def mistake(self, place: Place, wrong: str) -> None:
        """A command that fails ends its channel."""
        self.channel(place)
        if wrong == "get":
            self.say(place, "basic.get", 0, "missing", True)
        elif wrong == "ack":
            self.say(place, "basic.ack", 1 << 40, False)
        elif wrong == "publish":
            self.send(place, client.publish(place[1], "missing", "k", b"0"))
        elif wrong == "bind":
            self.say(place, "queue.bind", 0, "missing", "amq.direct", "k", False, b"")
        else:
            self.say(place, "queue.declare", 0, DEAD, False, False, False, True, False, b"")
            if DEAD not in self.model.queues:
                self.model.declare(DEAD, False, True, None, {})
                self.check(self.finish(), "queue.declare-ok", DEAD, 0, 0)
                self.delete_dead(place)
                return
        self._refused(place)

    def _refused(self, place: Place) -> None:
        """The channel is closed for what was said, of which nothing is done."""
        self.model.close(self.places[place])
        answer = self.finish()
        assert answer is not None
        assert answer.name == "channel.close"
        del self.places[place]
        self.say(place, "channel.close-ok")

    def delete_dead(self, place: Place) -> None:
        """The wrong kind of queue goes again."""
        self.say(place, "queue.delete", 0, DEAD, False, False, False)
        self.model.delete(DEAD)
        self.check(self.finish(), "queue.delete-ok", 0)

    @rule(place=PLACES)
    @precondition(lambda self: self.places)
    def close(self, place: Place) -> None:
        """A channel is closed."""
        channel = self.channel(place)
        self.say(place, "channel.close", 200, "", 0, 0)
        self.model.close(channel)
        self.check(self.finish(), "channel.close-ok")
        del self.places[place]

    @rule(data=st.data())
    @precondition(lambda self: self.pairs)
    def disconnect(self, data: st.DataObject) -> None:
        """A client is gone without a word."""
        self._lose(data.draw(st.sampled_from(sorted(self.pairs))))

    def _lose(self, name: str) -> None:
        pair = self.pairs.pop(name)
        pair.connection.lost()
        pair.peer.lost("")
        self.turn()
        self.model.disconnect(pair)
        self.places = {place: channel for place, channel in self.places.items() if place[0] != name}
        self.finish()

    # --- the disk, the clock and crashes ---------------------------------------------------------------------------

    @rule()
    def commit(self) -> None:
        """What is open reaches the disk, and everything that waited for it is confirmed."""
        assert self.finish() is None
        assert not [channel.unconfirmed for channel in self.model.channels if channel.unconfirmed]

    @rule(seconds=st.sampled_from([10, 10, 30, 70]))
    def advance(self, seconds: int) -> None:
        """Time passes."""
        broker = self.hall.core.broker
        for later in (self.model.now + seconds * 1000, self.model.now + seconds * 1000 + SOON):
            broker.clock.now = later
            while 0 < broker.agenda.next() <= later:
                broker.agenda.run(later)
                self.turn()
        self.model.advance(broker.clock.now)
        assert self.finish(is_held=False) is None

    @rule()
    def relieve(self) -> None:
        """Memory is short: what can leave it does."""
        self.hall.core.broker.relieve_memory()
        assert self.finish() is None

    @rule()
    @precondition(lambda self: self.number > self.begun + LIFE and not self.model.drops_in_any_order())
    def kill(self) -> None:
        """The broker is killed and starts again with what was committed."""
        self.hall.core.journal.forget_uncommitted()
        self.hall = Hall(self.hall.core.restart())
        self.pairs, self.places = {}, {}
        self.begun = self.number
        self.hall.core.broker.agenda.run(self.model.now)
        self.turn()
        self.model.crash()
        assert self.finish() is None

    # --- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def holds_the_same(self) -> None:
        """Queues, their counts and their bindings are the model's."""
        vhost = self.hall.core.vhost
        counts = {queue.name: (queue.ready.count, queue.consumer_count) for queue in vhost.queues.values()}
        expected = {name: (len(queue.ready), len(self.model.consumers(name))) for name, queue in self.model.queues.items()}
        assert expected == counts
        found = {
            (exchange.name, binding.destination, binding.routing_key)
            for exchange in vhost.exchanges.values()
            if exchange.name in self.model.exchanges
            for binding in exchange.bindings.values()
        }
        assert self.model.bindings == found

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        """What somebody can take was delivered."""
        for queue in self.model.queues.values():
            assert not queue.ready or not self.model.can_be_taken(queue), queue.name

    def teardown(self) -> None:
        """Once everybody has left and every queue is gone, nothing is left in memory or on disk."""
        for name in list(self.pairs):
            self._lose(name)
        vhost = self.hall.core.vhost
        capacity = vhost.setting.capacity
        assert capacity.bindings.used == sum(len(exchange.bindings) for exchange in vhost.exchanges.values())
        assert capacity.queues.used == len(vhost.queues)
        for queue in list(vhost.queues.values()):
            vhost.delete_queue(queue)
        assert (0, 0) == (capacity.queues.used, capacity.consumers.used)
        self.hall.commit()
        assert self.hall.core.broker.memory.resident == 0


def test_the_broker_is_the_model() -> None:
    """Whatever clients do, and however often the broker is killed, it holds, delivers and confirms what the model says."""
    brief = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        derandomize="AMQPD_MODEL_RUNS" not in os.environ,
    )
    run_state_machine_as_test(BrokerMachine, settings=brief)

"""The stage on which the broker and its model play the same piece: two clients with two channels each."""

from typing import Final

from hypothesis.stateful import RuleBasedStateMachine

from helpers import client
from helpers.client import Heard, method
from helpers.model import Channel, Consumer, Item, Model, Queue
from helpers.pair import ConnectionPair, Hall

BEGIN: Final = 4_000_000_000_000
"""Milliseconds since the epoch, a time to come: by this clock, no turn takes longer than it may (`Transport.allowance`)."""

Place = tuple[str, int]
"""A client's name and the number of one of its channels."""


class Stage(RuleBasedStateMachine):
    """Says things to the broker, and compares what it hears with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.hall = Hall()
        self.model = Model()
        self.number = 0
        self.begun = 0
        """The number of the last message before the last start."""
        self.pairs: dict[str, ConnectionPair] = {}
        self.places: dict[Place, Channel] = {}
        self.set_clock(BEGIN)

    # --- how both are driven ---------------------------------------------------------------------------------------

    def set_clock(self, now: int) -> None:
        """It is this time, in milliseconds."""
        self.model.now = now
        self.hall.core.broker.clock.now = now

    def channel(self, place: Place) -> Channel:
        """The channel there, which is opened if it is not."""
        name, _ = place
        if name not in self.pairs:
            self.pairs[name] = ConnectionPair(self.hall)
            self.pairs[name].greet("guest", "/", consumer_cancel_notify=True)
            self.pairs[name].heard()
            self.set_clock(self.model.now)
        if place not in self.places:
            self.places[place] = Channel(self.pairs[name])
            self.model.channels.append(self.places[place])
            self.say(place, "channel.open", "")
            self.listen()
        return self.places[place]

    def say(self, place: Place, name: str, *values: object) -> None:
        """Say one method."""
        self.send(place, method(place[1], name, *values))

    def send(self, place: Place, *data: bytes) -> None:
        """Say these octets."""
        self.pairs[place[0]].connection.receive_data(b"".join(data))
        self.turn()

    def turn(self) -> None:
        """The broker ends its turn, and reads what it asked the disk for."""
        self._flush()
        while self.hall.core.pages.read():
            self._flush()

    def _flush(self) -> None:
        self.hall.flush_set.schedule()
        self.hall.loop.run()

    def _commit(self) -> None:
        self.hall.commit()
        self.turn()
        self.model.committed()

    def finish(self, *, is_held: bool = True) -> Heard | None:
        """Hear the answers, and commit if the command changes what lasts; return the answer to the command."""
        answer = self.listen()
        if is_held:
            self._commit()
            later = self.listen()
            assert answer is None or later is None
            answer = answer or later
        return answer

    def listen(self) -> Heard | None:
        """Hear what every client is told, and check it; a method that answers a command is returned."""
        answer: Heard | None = None
        news: list[tuple[Channel, Heard]] = []
        for place, channel in list(self.places.items()):
            pair = self.pairs[place[0]]
            told, pair.socket.written = b"".join(pair.socket.written), []
            for heard in client.hear(told + pair.transport.take()):
                owner = self.places.get((place[0], heard.channel), channel)
                if heard.name in {"basic.deliver", "basic.return", "basic.cancel", "basic.ack", "basic.nack"}:
                    news.append((owner, heard))
                else:
                    assert answer is None, (answer, heard)
                    answer = heard
        self._check_news(news)
        self.model.rank += 1
        return answer

    def _check_news(self, news: list[tuple[Channel, Heard]]) -> None:
        model = self.model
        present = [(channel, tag) for channel, tag in model.cancelled if channel in model.channels]
        told = [(channel, str(heard.values[0])) for channel, heard in news if heard.name == "basic.cancel"]
        assert sorted(present, key=_place) == sorted(told, key=_place)
        returned = [(channel, int(heard.body)) for channel, heard in news if heard.name == "basic.return"]
        assert model.returned == returned
        model.cancelled, model.returned = [], []
        for channel, heard in news:
            if heard.name in {"basic.ack", "basic.nack"}:
                self._confirmed(channel, heard)
        self._delivered([(channel, heard) for channel, heard in news if heard.name == "basic.deliver"])

    def _confirmed(self, channel: Channel, heard: Heard) -> None:
        tag, is_multiple = int(str(heard.values[0])), bool(heard.values[1])
        tags = [one for one in channel.unconfirmed if one == tag or (is_multiple and one < tag)]
        assert tag in tags
        for one in tags:
            assert heard.name == f"basic.{channel.unconfirmed.pop(one)}"

    def check(self, answer: Heard | None, name: str, *values: object) -> None:
        """The answer is this."""
        assert answer is not None
        assert (name, list(values)) == (answer.name, answer.values)

    def _delivered(self, deliveries: list[tuple[Channel, Heard]]) -> None:
        """Each was the next one of its queue, whoever got the others."""
        waiting: dict[str, list[tuple[Channel, Heard, Consumer]]] = {}
        for channel, heard in deliveries:
            consumer = channel.consumers[str(heard.values[0])]
            waiting.setdefault(consumer.queue, []).append((channel, heard, consumer))
        taken: list[tuple[Channel, int, Item, Queue, Consumer]] = []
        for name, of_queue in waiting.items():
            queue = self.model.queues[name]
            while of_queue:
                due = [one for one in of_queue if queue.find(int(one[1].body), one[1].origin)]
                assert due, (name, [heard.body for _, heard, _ in of_queue], queue.ready[:3])
                channel, heard, consumer = due[0]
                of_queue.remove(due[0])
                item = queue.take(int(heard.body), heard.origin, heard.values[2])
                taken.append((channel, int(str(heard.values[1])), item, queue, consumer))
        for channel, tag, item, queue, consumer in sorted(taken, key=lambda one: one[1]):
            self.model.deliver(channel, tag, item, queue, consumer.tag, consumer.no_ack)
        for _, _, _, _, consumer in taken:
            held = [one for one in consumer.channel.held.values() if one.consumer]
            assert not consumer.prefetch or len([one for one in held if one.consumer == consumer.tag]) <= consumer.prefetch
            assert consumer.no_ack or not consumer.channel.whole_prefetch or len(held) <= consumer.channel.whole_prefetch


def _place(one: tuple[Channel, str]) -> tuple[int, str]:
    return (id(one[0]), one[1])

"""Workloads over HTTP: a policy that changes under load, and definitions that are imported."""

import random
from typing import Any, Final

from conformance.client.channel import Channel
from helpers.api import Api
from helpers.broker import Broker
from helpers.fates import Fates, Id
from helpers.traffic import Client, connect, contents
from helpers.workloads import EDGE, SMALL, Target, Workload

LONGEST_QUEUE: Final = 50
OBJECTS: Final = 5
"""Queues, exchanges and bindings in one document."""


class PolicyChanges(Workload):
    """A policy makes a queue shorter and longer: what has no room goes to another queue, and nothing is lost or doubled."""

    queues = ("governed", "overflow")

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.either: Final = Fates("governed or overflow", ordered=False)
        self.fates["either"] = self.either
        self.limits: set[int] = set()
        """What the limit may be: that which was answered for, and that which is being set."""

    def declare(self, broker: Broker) -> None:
        """See `Workload.declare`."""
        super().declare(broker)
        limit(Api(broker.http_url), LONGEST_QUEUE)
        self.limits = {LONGEST_QUEUE}

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL, EDGE), Governor(broker, self)]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "governed"}, [self.either]

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        definition = Api(broker.http_url).get("/api/policies/%2F/limit")["definition"]
        assert definition["max-length"] in self.limits
        self.limits = {definition["max-length"]}
        governed = contents(broker, "governed")
        assert len(governed) <= definition["max-length"]
        self.either.check(governed + contents(broker, "overflow"), ended_well=ended_well)


def limit(api: Api, length: int) -> None:
    """Set the policy, or raise OSError if the broker is gone."""
    definition = {"max-length": length, "dead-letter-exchange": "", "dead-letter-routing-key": "overflow"}
    assert api.put("/api/policies/%2F/limit", {"pattern": "^governed$", "definition": definition}) in {201, 204}


class Administrator(Client):
    """Works over HTTP; its AMQP connection only tells it when the broker ends."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.api: Final = Api(broker.http_url)

    def step(self) -> None:
        """See `Client.step`."""
        try:
            self.administer()
        except OSError:
            self.channel.wait("channel.close")

    def administer(self) -> None:
        """One change; raises OSError when the broker is gone."""
        raise NotImplementedError


class Governor(Administrator):
    """Changes the policy all the time."""

    def __init__(self, broker: Broker, workload: PolicyChanges) -> None:
        super().__init__(broker)
        self._workload: Final = workload

    def administer(self) -> None:
        """See `Administrator.administer`."""
        length = self._workload.chance.randrange(LONGEST_QUEUE)
        self._workload.limits.add(length)
        limit(self.api, length)
        self._workload.limits = {length}


class Imports(Workload):
    """Documents with queues, exchanges and bindings are imported, one after the other."""

    queues = ("steady",)

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.begun = 0
        self.done: Final[set[int]] = set()
        """The documents that were answered for."""

    def clients(self, broker: Broker) -> list[Client]:
        """See `Workload.clients`."""
        return [self.publisher(broker, SMALL), Importer(broker, self)]

    def target(self, message: Id) -> Target:
        """See `Workload.target`."""
        return {"routing_key": "steady"}, list(self.fates.values())

    def check(self, broker: Broker, *, ended_well: bool) -> None:
        """See `Workload.check`."""
        super().check(broker, ended_well=ended_well)
        connection = connect(broker)
        channel = connection.channel()
        for number in self.done:
            self._check_document(channel, number)
        connection.close()
        self.done.clear()

    def _check_document(self, channel: Channel, number: int) -> None:
        channel.call("confirm.select")
        for name in names(number):
            channel.publish(exchange=name, mandatory=True)
            assert "basic.ack" == channel.wait("basic.return", "basic.ack").name, f"{name} is lost"


def names(number: int) -> list[str]:
    """The queues of a document, which are those of its exchanges."""
    return [f"imported-{number}-{index}" for index in range(OBJECTS)]


def document(number: int) -> dict[str, Any]:
    """Queues, each bound to an exchange of its name."""
    common = {"vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
    return {
        "queues": [{"name": name, **common} for name in names(number)],
        "exchanges": [{"name": name, "type": "fanout", "internal": False, **common} for name in names(number)],
        "bindings": [
            {"vhost": "/", "source": name, "destination": name, "destination_type": "queue", "routing_key": "", "arguments": {}}
            for name in names(number)
        ],
    }


class Importer(Administrator):
    """Imports the next document."""

    def __init__(self, broker: Broker, workload: Imports) -> None:
        super().__init__(broker)
        self._workload: Final = workload

    def administer(self) -> None:
        """See `Administrator.administer`."""
        self._workload.begun += 1
        number = self._workload.begun
        assert self.api.call("POST", "/api/definitions", document(number)).status in {200, 201, 204}
        self._workload.done.add(number)

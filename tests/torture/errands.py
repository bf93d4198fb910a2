"""Those who come, do something short, and go: connections, queues, exchanges, bindings, policies, and visits over HTTP."""

import random
from itertools import count
from typing import Final

from torture.labours import Labour

from helpers.api import Api
from helpers.broker import Broker
from helpers.traffic import PERSISTENT


class Guest(Labour):
    """Opens a connection with some channels, uses a queue of its own, makes a mistake sometimes, and closes or is cut."""

    def work(self) -> None:
        """See `Labour.work`."""
        connection = self.connect()
        channels = [connection.channel() for _ in range(random.randint(2, 4))]
        queue = channels[0].queue()
        channels[-1].consume(queue)
        channels[-1].publish(b"hello", routing_key=queue)
        channels[-1].delivery()
        if random.random() < 0.3:
            channels[0].send("queue.declare", queue="nowhere", passive=True)
            channels[0].must_close(404)
        if random.random() < 0.5:
            connection.drop()
            return
        if random.random() < 0.5:
            channels[-1].close()
        connection.close()


class Founder(Labour):
    """Declares a durable queue and exchange of new names, binds and uses them, sets a policy, and takes all of it away."""

    def __init__(self, broker: Broker, pause: float) -> None:
        super().__init__(broker, pause)
        self._api: Final = Api(broker.http_url)
        self._numbers: Final = count()

    def work(self) -> None:
        """See `Labour.work`."""
        name = f"passing-{next(self._numbers)}"
        connection = self.connect()
        channel = connection.channel()
        channel.call("confirm.select")
        policy = {"pattern": f"^{name}$", "definition": {"max-length": 5}, "apply-to": "queues"}
        assert 201 == self._api.put(f"/api/policies/%2F/{name}", policy)
        channel.queue(name, exclusive=False, durable=True)
        channel.exchange("topic", name, durable=True)
        for key in ("a.*", "b.#", name):
            channel.bind(name, name, key)
        for number in range(10):
            channel.publish(b"~" * 1000 * number, exchange=name, routing_key="a.b", delivery_mode=PERSISTENT)
        channel.confirmed(10)
        self.over.wait(random.random())
        channel.call("queue.unbind", queue=name, exchange=name, routing_key="b.#")
        channel.call("exchange.delete", exchange=name)
        channel.call("queue.delete", queue=name)
        connection.close()
        assert 204 == self._api.delete(f"/api/policies/%2F/{name}")


class Visitor(Labour):
    """Asks for one page again and again."""

    def __init__(self, broker: Broker, url: str, pause: float) -> None:
        super().__init__(broker, pause)
        self._api: Final = Api(url)

    def work(self) -> None:
        """See `Labour.work`."""
        reply = self._api.call("GET", "")
        assert 200 == reply.status, reply.body

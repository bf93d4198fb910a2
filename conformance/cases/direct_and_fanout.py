"""Direct and fanout exchanges, and the default exchange as a router."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import equal, require

routing = Area("direct-and-fanout", "Routing: direct, fanout, default")

DIRECT = "AMQP 0-9-1 3.1.3.1 The direct exchange type"
FANOUT = "AMQP 0-9-1 3.1.3.2 The fanout exchange type"
DEFAULT = "AMQP 0-9-1 3.1.2 (default exchange)"


@routing.table(
    "direct.match",
    "A direct exchange compares keys octet by octet: {}",
    DIRECT,
    [
        ("equal", "key", "key", True),
        ("empty both", "", "", True),
        ("empty binding key", "", "key", False),
        ("empty routing key", "key", "", False),
        ("other case", "key", "KEY", False),
        ("longer", "key", "key.x", False),
        ("shorter", "key.x", "key", False),
        ("trailing space", "key", "key ", False),
        ("star is no wildcard", "*", "a", False),
        ("star equals star", "*", "*", True),
        ("hash is no wildcard", "#", "a", False),
        ("unicode", "schlüssel ☃", "schlüssel ☃", True),
        ("255 octets", "k" * 255, "k" * 255, True),
    ],
)
def _(broker: Broker, binding_key: str, routing_key: str, matches: bool) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, binding_key)
    channel.publish(b"m", exchange=exchange, routing_key=routing_key)
    channel.must_hold(queue, *["m"] * matches)


@routing.case("direct.several-queues", "All queues bound with the same key get the message", DIRECT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queues = [channel.bound_queue(exchange, "k") for _ in range(5)]
    other = channel.bound_queue(exchange, "other")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    for queue in queues:
        channel.must_hold(queue, "m")
    channel.must_hold(other)


@routing.case("direct.several-keys", "A queue bound with several keys gets the messages of each", DIRECT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "a")
    channel.bind(queue, exchange, "b")
    for key in "abcab":
        channel.publish(key, exchange=exchange, routing_key=key)
    channel.must_hold(queue, "a", "b", "a", "b")


@routing.case("direct.predeclared", "amq.direct routes by key", DIRECT)
def _(broker: Broker) -> None:
    channel, key = broker.channel(), broker.name("key")
    queue = channel.bound_queue("amq.direct", key)
    channel.publish(b"m", exchange="amq.direct", routing_key=key)
    channel.must_hold(queue, "m")


@routing.table(
    "fanout.ignores-key",
    "A fanout exchange ignores keys: binding key and routing key {}",
    FANOUT,
    [("differ", "a", "b"), ("are empty", "", ""), ("are equal", "a", "a"), ("are patterns", "#", "*.x")],
)
def _(broker: Broker, binding_key: str, routing_key: str) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange, binding_key)
    channel.publish(b"m", exchange=exchange, routing_key=routing_key)
    channel.must_hold(queue, "m")


@routing.case("fanout.all-queues", "A fanout exchange gives the message to every bound queue and to no other", FANOUT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queues, unbound = [channel.bound_queue(exchange) for _ in range(10)], channel.queue()
    channel.publish(b"m", exchange=exchange)
    for queue in queues:
        channel.must_hold(queue, "m")
    channel.must_hold(unbound)


@routing.case("fanout.once", "A queue bound twice to a fanout exchange gets the message once", FANOUT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange, "a")
    channel.bind(queue, exchange, "b")
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@routing.case("fanout.copies", "Every queue has its own copy: settling one leaves the others", FANOUT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    first, second = channel.bound_queue(exchange), channel.bound_queue(exchange)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(first, "m")
    channel.must_hold(first)
    channel.must_hold(second, "m")


@routing.case("fanout.predeclared", "amq.fanout gives messages to every bound queue", FANOUT)
def _(broker: Broker) -> None:
    channel, body = broker.channel(), broker.name("body")
    queue = channel.bound_queue("amq.fanout")
    channel.publish(body, exchange="amq.fanout")
    require(body in channel.bodies(queue), "the message among those in the queue")


@routing.case("default.by-queue-name", "The default exchange routes to the queue whose name is the routing key", DEFAULT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, other = channel.queue(), channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue, "m")
    channel.must_hold(other)


@routing.case("default.exact", "The default exchange matches the whole name", DEFAULT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    for key in (queue[:-1], queue + "x", queue.upper(), "#", "*", ""):
        channel.publish(b"m", routing_key=key)
    channel.must_hold(queue)


@routing.case(
    "default.delivered-as",
    "A delivery by the default exchange carries an empty exchange name and the queue's name as key",
    DEFAULT,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    message = channel.must_get(queue)
    equal("exchange and key", ("", queue), (message.exchange, message.routing_key))


@routing.case(
    "routing.delivered-as", "A delivery carries the exchange and key it was published with", "AMQP 0-9-1 basic.deliver"
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange, "binding key")
    channel.publish(b"m", exchange=exchange, routing_key="routing.key")
    message = channel.must_get(queue)
    equal("exchange and key", (exchange, "routing.key"), (message.exchange, message.routing_key))


@routing.case(
    "routing.unroutable",
    "A message that no binding matches disappears without a word",
    "AMQP 0-9-1 basic.publish.mandatory",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", exchange=channel.exchange("direct"), routing_key="nowhere")
    channel.must_be_silent()


@routing.case(
    "routing.order",
    "Messages reach a queue in the order in which a channel published them",
    "AMQP 0-9-1 4.7 Content ordering guarantees",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k")
    for n in range(200):
        channel.publish(str(n), exchange=exchange, routing_key="k")
    channel.must_hold(queue, *map(str, range(200)))


@routing.case(
    "routing.order-across-exchanges",
    "The order holds across different exchanges to the same queue",
    "AMQP 0-9-1 4.7 Content ordering guarantees",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    direct, fanout = channel.exchange("direct"), channel.exchange("fanout")
    queue = channel.bound_queue(direct, "k")
    channel.bind(queue, fanout)
    for n in range(60):
        channel.publish(str(n), exchange=("", direct, fanout)[n % 3], routing_key=(queue, "k", "")[n % 3])
    channel.must_hold(queue, *map(str, range(60)))


@routing.case("routing.cc", "CC headers add routing keys", "RabbitMQ: Sender-selected distribution", EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queues = [channel.bound_queue(exchange, key) for key in "abcd"]
    channel.publish(b"m", exchange=exchange, routing_key="a", headers={"CC": ["b", "c"]})
    for queue, count in zip(queues, (1, 1, 1, 0), strict=True):
        channel.must_count(queue, count)
    equal("CC kept", ["b", "c"], channel.must_get(queues[0]).headers.get("CC"))


@routing.case(
    "routing.bcc",
    "BCC headers add routing keys and are removed from the message",
    "RabbitMQ: Sender-selected distribution",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queues = [channel.bound_queue(exchange, key) for key in "ab"]
    channel.publish(b"m", exchange=exchange, routing_key="a", headers={"BCC": ["b"], "other": 1})
    for queue in queues:
        equal("headers", {"other": 1}, channel.must_get(queue).headers)


@routing.case(
    "routing.cc.once",
    "A queue reached by key and CC gets the message once",
    "RabbitMQ: Sender-selected distribution",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, headers={"CC": [queue], "BCC": [queue]})
    channel.must_hold(queue, "m")


@routing.table(
    "routing.cc.malformed",
    "A {} header that is not an array of strings is refused with 406",
    "RabbitMQ: Sender-selected distribution",
    [("CC string", {"CC": "k"}), ("BCC number", {"BCC": 1})],
    EXTENSION,
)
def _(broker: Broker, headers: dict[str, object]) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key="k", headers=headers)
    channel.must_close(406, "basic.publish")

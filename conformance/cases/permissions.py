"""Permissions: configure, write and read by regular expression, and topic permissions."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

permissions = Area("permissions", "Permissions", ["management"])

SPEC = "RabbitMQ: Authentication, Authorisation, Access Control"
TOPIC = "RabbitMQ: Topic Authorisation"
# what: method, arguments (Q and X stand for a queue and an exchange that exist), the permissions that it needs
Operation = tuple[str, str, dict[str, Any], dict[str, str]]
OPERATIONS: list[Operation] = [
    ("exchange.declare", "exchange.declare", {"exchange": "X", "type": "direct"}, {"configure": "X"}),
    ("exchange.delete", "exchange.delete", {"exchange": "X"}, {"configure": "X"}),
    ("queue.declare", "queue.declare", {"queue": "Q"}, {"configure": "Q"}),
    ("queue.delete", "queue.delete", {"queue": "Q"}, {"configure": "Q"}),
    ("queue.bind", "queue.bind", {"queue": "Q", "exchange": "X", "routing_key": "k"}, {"write": "Q", "read": "X"}),
    ("queue.unbind", "queue.unbind", {"queue": "Q", "exchange": "X", "routing_key": "k"}, {"write": "Q", "read": "X"}),
    ("exchange.bind", "exchange.bind", {"destination": "X", "source": "Y"}, {"write": "X", "read": "Y"}),
    ("exchange.unbind", "exchange.unbind", {"destination": "X", "source": "Y"}, {"write": "X", "read": "Y"}),
    ("queue.purge", "queue.purge", {"queue": "Q"}, {"read": "Q"}),
    ("basic.get", "basic.get", {"queue": "Q", "no_ack": True}, {"read": "Q"}),
    ("basic.consume", "basic.consume", {"queue": "Q"}, {"read": "Q"}),
    (
        "exchange.declare with alternate-exchange",
        "exchange.declare",
        {"exchange": "N", "type": "direct", "arguments": {"alternate-exchange": "Y"}},
        {"configure": "N", "read": "N", "write": "Y"},
    ),
    (
        "queue.declare with x-dead-letter-exchange",
        "queue.declare",
        {"queue": "N", "exclusive": True, "arguments": {"x-dead-letter-exchange": "Y"}},
        {"configure": "N", "read": "N", "write": "Y"},
    ),
]


class Stage:
    """A queue Q, exchanges X and Y, an unused name N, and a user whose permissions the case sets."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.owner = broker.channel()
        self.names = {"Q": self.owner.queue(exclusive=False), "N": broker.name()}
        self.names |= {letter: self.owner.exchange("direct") for letter in "XY"}
        self.user = broker.new_user()

    def named(self, value: Any) -> Any:
        """A value with real names in place of the letters."""
        if isinstance(value, dict):
            return {key: self.named(item) for key, item in value.items()}
        return self.names.get(value, value) if isinstance(value, str) else value

    def channel(self, granted: dict[str, str]) -> Channel:
        """A channel of the user, who has these permissions (letters stand for names) and no others."""
        patterns = {kind: f"^{self.names[letter]}$".replace(".", "[.]") for kind, letter in granted.items()}
        self.broker.permit(self.user[0], **patterns)
        return self.broker.channel(user=self.user)


@permissions.table(
    "permission.granted",
    "{} needs no more than its permissions",
    SPEC,
    [(title, *rest) for title, *rest in OPERATIONS],
    EXTENSION,
)
def _(broker: Broker, method: str, arguments: dict[str, Any], needed: dict[str, str]) -> None:
    stage = Stage(broker)
    stage.channel(needed).call(method, **stage.named(arguments))


@permissions.table(
    "permission.refused",
    "{} without the permission to {} is refused with 403",
    SPEC,
    [
        (f"{title} {kind}", kind, method, arguments, {other: name for other, name in needed.items() if other != kind})
        for title, method, arguments, needed in OPERATIONS
        for kind in needed
    ],
    EXTENSION,
)
def _(broker: Broker, kind: str, method: str, arguments: dict[str, Any], granted: dict[str, str]) -> None:
    del kind
    stage = Stage(broker)
    stage.channel(granted).refuses(403, method, **stage.named(arguments))


@permissions.case("permission.publish", "Publishing needs write on the exchange only", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.owner.bind(stage.names["Q"], stage.names["X"], "k")
    channel = stage.channel({"write": "X"})
    channel.publish(b"m", exchange=stage.names["X"], routing_key="k")
    channel.must_be_silent()
    stage.owner.must_hold(stage.names["Q"], "m")


@permissions.case("permission.publish.refused", "Publishing without write on the exchange is refused with 403", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    channel = stage.channel({"read": "X", "configure": "X"})
    channel.publish(b"m", exchange=stage.names["X"], routing_key="k")
    channel.must_close(403, "basic.publish")


@permissions.case("permission.default-exchange", "For the default exchange the name amq.default is matched", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    broker.permit(stage.user[0], write="^amq[.]default$")
    channel = broker.channel(user=stage.user)
    channel.publish(b"m", routing_key=stage.names["Q"])
    channel.must_be_silent()
    stage.owner.must_hold(stage.names["Q"], "m")


@permissions.case(
    "permission.default-exchange.refused",
    "Without write on amq.default publishing to a queue by name is refused",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    channel = stage.channel({"write": "Q"})
    channel.publish(b"m", routing_key=stage.names["Q"])
    channel.must_close(403, "basic.publish")


@permissions.table(
    "permission.passive",
    "Passive {} by a user who may read it succeeds",
    SPEC,
    [("queue.declare", "queue", "Q"), ("exchange.declare", "exchange", "X")],
    EXTENSION,
)
def _(broker: Broker, kind: str, letter: str) -> None:
    stage = Stage(broker)
    stage.channel({"read": letter}).must_exist(kind, stage.names[letter])


@permissions.case("permission.generated-name", "A generated queue name must match the configure permission", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user = broker.new_user(configure="^amq[.]gen.*")
    channel = broker.channel(user=user)
    channel.queue("")
    channel.refuses(403, "queue.declare", queue=broker.name())


@permissions.case("permission.unanchored", "Patterns are not anchored", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    broker.permit(stage.user[0], read="conformance")
    broker.channel(user=stage.user).call("basic.get", queue=stage.names["Q"], no_ack=True)


@permissions.case("permission.empty", "An empty pattern permits nothing", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.channel({}).refuses(403, "basic.get", queue=stage.names["Q"])


@permissions.case("permission.no-need", "ack, reject, recover, qos, cancel and tx need no permission", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.owner.publish_all(stage.names["Q"], "a", "b")
    channel = stage.channel({"read": "Q"})
    tags = [channel.await_get(stage.names["Q"], no_ack=False).delivery_tag for _ in range(2)]
    channel.ack(tags[0])
    channel.reject(tags[1])
    channel.call("basic.qos", prefetch_count=1)
    channel.call("basic.recover", requeue=True)
    channel.call("basic.cancel", consumer_tag="nobody")
    channel.call("tx.select")
    channel.call("tx.commit")


@permissions.case(
    "permission.missing-object", "A user without permission learns 403, not 404, about a missing queue", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.channel({}).refuses(403, "basic.get", queue=broker.name())


@permissions.case("permission.refused-does-nothing", "A refused deletion leaves the queue", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.channel({"read": "Q", "write": "Q"}).refuses(403, "queue.delete", queue=stage.names["Q"])
    stage.owner.must_exist("queue", stage.names["Q"])


@permissions.case("permission.per-vhost", "Permissions hold for one virtual host", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    user = broker.new_user(vhost=vhost, configure=".*", write=".*", read=".*")
    broker.channel(user=user, vhost=vhost).queue()
    connection, tune = broker.tuning_as(user)
    connection.tune_ok(tune)
    connection.send("connection.open", virtual_host=broker.vhost)
    connection.must_close(530, "connection.open")


@permissions.case("permission.changed", "A changed permission applies to new channels at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    stage.channel({}).refuses(403, "basic.get", queue=stage.names["Q"])
    stage.channel({"read": "Q"}).call("basic.get", queue=stage.names["Q"])


@permissions.case(
    "permission.text",
    "The refusal names the permission, the object, the virtual host and the user",
    SPEC,
    EXTENSION,
    deviations={"RabbitMQ 3.10": "version difference: it does not name the permission yet"},
)
def _(broker: Broker) -> None:
    stage = Stage(broker)
    close = stage.channel({}).refuses(403, "basic.get", queue=stage.names["Q"])
    place = f"queue '{stage.names['Q']}' in vhost '{broker.vhost}'"
    equal("text", f"ACCESS_REFUSED - read access to {place} refused for user '{stage.user[0]}'", close.reply_text)


# Topic permissions


def topical(broker: Broker, write: str, read: str) -> tuple[Channel, str]:
    """A channel of a user with topic permissions on a topic exchange, and the exchange."""
    exchange = broker.channel().exchange("topic")
    user = broker.new_user(configure=".*", write=".*", read=".*")
    body = {"exchange": exchange, "write": write, "read": read}
    broker.http.put("topic-permissions", broker.vhost, user[0], body=body)
    return broker.channel(user=user), exchange


@permissions.case(
    "topic-permission.write", "A routing key that the topic permission matches may be published", TOPIC, EXTENSION
)
def _(broker: Broker) -> None:
    channel, exchange = topical(broker, "^a[.]", ".*")
    queue = channel.bound_queue(exchange, "#")
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    channel.must_hold(queue, "m")


@permissions.case("topic-permission.write.refused", "Another routing key is refused with 403", TOPIC, EXTENSION)
def _(broker: Broker) -> None:
    channel, exchange = topical(broker, "^a[.]", ".*")
    channel.publish(b"m", exchange=exchange, routing_key="b.a")
    channel.must_close(403, "basic.publish")


@permissions.case(
    "topic-permission.read.refused",
    "A binding key that the topic permission does not match is refused with 403",
    TOPIC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, exchange = topical(broker, ".*", "^a[.]")
    queue = channel.queue()
    channel.bind(queue, exchange, "a.b")
    channel.refuses(403, "queue.bind", queue=queue, exchange=exchange, routing_key="b.#")


@permissions.case("topic-permission.other-exchange", "Topic permissions concern their own exchange only", TOPIC, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = topical(broker, "^a[.]", "^a[.]")
    other = channel.exchange("topic")
    queue = channel.bound_queue(other, "b.#")
    channel.publish(b"m", exchange=other, routing_key="b.c")
    channel.must_hold(queue, "m")


@permissions.case("topic-permission.variable", "{username} stands for the user's name", TOPIC, EXTENSION)
def _(broker: Broker) -> None:
    exchange = broker.channel().exchange("topic")
    user = broker.new_user(configure=".*", write=".*", read=".*")
    body = {"exchange": exchange, "write": "^{username}$", "read": ".*"}
    broker.http.put("topic-permissions", broker.vhost, user[0], body=body)
    channel = broker.channel(user=user)
    queue = channel.bound_queue(exchange, "#")
    channel.publish(b"m", exchange=exchange, routing_key=user[0])
    channel.must_hold(queue, "m")
    channel.publish(b"m", exchange=exchange, routing_key="another")
    channel.must_close(403, "basic.publish")

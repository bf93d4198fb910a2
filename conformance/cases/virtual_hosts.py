"""Virtual hosts and limits: isolation, deletion, and how many connections, queues and channels are allowed."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import equal

virtual_hosts = Area("virtual-hosts", "Virtual hosts and limits", ["management"])

SPEC = "RabbitMQ: Virtual Hosts"
LIMITS = "RabbitMQ: per-vhost limits"
USER_LIMITS = "RabbitMQ: per-user limits"


@virtual_hosts.case("vhost.new", "A new virtual host has the standard exchanges", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel(vhost=broker.new_vhost())
    for name in ("amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"):
        channel.must_exist("exchange", name)


@virtual_hosts.case("vhost.unicode", "A virtual host may have any name", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.name("vhost/ü ☃ %2F?")
    broker.http.put("vhosts", vhost)
    broker.on_cleanup(lambda: broker.http.delete("vhosts", vhost))
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    broker.http.put("permissions", vhost, broker.target.amqp.user, body=everything)
    broker.channel(vhost=vhost).queue()


@virtual_hosts.case("vhost.deleted.connection", "Deleting a virtual host closes its connections with 320", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    connection = broker.connect(vhost=vhost)
    broker.http.delete("vhosts", vhost)
    connection.must_end_by_close(320)


@virtual_hosts.case("vhost.deleted.contents", "A virtual host created again is empty", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    connection, channel = broker.connected(vhost=vhost)
    queue = channel.queue(exclusive=False, durable=True)
    connection.close()
    broker.http.delete("vhosts", vhost)
    broker.http.put("vhosts", vhost)
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    broker.http.put("permissions", vhost, broker.target.amqp.user, body=everything)
    broker.channel(vhost=vhost).refuses(404, "queue.declare", queue=queue, passive=True)


def limit(broker: Broker, name: str, value: int) -> str:
    """A virtual host with this limit."""
    vhost = broker.new_vhost()
    broker.http.put("vhost-limits", vhost, name, body={"value": value})
    return vhost


@virtual_hosts.case("vhost.max-queues", "Beyond max-queues queue.declare is refused with 406", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel(vhost=limit(broker, "max-queues", 2))
    for _ in range(2):
        channel.queue()
    channel.refuses(406, "queue.declare", queue=broker.name(), exclusive=True)


@virtual_hosts.case("vhost.max-queues.redeclare", "At the limit existing queues can still be declared again", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel(vhost=limit(broker, "max-queues", 1))
    channel.queue(channel.queue())


@virtual_hosts.case("vhost.max-queues.freed", "A deleted queue makes room for another", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel(vhost=limit(broker, "max-queues", 1))
    for _ in range(3):
        channel.call("queue.delete", queue=channel.queue())


@virtual_hosts.case("vhost.max-connections", "Beyond max-connections connection.open is refused with 530", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    vhost = limit(broker, "max-connections", 1)
    broker.connect(vhost=vhost)
    connection, tune = broker.tuning()
    connection.tune_ok(tune)
    connection.send("connection.open", virtual_host=vhost)
    connection.must_close(530, "connection.open")


@virtual_hosts.case("vhost.max-connections.zero", "max-connections 0 refuses every connection", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    vhost = limit(broker, "max-connections", 0)
    connection, tune = broker.tuning()
    connection.tune_ok(tune)
    connection.send("connection.open", virtual_host=vhost)
    connection.must_close(530, "connection.open")


@virtual_hosts.case("vhost.limit.negative", "A limit of -1 is no limit", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel(vhost=limit(broker, "max-queues", -1))
    for _ in range(5):
        channel.queue()


@virtual_hosts.case("vhost.limit.removed", "A removed limit no longer holds", LIMITS, EXTENSION)
def _(broker: Broker) -> None:
    vhost = limit(broker, "max-queues", 0)
    equal("status", 204, broker.http.delete("vhost-limits", vhost, "max-queues").status)
    broker.channel(vhost=vhost).queue()


@virtual_hosts.case(
    "user.max-channels", "Beyond a user's max-channels channel.open is refused with 530", USER_LIMITS, EXTENSION
)
def _(broker: Broker) -> None:
    user = broker.new_user(configure=".*", write=".*", read=".*")
    broker.http.put("user-limits", user[0], "max-channels", body={"value": 2})
    connection = broker.connect(user=user)
    for _ in range(2):
        connection.channel()
    connection.bare_channel().send("channel.open")
    connection.must_close(530)


@virtual_hosts.case(
    "user.max-connections",
    "Beyond a user's max-connections connection.open is refused with 530",
    USER_LIMITS,
    EXTENSION,
)
def _(broker: Broker) -> None:
    user = broker.new_user(configure=".*", write=".*", read=".*")
    broker.http.put("user-limits", user[0], "max-connections", body={"value": 1})
    broker.connect(user=user)
    connection, tune = broker.tuning_as(user)
    connection.tune_ok(tune)
    connection.send("connection.open", virtual_host=broker.vhost)
    connection.must_close(530, "connection.open")


@virtual_hosts.case("user.deleted.connection", "Deleting a user closes the user's connections", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user = broker.new_user(configure=".*", write=".*", read=".*")
    connection = broker.connect(user=user)
    broker.http.delete("users", user[0])
    connection.must_end_by_close(320)

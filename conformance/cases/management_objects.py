"""The management API's objects: virtual hosts, users, permissions, exchanges, queues, bindings, connections, channels."""

from typing import Any

from conformance.broker import Broker
from conformance.cases.management_api import must_have
from conformance.catalogue import EXTENSION, Area
from conformance.management import path
from conformance.mismatch import equal, require

objects = Area("management-objects", "Management API: objects", ["management"])

SPEC = "RabbitMQ: HTTP API"


# Creating, changing, deleting


@objects.table(
    "http.create",
    "PUT of a new {} is answered with 201, of an existing one with 204, DELETE with 204",
    SPEC,
    [
        ("queue", ("queues", "V", "N"), {"durable": True}),
        ("exchange", ("exchanges", "V", "N"), {"type": "topic", "durable": True}),
        ("virtual host", ("vhosts", "N"), {}),
        ("user", ("users", "N"), {"password": "p", "tags": ""}),
        ("policy", ("policies", "V", "N"), {"pattern": "^never$", "definition": {"max-length": 1}}),
        ("operator policy", ("operator-policies", "V", "N"), {"pattern": "^never$", "definition": {"max-length": 1}}),
        ("global parameter", ("global-parameters", "N"), {"value": {"a": 1}}),
    ],
    EXTENSION,
)
def _(broker: Broker, segments: tuple[str, ...], body: dict[str, Any]) -> None:
    name = broker.name()
    target = path(*({"V": broker.vhost, "N": name}.get(segment, segment) for segment in segments))
    broker.on_cleanup(lambda: broker.http.request("DELETE", target))
    broker.http.must(201, "PUT", target, body)
    broker.http.must(204, "PUT", target, body)
    broker.http.must(200, "GET", target)
    broker.http.must(204, "DELETE", target)
    broker.http.must(404, "GET", target)


@objects.case("http.queue.declared", "A queue made over HTTP works over AMQP", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    channel.stream.declared.append(("queue", name))
    broker.http.must(201, "PUT", path("queues", broker.vhost, name), {"durable": True, "arguments": {"x-max-length": 2}})
    channel.call("queue.declare", queue=name, durable=True, arguments={"x-max-length": 2})
    channel.publish_all(name, *"abc")
    channel.must_hold(name, "b", "c")


@objects.case(
    "http.queue.different",
    "PUT of an existing queue with other properties is answered with 400 and the reason",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    response = broker.http.must(400, "PUT", path("queues", broker.vhost, queue), {"durable": True})
    require("inequivalent arg 'durable'" in response.json["reason"], "inequivalent arg 'durable'", response.text)


@objects.case("http.queue.text-booleans", "Booleans may be given as text", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    channel.stream.declared.append(("queue", name))
    broker.http.must(201, "PUT", path("queues", broker.vhost, name), {"durable": "true", "auto_delete": "false"})
    channel.call("queue.declare", queue=name, durable=True)


@objects.case("http.queue.not-boolean", "A word that is no boolean is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(400, "PUT", path("queues", broker.vhost, broker.name()), {"durable": "maybe"})


@objects.case("http.queue.argument-invalid", "An invalid queue argument is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    body = {"arguments": {"x-max-length": -1}}
    broker.http.must(400, "PUT", path("queues", broker.vhost, broker.name()), body)


@objects.case("http.queue.shown", "A queue shows name, virtual host, flags, arguments, type and node", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False, durable=True, arguments={"x-max-length": 7})
    found = broker.http.get("queues", broker.vhost, queue)
    facts = {key: found.get(key) for key in ("name", "vhost", "durable", "auto_delete", "exclusive", "arguments", "type")}
    expected = {
        "name": queue,
        "vhost": broker.vhost,
        "durable": True,
        "auto_delete": False,
        "exclusive": False,
        "arguments": {"x-max-length": 7},
        "type": "classic",
    }
    equal("queue", expected, facts)
    must_have(found, "node")


@objects.case("http.queue.counts", "A queue shows how many messages are ready and unacknowledged", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish_all(queue, *"abc")
    channel.must_get(queue, no_ack=False)
    expected = {"messages": 3, "messages_ready": 2, "messages_unacknowledged": 1}
    broker.http.eventually(
        lambda: {key: broker.http.get("queues", broker.vhost, queue).get(key) for key in expected},
        lambda found: found == expected,
        str(expected),
    )


@objects.case("http.queue.consumers", "A queue shows its consumers with their tags", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.call("basic.qos", prefetch_count=7)
    channel.consume(queue, consumer_tag="my-tag")
    details = broker.http.eventually(
        lambda: broker.http.get("queues", broker.vhost, queue).get("consumer_details"), bool, "consumer_details"
    )
    equal(
        "consumer",
        ("my-tag", True, 7),
        tuple(details[0][key] for key in ("consumer_tag", "ack_required", "prefetch_count")),
    )


@objects.case("http.queue.list", "A declared queue is in the lists", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    for segments in (("queues",), ("queues", broker.vhost)):
        names = [found["name"] for found in broker.http.get(*segments, query="?columns=name")]
        require(queue in names, f"{queue} among the queues", len(names))


@objects.case("http.queue.purge", "DELETE of a queue's contents purges it", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish_all(queue, "a", "b")
    channel.must_count(queue, 2)
    broker.http.must(204, "DELETE", path("queues", broker.vhost, queue, "contents"))
    channel.must_hold(queue)


@objects.table(
    "http.queue.delete",
    "DELETE of a queue with {} that is not fulfilled is answered with 400",
    SPEC,
    [("if-empty", "if-empty"), ("if-unused", "if-unused")],
    EXTENSION,
)
def _(broker: Broker, condition: str) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    if condition == "if-empty":
        channel.publish(b"m", routing_key=queue)
        channel.must_count(queue, 1)
    else:
        channel.consume(queue)
    broker.http.must(400, "DELETE", path("queues", broker.vhost, queue) + f"?{condition}=true")
    channel.must_exist("queue", queue)


@objects.case("http.exchange.shown", "An exchange shows name, virtual host, type, flags and arguments", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    exchange = broker.channel().exchange("topic", durable=True, arguments={"alternate-exchange": "amq.fanout"})
    found = broker.http.get("exchanges", broker.vhost, exchange)
    expected = {
        "name": exchange,
        "vhost": broker.vhost,
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {"alternate-exchange": "amq.fanout"},
    }
    equal("exchange", expected, {key: found.get(key) for key in expected})


@objects.case("http.exchange.unknown-type", "PUT of an exchange of unknown type is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(400, "PUT", path("exchanges", broker.vhost, broker.name("x")), {"type": "no-such-type"})


@objects.case("http.exchange.if-unused", "DELETE of an exchange in use with if-unused is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    channel.bound_queue(exchange, "k")
    broker.http.must(400, "DELETE", path("exchanges", broker.vhost, exchange) + "?if-unused=true")


@objects.case("http.exchange.system", "DELETE of amq.direct is refused", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    require(broker.http.delete("exchanges", broker.vhost, "amq.direct").status in (400, 401, 403), "a refusal")


# Bindings


@objects.case("http.binding.create", "POST of a binding is answered with 201 and its Location; it routes", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, exchange = channel.queue(exclusive=False), channel.exchange("direct")
    target = path("bindings", broker.vhost, "e", exchange, "q", queue)
    response = broker.http.must(201, "POST", target, {"routing_key": "k", "arguments": {}})
    require("location" in response.headers, "a Location", response.headers)
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")


@objects.table(
    "http.binding.properties-key",
    "A binding with {} can be read and deleted by its properties_key",
    SPEC,
    [
        ("a key", "k", {}),
        ("an empty key", "", {}),
        ("a key with odd characters", "a/b c~d%e", {}),
        ("arguments", "k", {"x": 1}),
        ("arguments and no key", "", {"x": "y"}),
    ],
    EXTENSION,
)
def _(broker: Broker, key: str, arguments: dict[str, Any]) -> None:
    channel = broker.channel()
    queue, exchange = channel.queue(exclusive=False), channel.exchange("headers")
    channel.bind(queue, exchange, key, **arguments)
    target = path("bindings", broker.vhost, "e", exchange, "q", queue)
    (binding,) = broker.http.must(200, "GET", target).json
    equal("binding", (key, arguments), (binding["routing_key"], binding["arguments"]))
    one = path("bindings", broker.vhost, "e", exchange, "q", queue, binding["properties_key"])
    equal("read", key, broker.http.must(200, "GET", one).json["routing_key"])
    broker.http.must(204, "DELETE", one)
    equal("left", [], broker.http.must(200, "GET", target).json)


@objects.case("http.binding.default", "A queue's bindings include the one to the default exchange", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    found = broker.http.get("queues", broker.vhost, queue, "bindings")
    equal("binding", [("", queue, queue)], [(item["source"], item["routing_key"], item["destination"]) for item in found])


@objects.case("http.binding.exchanges", "Bindings between exchanges are made and shown", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout"), channel.exchange("fanout")
    broker.http.must(201, "POST", path("bindings", broker.vhost, "e", source, "e", destination), {"routing_key": "k"})
    for name, end in ((source, "source"), (destination, "destination")):
        (found,) = broker.http.get("exchanges", broker.vhost, name, "bindings", end)
        equal(
            "binding",
            (source, destination, "exchange"),
            (found["source"], found["destination"], found["destination_type"]),
        )


@objects.case("http.binding.missing", "A binding to a missing queue is answered with 404", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    target = path("bindings", broker.vhost, "e", "amq.direct", "q", broker.name())
    broker.http.must(404, "POST", target, {"routing_key": "k"})


# Virtual hosts, users, permissions


@objects.case("http.vhost.shown", "A virtual host shows description, tags and tracing", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.name("vhost")
    broker.on_cleanup(lambda: broker.http.delete("vhosts", vhost))
    broker.http.must(201, "PUT", path("vhosts", vhost), {"description": "for tests", "tags": "a,b"})
    found = broker.http.get("vhosts", vhost)
    equal("virtual host", ("for tests", ["a", "b"], False), (found["description"], found["tags"], found["tracing"]))


@objects.case("http.user.shown", "A user shows name, tags and a password hash, never the password", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user, password = broker.new_user("management,monitoring")
    found = broker.http.get("users", user)
    equal("user", (user, {"management", "monitoring"}), (found["name"], set(found["tags"])))
    must_have(found, "password_hash", "hashing_algorithm")
    require(password not in str(found), "no password", found)


@objects.case("http.user.hash", "A user made with another user's password hash has the same password", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user, password = broker.new_user()
    found, twin = broker.http.get("users", user), broker.name("user")
    broker.on_cleanup(lambda: broker.http.delete("users", twin))
    body = {key: found[key] for key in ("password_hash", "hashing_algorithm", "tags")}
    broker.http.must(201, "PUT", path("users", twin), body)
    broker.permit(twin, configure=".*")
    broker.connect(user=(twin, password)).must_live()


@objects.table(
    "http.user.invalid",
    "PUT of a user {} is answered with 400",
    SPEC,
    [
        ("without tags", {"password": "p"}),
        ("with password and hash", {"password": "p", "password_hash": "cHc=", "tags": ""}),
        ("with a hash that is no base64", {"password_hash": "§", "tags": ""}),
    ],
    EXTENSION,
)
def _(broker: Broker, body: dict[str, str]) -> None:
    user = broker.name("user")
    broker.on_cleanup(lambda: broker.http.delete("users", user))
    broker.http.must(400, "PUT", path("users", user), body)


@objects.case("http.user.bulk-delete", "bulk-delete deletes several users", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    users = [broker.new_user()[0] for _ in range(2)]
    broker.http.must(204, "POST", "/api/users/bulk-delete", {"users": users})
    for user in users:
        broker.http.must(404, "GET", path("users", user))


@objects.case(
    "http.user.bulk-delete.unknown",
    "bulk-delete ignores users that do not exist",
    SPEC,
    EXTENSION,
    deviations={"RabbitMQ 3.10": "version difference: it answers 400, newer versions ignore them"},
)
def _(broker: Broker) -> None:
    broker.http.must(204, "POST", "/api/users/bulk-delete", {"users": [broker.name("user")]})


@objects.case("http.user.without-permissions", "users/without-permissions lists users without any", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user = broker.name("user")
    broker.on_cleanup(lambda: broker.http.delete("users", user))
    broker.http.must(201, "PUT", path("users", user), {"password": "p", "tags": ""})
    names = [found["name"] for found in broker.http.get("users", "without-permissions")]
    require(user in names, f"{user} listed", names)


@objects.case("http.permission", "Permissions are shown as they were set, and can be deleted", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user, _ = broker.new_user(configure="^c", write="^w", read="^r")
    target = path("permissions", broker.vhost, user)
    expected = {"user": user, "vhost": broker.vhost, "configure": "^c", "write": "^w", "read": "^r"}
    equal("permission", expected, broker.http.must(200, "GET", target).json)
    equal("of the user", [expected], broker.http.get("users", user, "permissions"))
    broker.http.must(204, "DELETE", target)
    broker.http.must(404, "GET", target)


@objects.table(
    "http.permission.invalid",
    "PUT of a permission {} is answered with 400",
    SPEC,
    [
        ("without read", {"configure": "", "write": ""}),
        ("with a bad pattern", {"configure": "(", "write": "", "read": ""}),
    ],
    EXTENSION,
)
def _(broker: Broker, body: dict[str, str]) -> None:
    user, _ = broker.new_user()
    broker.http.must(400, "PUT", path("permissions", broker.vhost, user), body)


@objects.case("http.vhost-limit", "Limits of a virtual host are shown as they were set", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    broker.http.put("vhost-limits", vhost, "max-queues", body={"value": 5})
    equal("limits", [{"vhost": vhost, "value": {"max-queues": 5}}], broker.http.get("vhost-limits", vhost))


# Connections and channels


@objects.case(
    "http.connection.shown",
    "A connection shows user, virtual host, protocol, limits and client properties",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    name = broker.name("connection")
    broker.connect(properties={"connection_name": name}, channel_max=17, frame_max=9000, heartbeat=30)
    found = seen(broker, name)
    expected = {"user": broker.target.amqp.user, "vhost": broker.vhost, "protocol": "AMQP 0-9-1", "state": "running"}
    expected |= {"channel_max": 17, "frame_max": 9000, "timeout": 30}
    equal("connection", expected, {key: found.get(key) for key in expected})
    equal("product", "conformance", found["client_properties"].get("product"))


def seen(broker: Broker, name: str) -> Any:
    """The connection of this name, when the management API knows it."""
    return broker.http.eventually(
        lambda: next(
            (found for found in broker.http.get("connections") if found.get("user_provided_name") == name and "user" in found),
            None,
        ),
        bool,
        f"a connection called {name}",
    )


@objects.case("http.connection.close", "DELETE of a connection closes it with 320 and the given reason", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    name = broker.name("connection")
    connection = broker.connect(properties={"connection_name": name})
    target = path("connections", seen(broker, name)["name"])
    broker.http.must(204, "DELETE", target, headers={"X-Reason": "enough of you"})
    close = connection.must_end_by_close(320)
    require("enough of you" in close.reply_text, "the reason", close.reply_text)


@objects.case("http.channel.shown", "A channel shows number, prefetch, unacknowledged messages and mode", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    name = broker.name("connection")
    connection = broker.connect(properties={"connection_name": name})
    channel = connection.channel(7)
    queue = channel.queue()
    channel.call("confirm.select")
    channel.call("basic.qos", prefetch_count=9)
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue, no_ack=False)
    target = path("channels", f"{seen(broker, name)['name']} (7)")
    expected = {"number": 7, "prefetch_count": 9, "messages_unacknowledged": 1, "confirm": True, "transactional": False}
    broker.http.eventually(
        lambda: broker.http.request("GET", target).json,
        lambda found: {key: found.get(key) for key in expected} == expected,
        str(expected),
    )


@objects.case("http.connection.channels", "A connection's channels are listed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    name = broker.name("connection")
    connection = broker.connect(properties={"connection_name": name})
    for number in (1, 5):
        connection.channel(number)
    full = seen(broker, name)["name"]
    broker.http.eventually(
        lambda: {found.get("number") for found in broker.http.get("connections", full, "channels")},
        lambda numbers: numbers == {1, 5},
        "channels 1 and 5",
    )


@objects.case("http.consumers", "Consumers are listed with queue, tag and channel", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, tag = broker.channel(), broker.name("tag")
    queue = channel.queue()
    channel.consume(queue, consumer_tag=tag)
    found = broker.http.eventually(
        lambda: next((item for item in broker.http.get("consumers", broker.vhost) if item["consumer_tag"] == tag), None),
        bool,
        "the consumer",
    )
    equal("queue", queue, found["queue"]["name"])
    must_have(found, "channel_details", "ack_required", "exclusive", "prefetch_count", "arguments")

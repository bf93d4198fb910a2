"""The management API's bindings, virtual hosts, users, permissions, connections and channels."""

from typing import Any

from conformance.broker import Broker
from conformance.cases.management_api import must_have
from conformance.cases.management_objects import SPEC, objects
from conformance.catalogue import EXTENSION
from conformance.management import path
from conformance.mismatch import equal, require

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
    expected: dict[str, Any] = {
        "user": broker.target.amqp.user,
        "vhost": broker.vhost,
        "protocol": "AMQP 0-9-1",
        "state": "running",
    }
    expected |= {"channel_max": 17, "frame_max": 9000, "timeout": 30}
    equal("connection", expected, {key: found.get(key) for key in expected})
    equal("product", "conformance", found["client_properties"].get("product"))


def seen(broker: Broker, name: str) -> Any:
    """The connection of this name, when the management API knows it and how it is."""

    def find() -> Any:
        return next((found for found in broker.http.get("connections") if found.get("user_provided_name") == name), {})

    return broker.http.eventually(find, lambda found: {"user", "state"} <= found.keys(), f"a connection called {name}")


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

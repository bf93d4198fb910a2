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

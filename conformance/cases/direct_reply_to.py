"""Direct reply-to: replies without a reply queue."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal, require

reply = Area("direct-reply-to", "Direct reply-to")

SPEC = "RabbitMQ: Direct Reply-to"
QUEUE = "amq.rabbitmq.reply-to"


def requesting(broker: Broker) -> Channel:
    """A channel that waits for replies."""
    channel = broker.channel()
    channel.consume(QUEUE, no_ack=True, consumer_tag="replies")
    return channel


def request(channel: Channel, server: Channel) -> str:
    """Sends a request to a new queue of the server's; returns the reply_to that arrives there."""
    queue = server.queue()
    channel.publish(b"question", routing_key=queue, reply_to=QUEUE)
    return str(server.await_get(queue).properties["reply_to"])


@reply.case("reply-to", "A reply reaches the requester", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    server.publish(b"answer", routing_key=request(client, server), correlation_id="7")
    message = client.delivery()
    facts = message.body, message.consumer_tag, message.properties.get("correlation_id")
    equal("reply", (b"answer", "replies", "7"), facts)


@reply.case("reply-to.rewritten", "reply_to is rewritten to a name of its own below amq.rabbitmq.reply-to", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    require(name.startswith(f"{QUEUE}.") and len(name) > len(QUEUE) + 8, f"{QUEUE}.…", name)


@reply.case("reply-to.many", "Many replies arrive in order", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    for n in range(50):
        server.publish(str(n), routing_key=name)
    client.must_receive(*map(str, range(50)))


@reply.case("reply-to.apart", "Requesters get their own replies only", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    clients, server = [requesting(broker) for _ in range(3)], broker.channel()
    names = [request(client, server) for client in clients]
    for n in (2, 0, 1):
        server.publish(str(n), routing_key=names[n])
    for n, client in enumerate(clients):
        client.must_receive(str(n))
        client.must_be_silent()


@reply.case("reply-to.same-connection", "Requester and replier may share a connection", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, client = broker.connected()
    client.consume(QUEUE, no_ack=True)
    server = connection.channel()
    server.publish(b"answer", routing_key=request(client, server))
    client.must_receive("answer")


@reply.case("reply-to.acknowledging", "Consuming replies with acknowledgements is refused with 406", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.channel().refuses(406, "basic.consume", queue=QUEUE, no_ack=False)


@reply.case("reply-to.second-consumer", "A second consumer for replies on a channel is refused with 406", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    requesting(broker).refuses(406, "basic.consume", queue=QUEUE, no_ack=True)


@reply.case("reply-to.no-consumer", "Publishing with that reply_to before consuming is refused with 406", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key=channel.queue(), reply_to=QUEUE)
    channel.must_close(406, "basic.publish")


@reply.case("reply-to.other-reply-to", "Another reply_to is left as it is", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = requesting(broker)
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, reply_to="my.queue")
    equal("reply_to", "my.queue", channel.must_get(queue).properties["reply_to"])


@reply.case("reply-to.gone", "A reply to a requester that has gone is dropped", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    client.close()
    server.publish(b"late", routing_key=name)
    server.must_be_silent()


@reply.case("reply-to.gone.mandatory", "A mandatory reply to a requester that has gone is returned", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    client.close()
    client.call("channel.open")
    server.publish(b"late", routing_key=name, mandatory=True)
    equal("code", 312, server.wait("basic.return").reply_code)


@reply.case(
    "reply-to.mandatory",
    "A mandatory reply to a living requester is delivered and not returned",
    SPEC,
    EXTENSION,
    deviations={"RabbitMQ 3": "version difference: it delivers the reply and returns it as well, which newer versions do not"},
)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    server.publish(b"answer", routing_key=request(client, server), mandatory=True)
    client.must_receive("answer")
    server.must_be_silent()


@reply.case("reply-to.declare", "Passive declaration of the reply name tells that the requester lives", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    server.must_exist("queue", request(client, server))


@reply.case(
    "reply-to.declare.gone", "Passive declaration of the reply name is 404 when the requester has gone", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    client.close()
    client.call("channel.open")
    server.refuses(404, "queue.declare", queue=name, passive=True)


@reply.case("reply-to.confirmed", "A reply is confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    name = request(client, server)
    server.call("confirm.select")
    server.publish(b"answer", routing_key=name)
    server.wait("basic.ack")
    client.must_receive("answer")


@reply.case("reply-to.cancel", "After its consumer is cancelled a channel may start another one for replies", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    client, server = requesting(broker), broker.channel()
    client.call("basic.cancel", consumer_tag="replies")
    client.consume(QUEUE, no_ack=True)
    server.publish(b"answer", routing_key=request(client, server))
    client.must_receive("answer")

"""Dead lettering: routes of dead letters, cycles, counts and policies."""

from conformance.broker import Broker
from conformance.cases.dead_lettering import SPEC, buried, dead, mortal
from conformance.catalogue import EXTENSION
from conformance.mismatch import equal


@dead.case("dead-letter.twice", "A message that dies twice has two entries in x-death, the newest first", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    last = channel.queue()
    second = mortal(channel, "", **{"x-dead-letter-routing-key": last})
    first = mortal(channel, "", **{"x-dead-letter-routing-key": second})
    channel.publish(b"m", routing_key=first)
    for queue in (first, second):
        channel.reject(channel.await_get(queue, no_ack=False).delivery_tag, requeue=False)
    headers = channel.await_get(last).headers
    equal("queues", [second, first], [death["queue"] for death in headers["x-death"]])
    equal("first death", first, headers["x-first-death-queue"])


@dead.case(
    "dead-letter.count",
    "A message that dies again in the same queue for the same reason raises the count",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = mortal(channel, exchange, **{"x-dead-letter-routing-key": "k"})
    channel.bind(queue, exchange, "k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    for _ in range(3):
        channel.reject(channel.await_get(queue, no_ack=False).delivery_tag, requeue=False)
    (death,) = channel.await_get(queue).headers["x-death"]
    equal("count", 3, death["count"])


@dead.case("dead-letter.two-reasons", "The same queue has one entry for each reason", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    retry = mortal(channel, "", **{"x-dead-letter-routing-key": name, "x-message-ttl": 1})
    queue = channel.queue(name, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": retry})
    channel.publish(b"m", routing_key=queue)
    for _ in range(2):
        channel.reject(channel.await_get(queue, no_ack=False).delivery_tag, requeue=False)
    deaths = channel.await_get(queue).headers["x-death"]
    facts = [(death["queue"], death["reason"], death["count"]) for death in deaths]
    equal("x-death", [(retry, "expired", 2), (queue, "rejected", 2)], facts)


@dead.case("dead-letter.cycle", "A message that would go round by expiry alone is dropped", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    queue = channel.queue(
        name, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": name, "x-message-ttl": 20}
    )
    channel.publish(b"m", routing_key=queue)
    channel.must_count(queue, 0)
    channel.must_be_silent(queue)
    channel.must_hold(queue)


@dead.case("dead-letter.cycle.rejected", "A message goes round as often as it is rejected", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    queue = channel.queue(name, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": name})
    channel.publish(b"m", routing_key=queue)
    for _ in range(5):
        channel.reject(channel.await_get(queue, no_ack=False).delivery_tag, requeue=False)
    equal("body", b"m", channel.await_get(queue).body)


@dead.case("dead-letter.several-queues", "Each copy of a message dies its own death", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange, target = channel.exchange("fanout"), channel.exchange("fanout")
    grave, queues = channel.bound_queue(target), [mortal(channel, target) for _ in range(2)]
    for queue in queues:
        channel.bind(queue, exchange)
    channel.publish(b"m", exchange=exchange)
    for queue in queues:
        channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    died_in = {channel.await_get(grave).headers["x-death"][0]["queue"] for _ in range(2)}
    equal("queues", set(queues), died_in)


@dead.case("dead-letter.cc", "A dead letter is routed by CC keys too, and x-death names them all", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("direct")
    queue = mortal(channel, target)
    graves = [channel.bound_queue(target, queue), channel.bound_queue(target, "copy")]
    channel.publish(b"m", routing_key=queue, headers={"CC": ["copy"]})
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    for grave in graves:
        equal("keys", [queue, "copy"], channel.await_get(grave).headers["x-death"][0]["routing-keys"])


@dead.case("dead-letter.bcc", "x-death does not name BCC keys", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, queue = buried(broker.channel(), headers={"BCC": ["secret"]})
    equal("keys", [queue], message.headers["x-death"][0]["routing-keys"])


@dead.case("dead-letter.maxlen.oldest", "Beyond x-max-length the oldest messages die, in order", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave, queue = channel.bound_queue(target), mortal(channel, target, **{"x-max-length": 2})
    channel.publish_all(queue, *"abcde")
    equal("dead", list("abc"), [channel.await_get(grave).body.decode() for _ in range(3)])
    channel.must_hold(queue, "d", "e")


@dead.case("dead-letter.reject-publish-dlx", "With overflow reject-publish-dlx the new message dies", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    queue = mortal(channel, target, **{"x-max-length": 1, "x-overflow": "reject-publish-dlx"})
    channel.publish_all(queue, "a", "b")
    message = channel.await_get(grave)
    equal("dead", (b"b", "maxlen"), (message.body, message.headers["x-death"][0]["reason"]))
    channel.must_hold(queue, "a")


@dead.case("dead-letter.reject-publish", "With overflow reject-publish nothing is dead-lettered", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    queue = mortal(channel, target, **{"x-max-length": 1, "x-overflow": "reject-publish"})
    channel.publish_all(queue, "a", "b")
    channel.must_hold(queue, "a")
    channel.must_be_silent(grave)
    channel.must_hold(grave)


@dead.case("dead-letter.ttl-zero", "A message with TTL 0 and no consumer is dead-lettered at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    channel.publish(b"m", routing_key=mortal(channel, target, **{"x-message-ttl": 0}))
    equal("body", b"m", channel.await_get(grave).body)


@dead.case("dead-letter.confirmed", "A message that dies at once is confirmed, and its dead letter arrives", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("confirm.select")
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    channel.publish(b"m", routing_key=mortal(channel, target, **{"x-message-ttl": 0}))
    channel.confirmed(1)
    equal("body", b"m", channel.await_get(grave).body)


@dead.case("dead-letter.policy", "A policy can set exchange and key for dead letters", SPEC, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    target, queue = channel.exchange("direct"), channel.queue()
    grave = channel.bound_queue(target, "dead")
    broker.policy(f"^{queue}$", {"dead-letter-exchange": target, "dead-letter-routing-key": "dead"})
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    equal("body", b"m", channel.await_get(grave).body)


@dead.case("dead-letter.policy.argument-wins", "The argument wins over a policy", SPEC, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    by_argument, by_policy = channel.exchange("fanout"), channel.exchange("fanout")
    grave, other = channel.bound_queue(by_argument), channel.bound_queue(by_policy)
    queue = mortal(channel, by_argument)
    broker.policy(f"^{queue}$", {"dead-letter-exchange": by_policy})
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    equal("body", b"m", channel.await_get(grave).body)
    channel.must_hold(other)


@dead.case("dead-letter.consumer-order", "A consumer of dead letters gets them in the order of their deaths", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    channel.consume(grave, no_ack=True)
    queue = mortal(channel, target)
    channel.publish_all(queue, *map(str, range(30)))
    tags = [channel.must_get(queue, no_ack=False).delivery_tag for _ in range(30)]
    for tag in reversed(tags):
        channel.reject(tag, requeue=False)
    channel.must_receive(*map(str, reversed(range(30))))

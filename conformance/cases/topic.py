"""Topic exchanges: words, `*` and `#`."""

from typing import Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import equal

topic = Area("topic", "Routing: topic")

SPEC = "AMQP 0-9-1 3.1.3.3 The topic exchange type"
# pattern: keys that match, keys that do not
PATTERNS: Final[dict[str, tuple[list[str], list[str]]]] = {
    "": ([""], ["a", "."]),
    "a": (["a"], ["", "b", "a.a", "A", "aa"]),
    "a.b": (["a.b"], ["a", "a.b.c", "a.c", "b.a", "ab"]),
    "*": (["a", "abc"], ["", "a.b", "."]),
    "*.b": (["a.b", ".b"], ["b", "a.b.c", "a.a.b"]),
    "a.*": (["a.b", "a."], ["a", "a.b.c", "b.a"]),
    "*.*": (["a.b", "."], ["a", "a.b.c"]),
    "a.*.c": (["a.b.c", "a..c"], ["a.c", "a.b.b.c", "a.b"]),
    "*.b.*": (["a.b.c"], ["b", "a.b", "b.c", "a.b.c.d"]),
    "#": (["", "a", "a.b", "a.b.c", "."], []),
    "#.b": (["b", "a.b", "a.a.b", ".b"], ["a", "b.a", "b.b.a"]),
    "a.#": (["a", "a.b", "a.b.c", "a."], ["b", "b.a", "ab"]),
    "a.#.b": (["a.b", "a.x.b", "a.x.y.b", "a.b.b"], ["a", "b", "a.b.x"]),
    "#.#": (["", "a", "a.b", "a.b.c"], []),
    "#.a.#": (["a", "x.a", "a.x", "x.a.x", "x.y.a.y.x"], ["", "x", "x.y"]),
    "#.*": (["a", "a.b", "a.b.c"], []),
    "*.#": (["a", "a.b", "a.b.c"], []),
    "#.*.#": (["a", "a.b", "a.b.c"], []),
    "*.#.*": (["a.b", "a.b.c", "a.b.c.d"], ["a"]),
    "*.*.#": (["a.b", "a.b.c", "a.b.c.d"], ["a"]),
    "#.a.#.b.#": (["a.b", "x.a.x.b.x", "a.a.b.b"], ["b.a", "a", "b"]),
    "a.*.#": (["a.b", "a.b.c"], ["a", "b.a"]),
    "a.#.*": (["a.b", "a.b.c"], ["a", "b"]),
    "a*": (["a*"], ["a", "ab", "a.b"]),
    "*a": (["*a"], ["a", "ba"]),
    "a#": (["a#"], ["a", "ab", "a.b"]),
    "#a": (["#a"], ["a", "ba", "b.a"]),
    "a.**": (["a.**"], ["a.b", "a.b.c"]),
    "a.##": (["a.##"], ["a", "a.b"]),
    "a..b": (["a..b"], ["a.b", "a.x.b"]),
    ".": (["."], ["", "a", ".."]),
    "a.": (["a."], ["a", "a.b"]),
    "quick.orange.*": (["quick.orange.fox"], ["quick.orange", "lazy.orange.fox"]),
    "lazy.#": (["lazy", "lazy.pink.rabbit", "lazy.orange.male.rabbit"], ["quick.lazy"]),
    "ü.*": (["ü.☃"], ["u.x"]),
}


@topic.table(
    "topic.match",
    "The pattern `{}` matches what it must",
    SPEC,
    [(pattern or "(empty)", pattern) for pattern in PATTERNS],
)
def _(broker: Broker, pattern: str) -> None:
    matching, _ = PATTERNS[pattern]
    equal(f"keys matched by {pattern!r}", matching, routed(broker, pattern, matching))


@topic.table(
    "topic.mismatch",
    "The pattern `{}` matches nothing else",
    SPEC,
    [(pattern or "(empty)", pattern) for pattern, (_, others) in PATTERNS.items() if others],
)
def _(broker: Broker, pattern: str) -> None:
    _, others = PATTERNS[pattern]
    equal(f"keys matched by {pattern!r}", [], routed(broker, pattern, others))


def routed(broker: Broker, pattern: str, keys: list[str]) -> list[str]:
    """Which of these keys reach a queue bound with the pattern, in order."""
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, pattern)
    for key in keys:
        channel.publish(key, exchange=exchange, routing_key=key)
    return channel.bodies(queue)


@topic.case("topic.once", "A queue bound with several matching patterns gets the message once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "#")
    for pattern in ("a.*", "*.b", "a.b", "a.#"):
        channel.bind(queue, exchange, pattern)
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    channel.must_hold(queue, "m")


@topic.case("topic.unbind-one", "Unbinding one pattern leaves the queue's other patterns", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "a.*")
    channel.bind(queue, exchange, "a.#")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="a.#")
    for key in ("a.b", "a.b.c"):
        channel.publish(key, exchange=exchange, routing_key=key)
    channel.must_hold(queue, "a.b")


@topic.case("topic.unbind-shared", "Unbinding one queue from a pattern leaves the other queue bound", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    first, second = channel.bound_queue(exchange, "a.#.b"), channel.bound_queue(exchange, "a.#.b")
    channel.call("queue.unbind", queue=first, exchange=exchange, routing_key="a.#.b")
    channel.publish(b"m", exchange=exchange, routing_key="a.x.b")
    channel.must_hold(first)
    channel.must_hold(second, "m")


@topic.case("topic.rebind", "A pattern bound again after unbinding matches again", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "#.x")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="#.x")
    channel.publish(b"unbound", exchange=exchange, routing_key="a.x")
    channel.bind(queue, exchange, "#.x")
    channel.publish(b"bound", exchange=exchange, routing_key="a.x")
    channel.must_hold(queue, "bound")


@topic.case("topic.many-bindings", "Two hundred patterns each get their own messages", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    every, odd = channel.bound_queue(exchange, "item.*.#"), channel.queue()
    for n in range(1, 200, 2):
        channel.bind(odd, exchange, f"item.{n}.*")
    for n in range(200):
        channel.publish(str(n), exchange=exchange, routing_key=f"item.{n}.x")
    channel.must_hold(odd, *map(str, range(1, 200, 2)))
    channel.must_count(every, 200)


@topic.case("topic.long-key", "A key of 128 words is matched", SPEC)
def _(broker: Broker) -> None:
    key = ".".join("w" * 128)
    equal("keys", [key], routed(broker, "w.#.w", [key]))


@topic.case("topic.predeclared", "amq.topic matches patterns", SPEC)
def _(broker: Broker) -> None:
    channel, word = broker.channel(), broker.name("w")
    queue = channel.bound_queue("amq.topic", f"{word}.*")
    channel.publish(b"m", exchange="amq.topic", routing_key=f"{word}.x")
    channel.must_hold(queue, "m")

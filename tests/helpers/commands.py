"""Commands of two clients with two channels each, good ones and bad ones, drawn at random from a seed.

Left out is what RabbitMQ decides by chance (random exchanges), sometimes crashes over (bindings from recent-history exchanges
to others) or does late (messages that expire behind others).
"""

import os
import random
from dataclasses import dataclass
from typing import Any, Final

Place = tuple[str, int]
"""A connection and the number of a channel."""

PLACES: Final[list[Place]] = [("a", 1), ("a", 1), ("a", 2), ("b", 1), ("b", 2)]
QUEUES: Final = ("q1", "q2", "q3", "q4", "missing")
EXCHANGES: Final = ("x1", "x2", "x3", "missing")
_OTHERS: Final = ("amq.direct", "amq.fanout", "amq.topic", "amq.headers", "", "amq.rabbitmq.trace", "amq.foo")
_KEYS: Final = ("k", "k.l", "#", "*.l", "", "q1", "q2")
_FIRST: Final = 14
"""So many commands declare queues and exchanges and bind them."""
_GOOD: Final = 3
"""So many of the values of an argument are good ones."""
_QUEUE_ARGUMENTS: Final[dict[str, list[Any]]] = {
    "x-message-ttl": [100_000, 200_000, 100_000, -1, "abc", 2**40, True, 1.5, None],
    "x-expires": [100_000, 200_000, 100_000, 0, -1, "x"],
    "x-max-length": [0, 1, 2, -1, "2", 1.0],
    "x-max-length-bytes": [0, 3, 100, -1, "x"],
    "x-overflow": ["drop-head", "reject-publish", "reject-publish-dlx", "x", 1],
    "x-dead-letter-exchange": ["", "x1", "amq.fanout", "missing", 5],
    "x-dead-letter-routing-key": ["q1", "q3", "k", 5],
    "x-max-priority": [0, 1, 5, 255, 256, -1, "x"],
    "x-single-active-consumer": [True, False, True, "x", 1],
    "x-queue-mode": ["lazy", "default", "lazy", "x", 1],
    "x-queue-type": ["classic", "classic", "classic", "x", 1],
    "x-queue-version": [1, 2, 1, 3, "x"],
    "x-foo": [1, "x", [1], {"a": 1}],
}
_EXCHANGE_ARGUMENTS: Final[dict[str, list[Any]]] = {
    "alternate-exchange": ["x1", "x2", "amq.fanout", "missing", 5],
    "x-foo": [1, "x", 1, {"a": 1}],
}
_BINDING_ARGUMENTS: Final[list[dict[str, Any]]] = [
    {}, {}, {}, {"x-match": "any", "a": 1}, {"x-match": "all", "a": 1, "b": "x"}, {"x-match": "bad"}, {"a": 1},
    {"x-match": "any-with-x", "x-a": 1}, {"x-match": 5}, {"a": None},
]  # fmt: skip
_CONSUMER_ARGUMENTS: Final[list[dict[str, Any]]] = [{}, {}, {}, {"x-priority": 5}, {"x-priority": "x"}, {"foo": 1}]
_HEADERS: Final[list[dict[str, Any]]] = [
    {}, {"a": 1}, {"a": 1, "b": "x"}, {"CC": ["q2"]}, {"BCC": ["q3"], "CC": ["k"]}, {"CC": "q1"}, {"x-a": 1},
    {"x-death": "x"}, {"a": 1.0}, {"a": "1"}, {"CC": [1]},
]  # fmt: skip
_TYPES: Final = ("direct", "fanout", "topic", "headers", "direct", "topic", "x-consistent-hash")
_EXPIRATIONS: Final = ("100000", "100000", "abc", "-1", "100000 ", "", "1.5", "99999999999")
_WEIGHTS: Final[dict[str, float]] = {
    "publish": 30, "get": 14, "ack": 10, "bind": 8, "consume": 8, "nack": 6, "declare": 4, "reject": 4, "cancel": 3,
    "declare_exchange": 3, "bind_exchange": 3, "look": 2, "unbind": 2, "recover": 2, "qos": 2, "transact": 2, "odd": 1,
    "purge": 1, "delete": 1, "unbind_exchange": 1, "confirm": 1, "close": 0.5, "delete_exchange": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One method that a client says, with a body if it publishes."""

    place: Place
    method: str
    arguments: dict[str, Any]
    body: bytes = b""


class Commands:
    """The commands of one seed; names are its own."""

    def __init__(self, seed: int) -> None:
        self._random: Final = random.Random(seed)
        self._prefix: Final = f"random-{os.getpid()}-{seed}-"
        self._count = 0
        self._consumers = 0
        self.queues: Final = [self._named(name) for name in QUEUES]
        self.exchanges: Final = [self._named(name) for name in EXCHANGES]

    def next(self) -> Command:
        """The next one."""
        kind = self._random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        place = self._random.choice(PLACES)
        if self._count < _FIRST:
            kind = ("declare", "declare", "declare_exchange", "bind")[self._count % 4]
            place = PLACES[0]
        self._count += 1
        method, arguments = getattr(self, f"_{kind}")()
        return Command(place, method, arguments, b"m%d" % self._count)

    # --- choices ---------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> str:
        return self._prefix + name if name in QUEUES or name in EXCHANGES else name

    def _is(self, chance: float) -> bool:
        return self._random.random() < chance

    def _queue(self) -> str:
        return self._random.choice(self.queues[:4] if self._is(0.95) else self.queues)

    def _exchange(self) -> str:
        return self._named(self._random.choice((*EXCHANGES[:3], *EXCHANGES, *_OTHERS)))

    def _key(self) -> str:
        return self._named(self._random.choice(_KEYS))

    def _some(self, values: dict[str, list[Any]], most: int) -> dict[str, Any]:
        """At most so many of these arguments, in three of four cases with good values only."""
        end = _GOOD if self._is(0.75) else None
        names = self._random.sample(sorted(values), self._random.randint(0, most))
        found = {name: self._random.choice(values[name][:end]) for name in names}
        return {name: self._named(value) if isinstance(value, str) else value for name, value in found.items()}

    def _tag(self) -> int:
        return self._random.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 12))

    # --- commands --------------------------------------------------------------------------------------------------

    def _declare(self) -> tuple[str, dict[str, Any]]:
        flags = {"durable": self._is(0.6), "exclusive": self._is(0.1), "auto_delete": self._is(0.1)}
        return "queue.declare", {"queue": self._queue(), **flags, "arguments": self._some(_QUEUE_ARGUMENTS, 3)}

    def _look(self) -> tuple[str, dict[str, Any]]:
        if self._is(0.5):
            return "queue.declare", {"queue": self._queue(), "passive": True}
        return "exchange.declare", {"exchange": self._exchange(), "type": "direct", "passive": True}

    def _declare_exchange(self) -> tuple[str, dict[str, Any]]:
        flags = {"durable": self._is(0.5), "auto_delete": self._is(0.1), "internal": self._is(0.1)}
        named = {"exchange": self._exchange(), "type": self._random.choice(_TYPES)}
        return "exchange.declare", {**named, **flags, "arguments": self._some(_EXCHANGE_ARGUMENTS, 1)}

    def _between_exchanges(self) -> dict[str, Any]:
        """One of them goes in the end, and the binding with it."""
        return self._between("destination", self._random.choice(self.exchanges), "source")

    def _bind(self) -> tuple[str, dict[str, Any]]:
        arguments = self._random.choice(_BINDING_ARGUMENTS)
        return "queue.bind", {**self._between("queue", self._queue(), "exchange"), "arguments": arguments}

    def _unbind(self) -> tuple[str, dict[str, Any]]:
        return "queue.unbind", self._between("queue", self._queue(), "exchange")

    def _bind_exchange(self) -> tuple[str, dict[str, Any]]:
        return "exchange.bind", self._between_exchanges()

    def _unbind_exchange(self) -> tuple[str, dict[str, Any]]:
        return "exchange.unbind", self._between_exchanges()

    def _between(self, kind: str, destination: str, source: str) -> dict[str, Any]:
        return {kind: destination, source: self._exchange(), "routing_key": self._key()}

    def _publish(self) -> tuple[str, dict[str, Any]]:
        exchange, key = ("", self._queue()) if self._is(0.6) else (self._exchange(), self._key())
        flags = {"mandatory": self._is(0.5), "immediate": self._is(0.01)}
        return "basic.publish", {"exchange": exchange, "routing_key": key, **flags, **self._properties()}

    def _properties(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, chance, values in (
            ("delivery_mode", 0.5, (1, 2, 2)),
            ("priority", 0.3, (0, 1, 3, 9, 255)),
            ("expiration", 0.15, _EXPIRATIONS),
            ("headers", 0.3, _HEADERS),
            ("user_id", 0.1, ("guest", "other")),
            ("reply_to", 0.1, ("q1", "amq.rabbitmq.reply-to")),
            ("correlation_id", 0.2, ("c",)),
        ):
            if self._is(chance):
                found[name] = self._random.choice(values)
        return found

    def _get(self) -> tuple[str, dict[str, Any]]:
        return "basic.get", {"queue": self._queue(), "no_ack": self._is(0.4)}

    def _consume(self) -> tuple[str, dict[str, Any]]:
        self._consumers += self._is(0.95)
        flags = {"no_ack": self._is(0.4), "exclusive": self._is(0.1), "no_local": self._is(0.1)}
        arguments = self._random.choice(_CONSUMER_ARGUMENTS)
        return "basic.consume", {
            "queue": self._queue(), "consumer_tag": f"c{self._consumers}", **flags, "arguments": arguments,
        }  # fmt: skip

    def _cancel(self) -> tuple[str, dict[str, Any]]:
        return "basic.cancel", {"consumer_tag": f"c{self._random.randint(0, self._consumers)}"}

    def _ack(self) -> tuple[str, dict[str, Any]]:
        return "basic.ack", {"delivery_tag": self._tag(), "multiple": self._is(0.4)}

    def _nack(self) -> tuple[str, dict[str, Any]]:
        return "basic.nack", {"delivery_tag": self._tag(), "multiple": self._is(0.4), "requeue": self._is(0.5)}

    def _reject(self) -> tuple[str, dict[str, Any]]:
        return "basic.reject", {"delivery_tag": self._tag(), "requeue": self._is(0.5)}

    def _recover(self) -> tuple[str, dict[str, Any]]:
        return "basic.recover", {"requeue": self._is(0.9)}

    def _qos(self) -> tuple[str, dict[str, Any]]:
        size, count = 5 * self._is(0.05), self._random.choice((0, 1, 2, 5))
        return "basic.qos", {"prefetch_size": size, "prefetch_count": count, "global_": self._is(0.4)}

    def _transact(self) -> tuple[str, dict[str, Any]]:
        return self._random.choice(("tx.select", "tx.commit", "tx.commit", "tx.rollback")), {}

    def _confirm(self) -> tuple[str, dict[str, Any]]:
        return "confirm.select", {}

    def _purge(self) -> tuple[str, dict[str, Any]]:
        return "queue.purge", {"queue": self._queue()}

    def _delete(self) -> tuple[str, dict[str, Any]]:
        return "queue.delete", {"queue": self._queue(), "if_unused": self._is(0.3), "if_empty": self._is(0.3)}

    def _delete_exchange(self) -> tuple[str, dict[str, Any]]:
        return "exchange.delete", {"exchange": self._exchange(), "if_unused": self._is(0.3)}

    def _close(self) -> tuple[str, dict[str, Any]]:
        return "channel.close", {"reply_code": 200, "reply_text": "bye"}

    def _odd(self) -> tuple[str, dict[str, Any]]:
        odd = ("basic.recover-async", "channel.open", "queue.declare-ok", "basic.get-empty", "access.request")
        return self._random.choice(odd), {}

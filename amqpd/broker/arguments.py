"""The arguments of queue.declare: what each may hold, and when two declarations mean the same queue.

1. An argument that the queue's type knows is validated; one that only another type knows is refused; any other is kept
   as it came, shown, and never compared.
2. Two declarations are equivalent if the arguments that the type knows are equal by value: integers of every width are
   equal to one another, but not to floats.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from amqpd.errors import PreconditionFailed
from amqpd.wire import tables
from amqpd.wire.tables import Field

CLASSIC: Final = "classic"
QUORUM: Final = "quorum"

LONGEST: Final = 315_360_000_000
"""Ten years in milliseconds: no duration is longer."""
_UNBOUNDED: Final = 2**63 - 1

_INTEGER_RANGES: Final[dict[str, tuple[int, int]]] = {
    "x-expires": (1, LONGEST),
    "x-message-ttl": (0, LONGEST),
    "x-max-length": (0, _UNBOUNDED),
    "x-max-length-bytes": (0, _UNBOUNDED),
    "x-max-in-memory-length": (0, _UNBOUNDED),
    "x-max-in-memory-bytes": (0, _UNBOUNDED),
    "x-max-priority": (0, 255),
    "x-queue-version": (0, _UNBOUNDED),
    "x-quorum-initial-group-size": (1, _UNBOUNDED),
    "x-delivery-limit": (-_UNBOUNDED, _UNBOUNDED),
    "x-consumer-timeout": (0, _UNBOUNDED),
    "x-cache-size": (1, _UNBOUNDED),
    "x-cache-ttl": (1, _UNBOUNDED),
}
_QUEUE_VERSIONS: Final = (1, 2)
_NO_TYPE: Final = ("", "undefined")
"""Names that mean the usual type."""
_STRING_CHOICES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "x-overflow": (("drop-head", "reject-publish", "reject-publish-dlx"), "invalid_overflow"),
    "x-dead-letter-strategy": (("at-most-once", "at-least-once"), "invalid_dlx_strategy"),
    "x-queue-mode": (("default", "lazy"), "\"unsupported queue mode '{}'\""),
    "x-queue-type": ((CLASSIC, QUORUM, *_NO_TYPE), "\"unsupported queue type '{}'\""),
    "x-queue-master-locator": (("client-local", "min-masters", "random"), "invalid_queue_locator_arg"),
    "x-queue-leader-locator": (("client-local", "balanced", "random", "least-leaders"), "invalid_queue_locator_arg"),
}
_BOOLEANS: Final = ("x-message-deduplication", "x-single-active-consumer")
_COMPARED: Final = (
    "x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy",
    "x-max-length", "x-max-length-bytes", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-max-priority",
    "x-overflow", "x-queue-mode", "x-queue-version", "x-single-active-consumer", "x-queue-type",
    "x-quorum-initial-group-size", "x-queue-leader-locator", "x-queue-master-locator", "x-delivery-limit",
    "x-consumer-timeout", "x-message-deduplication", "x-deduplication-header", "x-cache-size", "x-cache-ttl",
)  # fmt: skip
"""All arguments, in the order in which RabbitMQ compares them. What is neither integer nor boolean is a string."""
_CHECKED: Final = ("x-queue-type", *[name for name in _COMPARED if name != "x-queue-type"])
"""The same, in the order in which it complains of wrong ones: of the type first."""
_ADDRESSES: Final = ("x-dead-letter-exchange", "x-dead-letter-routing-key")
"""Arguments that become part of an address, which has room for short strings only."""
NAME_MAX: Final = 255
"""Octets of the longest name or routing key."""
_SHARED: Final = frozenset(
    (
        "x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-max-length",
        "x-max-length-bytes", "x-overflow", "x-single-active-consumer", "x-queue-type", "x-queue-leader-locator",
        "x-consumer-timeout", "x-message-deduplication", "x-cache-size", "x-cache-ttl", "x-deduplication-header",
    )
)  # fmt: skip
_KNOWN: Final[dict[str, frozenset[str]]] = {
    CLASSIC: _SHARED | {"x-max-priority", "x-queue-mode", "x-queue-version", "x-queue-master-locator"},
    QUORUM: _SHARED
    | {
        "x-dead-letter-strategy", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-quorum-initial-group-size",
        "x-delivery-limit",
    },
}  # fmt: skip
_STREAM_ONLY: Final = frozenset(
    ("x-max-age", "x-stream-max-segment-size-bytes", "x-initial-cluster-size", "x-stream-filter-size-bytes")
)
_KNOWN_SOMEWHERE: Final = frozenset().union(*_KNOWN.values()) | _STREAM_ONLY
INTEGER_TAGS: Final = "bBsuIilL"


class QueueArguments:
    """The checked arguments of one queue. Raises BadSyntax, PreconditionFailed worded as RabbitMQ does."""

    def __init__(self, table: bytes, queue: str, vhost: str) -> None:
        self.table: Final = table
        """As they came."""
        self.fields: Final = {field.name: field for field in tables.fields(table)}
        self.where: Final = f"queue '{queue}' in vhost '{vhost}'"
        self._check_dead_letter_exchange()
        for name in _CHECKED:
            if name in self.fields:
                self._check(self.fields[name])
        self.type: Final = _type_of(self.fields.get("x-queue-type"))
        self._check_names()
        self.single_active_consumer: Final = self._is_set("x-single-active-consumer")
        self.deduplicates: Final = self._is_set("x-message-deduplication")
        self.max_priority: Final = self.integer("x-max-priority") or 0

    def values(self) -> dict[str, object]:
        """The arguments by name."""
        return {name: field.value for name, field in self.fields.items()}

    def integer(self, name: str) -> int | None:
        """The value of an integer argument; None if it was not given."""
        field = self.fields.get(name)
        return int(field.value) if field is not None and isinstance(field.value, int) else None

    def string(self, name: str) -> str | None:
        """The value of a string argument; None if it was not given."""
        field = self.fields.get(name)
        return field.value if field is not None and isinstance(field.value, str) else None

    def _is_set(self, name: str) -> bool:
        field = self.fields.get(name)
        return field is not None and field.value is True

    def _check_dead_letter_exchange(self) -> None:
        field = self.fields.get("x-dead-letter-exchange")
        if field is not None and field.tag != "S":
            raise PreconditionFailed(f"invalid type '{field.type_name}' for arg 'x-dead-letter-exchange' in {self.where}")

    def _check_names(self) -> None:
        for name in self.fields:
            if name in _KNOWN_SOMEWHERE and name not in _KNOWN[self.type]:
                raise PreconditionFailed(f"invalid arg '{name}' for {self.where} of queue type rabbit_{self.type}_queue")

    def _check(self, field: Field) -> None:
        if field.name in _INTEGER_RANGES:
            self._check_integer(field)
        elif field.name in _BOOLEANS:
            if field.tag != "t":
                raise self._unacceptable(field)
        elif field.tag != "S":
            raise self._unacceptable(field)
        elif field.name in _ADDRESSES and (octets := len(str(field.value).encode())) > NAME_MAX:
            raise self._invalid(field.name, f"{{value_too_long,{octets}}}")
        elif field.name in _STRING_CHOICES and field.value not in _STRING_CHOICES[field.name][0]:
            raise self._invalid(field.name, _STRING_CHOICES[field.name][1].format(field.value))
        elif field.name == "x-dead-letter-routing-key" and "x-dead-letter-exchange" not in self.fields:
            raise self._invalid(field.name, "routing_key_but_no_dlx_defined")

    def _check_integer(self, field: Field) -> None:
        if field.tag not in INTEGER_TAGS or not isinstance(field.value, int):
            raise self._invalid(field.name, f'"expected integer, got {field.type_name}"')
        least, most = _INTEGER_RANGES[field.name]
        if field.value < least:
            problem = "{value_zero,0}" if field.value == 0 else f"{{value_negative,{field.value}}}"
            raise self._invalid(field.name, problem)
        if field.name == "x-queue-version" and field.value not in _QUEUE_VERSIONS:
            raise self._invalid(field.name, f"\"unsupported queue version '{field.value}'\"")
        if field.value > most:
            name = "max_value_exceeded" if field.name == "x-max-priority" else "value_too_large"
            raise self._invalid(field.name, f"{{{name},{field.value}}}")

    def _unacceptable(self, field: Field) -> PreconditionFailed:
        return self._invalid(field.name, f"{{unacceptable_type,{field.type_name}}}")

    def _invalid(self, name: str, problem: str) -> PreconditionFailed:
        return PreconditionFailed(f"invalid arg '{name}' for {self.where}: {problem}")

    def check_properties(self, named: bool, durable: bool, exclusive: bool, auto_delete: bool) -> None:
        """Raise PreconditionFailed if a queue of this type cannot be declared so; named: its client chose the name."""
        if self.type == QUORUM:
            if not named:
                raise PreconditionFailed("Cannot declare a server-named queue for type rabbit_quorum_queue")
            for refused, name in (
                (not durable, "non-durable"),
                (exclusive, "exclusive-owner"),
                (auto_delete, "auto-delete"),
            ):
                if refused:
                    raise PreconditionFailed(f"invalid property '{name}' for {self.where}")

    def check_equivalent(self, table: bytes) -> None:
        """Raise PreconditionFailed unless a redeclaration with these arguments, valid or not, means this queue; BadSyntax."""
        declared = {field.name: field for field in tables.fields(table)}
        for name in [name for name in _COMPARED if name in _KNOWN[self.type]]:
            received, current = declared.get(name), self.fields.get(name)
            same = _type_of(received) == self.type if name == "x-queue-type" else _equal(current, received)
            if not same:
                raise inequivalent(name, self.where, received, current)


def _type_of(field: Field | None) -> str:
    return CLASSIC if field is None or field.value in _NO_TYPE else str(field.value)


def _equal(one: Field | None, other: Field | None) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one.value, (int, Decimal)) and isinstance(other.value, (int, Decimal)):
        return one.value == other.value and (one.tag == "t") == (other.tag == "t")
    return type(one.value) is type(other.value) and one.value == other.value


def inequivalent(name: str, where: str, received: Field | None, current: Field | None) -> PreconditionFailed:
    """The error of a redeclaration whose argument differs; where names the queue or exchange."""
    if received is not None and current is not None:
        return PreconditionFailed(
            f"inequivalent arg '{name}' for {where}: received {_quoted(received.value)} but current is {_quoted(current.value)}"
        )
    return PreconditionFailed(
        f"inequivalent arg '{name}' for {where}: received {_described(received)} but current is {_described(current)}"
    )


def _described(field: Field | None) -> str:
    if field is None:
        return "none"
    return f"the value '{shown(field.value)}' of type '{field.type_name}'"


def _quoted(value: object) -> str:
    return "none" if value is None else f"'{shown(value)}'"


def shown(value: object) -> str:
    """A value as RabbitMQ prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

"""The keys of a policy's definition: what each may hold, which queues cannot obey it, and which policy has the last word.

1. A key that is valid but means nothing on one node (`ha-…`, the places and sizes of groups of replicas) is kept and shown.
2. A policy with a key that a type of queue cannot obey does not apply to queues of that type at all.
"""

from __future__ import annotations

import re
from typing import Final

from amqpd.broker.arguments import CLASSIC, NAME_MAX, QUORUM
from amqpd.broker.limits import DROP_HEAD, REJECT_PUBLISH, REJECT_PUBLISH_DLX, Definition
from amqpd.broker.terms import is_text, pairs, term

ALTERNATE_EXCHANGE: Final = "alternate-exchange"
MIRRORING: Final = "ha-"
"""How the keys of RabbitMQ's mirrored queues begin, which have gone: there is nothing to mirror to."""

LARGEST: Final = 2**53
"""The largest number that every JSON library reads as it was written."""
_LARGEST_SEGMENT: Final = 3_000_000_000

_NUMBERS: Final[dict[str, tuple[int, int, str]]] = {
    "message-ttl": (0, LARGEST, "is not a valid message TTL"),
    "expires": (1, LARGEST, "is not a valid queue expiry"),
    "max-length": (0, LARGEST, "is not a valid maximum length"),
    "max-length-bytes": (0, LARGEST, "is not a valid maximum length in bytes"),
    "max-in-memory-length": (0, LARGEST, "is not a valid maximum memory in bytes"),
    "max-in-memory-bytes": (0, LARGEST, "is not a valid maximum memory in bytes"),
    "delivery-limit": (-LARGEST, LARGEST, "is not a valid delivery limit"),
    "consumer-timeout": (0, LARGEST, "is not a valid consumer timeout"),
    "consumer-disconnected-timeout": (0, LARGEST, "is not a valid consumer disconnected timeout"),
    "queue-version": (1, 2, "is not a valid queue-version value"),
    "initial-cluster-size": (0, LARGEST, "is not a valid cluster size"),
    "target-group-size": (1, LARGEST, "is not a valid target group size"),
    "stream-max-segment-size-bytes": (0, _LARGEST_SEGMENT, "is not a valid segment size"),
    "stream-filter-size-bytes": (16, 255, "is not a valid filter size"),
    "delayed-retry-min": (1, LARGEST, "is not a valid delayed retry minimum"),
    "delayed-retry-max": (1, LARGEST, "is not a valid delayed retry maximum"),
}
"""Least and largest value, and what is said of any other."""

_TEXTS: Final[dict[str, str]] = {
    ALTERNATE_EXCHANGE: "is not a valid alternate exchange name",
    "dead-letter-exchange": "is not a valid dead letter exchange name",
    "dead-letter-routing-key": "is not a valid dead letter routing key",
    "federation-upstream": "is not a valid federation upstream name",
    "federation-upstream-set": "is not a valid federation upstream set name",
    "federation-upstream-pattern": "is not a valid federation upstream pattern",
}

_CHOICES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "overflow": ((DROP_HEAD, REJECT_PUBLISH, REJECT_PUBLISH_DLX), "is not a valid overflow value"),
    "dead-letter-strategy": (("at-most-once", "at-least-once"), "is not a valid dead letter strategy"),
    "queue-mode": (("default", "lazy"), "is not a valid queue-mode value"),
    "queue-master-locator": (("client-local", "min-masters", "random"), "invalid queue-master-locator value"),
    "queue-leader-locator": (
        ("client-local", "balanced", "random", "least-leaders"),
        "is not a valid queue leader locator value",
    ),
    "delayed-retry-type": (("disabled", "all", "failed", "returned"), "is not a valid delayed retry type"),
}

_MAX_AGE: Final = re.compile(r"0*[1-9][0-9]*[YMDhms]", re.ASCII)

_OPERATORS: Final = frozenset(
    (
        "message-ttl", "expires", "max-length", "max-length-bytes", "max-in-memory-length", "max-in-memory-bytes",
        "overflow", "queue-version", "delivery-limit", "target-group-size",
        "delayed-retry-type", "delayed-retry-min", "delayed-retry-max",
    )
)  # fmt: skip
"""The keys of an operator policy."""

_STREAM_KEYS: Final = frozenset(
    ("max-age", "stream-max-segment-size-bytes", "stream-filter-size-bytes", "initial-cluster-size")
)
_UNSUPPORTED: Final[dict[str, frozenset[str]]] = {
    CLASSIC: _STREAM_KEYS | {"delivery-limit", "dead-letter-strategy"},
    QUORUM: _STREAM_KEYS | {"queue-mode", "queue-master-locator"},
}


def problem_of(definition: object, operator: bool) -> str:
    """What is wrong with the definition of a policy, or of an operator policy, in RabbitMQ's words; empty if nothing is."""
    if not isinstance(definition, dict):
        return f"definition must be a dictionary: {term(definition)}"
    if not definition:
        return "no policy provided"
    unknown: Definition = {}
    for key in sorted(definition):
        if not is_known(key, operator):
            unknown[key] = definition[key]
        elif _problem(key, definition[key]):
            return f"{term(definition[key])} {_problem(key, definition[key])}"
    return f"{pairs(unknown)} are not recognised policy settings" if unknown else ""


def is_known(key: str, operator: bool) -> bool:
    """Whether a policy, or an operator policy, may have the key."""
    if operator:
        return key in _OPERATORS
    return key in _NUMBERS or key in _TEXTS or key in _CHOICES or key == "max-age" or key.startswith(MIRRORING)


def _problem(key: str, value: object) -> str:
    """What is said of a value that the key cannot hold; empty if it can."""
    if key in _NUMBERS:
        least, most, text = _NUMBERS[key]
        return "" if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else text
    if key in _TEXTS:
        return "" if is_text(value, NAME_MAX) else _TEXTS[key]
    if key in _CHOICES:
        choices, text = _CHOICES[key]
        return "" if isinstance(value, str) and value in choices else text
    if key == "max-age":
        return "" if isinstance(value, str) and _MAX_AGE.fullmatch(value) else "is not a valid max age"
    return ""


def suits(definition: Definition, queue_type: str) -> bool:
    """True if queues of this type can obey the whole definition (2)."""
    unsupported = _UNSUPPORTED[queue_type]
    if queue_type == QUORUM and any(key.startswith(MIRRORING) for key in definition):
        return False
    return unsupported.isdisjoint(definition)


def merged(policy: Definition, operator: Definition) -> Definition:
    """What a policy and an operator policy say together: the smaller number, and else what the operator says."""
    both = {**policy, **operator}
    for key, value in operator.items():
        other = policy.get(key)
        if isinstance(other, int) and isinstance(value, int) and key != "queue-version":
            both[key] = min(value, other) if value >= 0 and other >= 0 else max(value, other)
    return both

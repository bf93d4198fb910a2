"""What holds a queue in bounds, as arguments, policy and operator policy together say it.

Merging obeys RabbitMQ's rules: of two numbers the smaller one counts, of two texts the argument's, except that an operator
policy's overflow behaviour beats a policy's.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.arguments import QUORUM, QueueArguments

NONE: Final = -1
"""A number that is not limited."""

DROP_HEAD: Final = "drop-head"
REJECT_PUBLISH: Final = "reject-publish"
REJECT_PUBLISH_DLX: Final = "reject-publish-dlx"

Definition = dict[str, object]
"""The definition of a policy: its keys and values."""


class Limits:
    """Resolved once, when a queue is declared or a policy changes; plain attributes after that."""

    def __init__(self) -> None:
        self.message_ttl: int = NONE
        """Milliseconds."""
        self.expires: int = NONE
        """Milliseconds of disuse after which the queue is deleted."""
        self.max_length: int = NONE
        self.max_length_bytes: int = NONE
        self.overflow: str = DROP_HEAD
        self.dead_letter_exchange: str | None = None
        self.dead_letter_routing_key: str | None = None
        self.delivery_limit: int = NONE
        self.consumer_timeout: int = NONE
        """Milliseconds within which a delivery must be acknowledged."""

    def limits_length(self) -> bool:
        """True if the queue's length is limited."""
        return self.max_length != NONE or self.max_length_bytes != NONE


def effective(arguments: QueueArguments, policy: Definition, operator: Definition) -> Limits:
    """What holds for a queue with these arguments, under a policy and an operator policy (either may be empty)."""
    limits = Limits()
    limits.message_ttl = _least(arguments, policy, operator, "message-ttl")
    limits.expires = _least(arguments, policy, operator, "expires")
    limits.max_length = _least(arguments, policy, operator, "max-length")
    limits.max_length_bytes = _least(arguments, policy, operator, "max-length-bytes")
    limits.consumer_timeout = _least(arguments, policy, operator, "consumer-timeout")
    limits.overflow = arguments.string("x-overflow") or _text(operator, "overflow") or _text(policy, "overflow") or DROP_HEAD
    limits.dead_letter_exchange = _given(arguments, policy, "dead-letter-exchange")
    limits.dead_letter_routing_key = _given(arguments, policy, "dead-letter-routing-key")
    if arguments.type == QUORUM:
        limits.delivery_limit = _least(arguments, policy, operator, "delivery-limit")
    return limits


def _least(arguments: QueueArguments, policy: Definition, operator: Definition, key: str) -> int:
    """The smallest number that any of the three sources gives; a negative one counts as none."""
    sources = (arguments.integer("x-" + key), policy.get(key), operator.get(key))
    return min([value for value in sources if isinstance(value, int) and value >= 0], default=NONE)


def _text(definition: Definition, key: str) -> str | None:
    value = definition.get(key)
    return value if isinstance(value, str) else None


def _given(arguments: QueueArguments, policy: Definition, key: str) -> str | None:
    argument = arguments.string("x-" + key)
    return argument if argument is not None else _text(policy, key)

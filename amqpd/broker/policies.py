"""Policies: what an operator says of all queues and exchanges whose names match, whatever they were declared with.

1. One policy and one operator policy apply to a queue, one policy to an exchange: of those that match, the one with the
   highest priority; among equals, the first by name.
2. A policy never changes: saving it again makes another one, so that whoever holds the old one sees that it is old.
"""

from __future__ import annotations

import json
from typing import Final

from amqpd.broker import policy_keys
from amqpd.broker.expression import Expression
from amqpd.broker.limits import Definition
from persistence import rows

ALL: Final = "all"
QUEUES: Final = "queues"
EXCHANGES: Final = "exchanges"
APPLY_TO: Final = (QUEUES, "classic_queues", "quorum_queues", "streams", EXCHANGES, ALL)


class Policy:
    """One policy or operator policy of a virtual host."""

    def __init__(
        self, name: str, pattern: str, apply_to: str, priority: float, definition: Definition, operator: bool
    ) -> None:  # fmt: skip
        """Raises ValueError if the pattern is no regular expression."""
        self.name: Final = name
        self.pattern: Final = pattern
        self.apply_to: Final = apply_to
        self.priority: Final = priority
        self.definition: Final = definition
        self.operator: Final = operator
        """True if only administrators may change it, and it can only make queues smaller."""
        self._expression: Final = Expression(pattern)

    def rules_queue(self, name: str, queue_type: str) -> bool:
        """Whether it applies to the queue of this name and type."""
        return (
            (self.apply_to == ALL or self.apply_to == QUEUES or self.apply_to == f"{queue_type}_queues")
            and self._expression.is_in(name)
            and policy_keys.suits(self.definition, queue_type)
        )

    def rules_exchange(self, name: str) -> bool:
        """Whether it applies to the exchange of this name."""
        return (self.apply_to == ALL or self.apply_to == EXCHANGES) and self._expression.is_in(name)

    def row(self, vhost: str) -> rows.Policy:
        """The row that keeps it."""
        definition = json.dumps(self.definition)
        return rows.Policy(vhost, self.name, self.pattern, self.apply_to, self.priority, definition, self.operator)


def policy_of(row: rows.Policy) -> Policy:
    """The policy that a row keeps."""
    return Policy(row.name, row.pattern, row.apply_to, row.priority, json.loads(row.definition), row.operator)


class PolicySet:
    """The policies, or the operator policies, of one virtual host."""

    def __init__(self) -> None:
        self.by_name: Final[dict[str, Policy]] = {}
        self._ranked: list[Policy] | None = []
        """None if they changed since they were ranked: among many changes, ranking once is enough."""

    def add(self, policy: Policy) -> None:
        """A new policy, or one instead of another of that name."""
        self.by_name[policy.name] = policy
        self._ranked = None

    def remove(self, name: str) -> Policy | None:
        """The policy does not count any more; None if there is no such one."""
        removed = self.by_name.pop(name, None)
        self._ranked = None
        return removed

    def _in_order(self) -> list[Policy]:
        if self._ranked is None:
            self._ranked = sorted(self.by_name.values(), key=lambda policy: (-policy.priority, policy.name))
        return self._ranked

    def of_queue(self, name: str, queue_type: str) -> Policy | None:
        """The one that applies to the queue (1)."""
        for policy in self._in_order():
            if policy.rules_queue(name, queue_type):
                return policy
        return None

    def of_exchange(self, name: str) -> Policy | None:
        """The one that applies to the exchange (1)."""
        for policy in self._in_order():
            if policy.rules_exchange(name):
                return policy
        return None

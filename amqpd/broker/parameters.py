"""Runtime parameters: values by component, virtual host and name, each meaning what its component makes of it.

The components are RabbitMQ's: `operator_policy` and `vhost-limits` are other ways to what `governance` rules.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker import governance
from amqpd.broker.broker import Broker
from amqpd.broker.governance import LIMITS, VHOST_LIMITS
from amqpd.broker.policies import Policy
from amqpd.broker.terms import Invalid, term, validation_failed
from amqpd.broker.vhost import VHost

POLICY: Final = "policy"
OPERATOR_POLICY: Final = "operator_policy"


class Parameter:
    """One parameter; its value is what JSON holds."""

    def __init__(self, component: str, vhost: str, name: str, value: dict[str, object]) -> None:
        self.component: Final = component
        self.vhost: Final = vhost
        self.name: Final = name
        self.value: Final = value


def parameters_of(vhost: VHost) -> list[Parameter]:
    """All parameters of a virtual host."""
    found = [
        Parameter(OPERATOR_POLICY, vhost.name, policy.name, _value(policy))
        for policy in vhost.operator_policies.by_name.values()
    ]
    if vhost.quota.limits:
        found.append(Parameter(VHOST_LIMITS, vhost.name, LIMITS, dict(vhost.quota.limits)))
    return found


def _value(policy: Policy) -> dict[str, object]:
    return {
        "pattern": policy.pattern, "definition": policy.definition, "priority": policy.priority, "apply-to": policy.apply_to,
    }  # fmt: skip


def find_parameter(vhost: VHost, component: str, name: str) -> Parameter | None:
    """The parameter of that name."""
    for parameter in parameters_of(vhost):
        if parameter.component == component and parameter.name == name:
            return parameter
    return None


def check_parameter(component: str, name: str, value: object) -> None:
    """Raise Invalid unless there can be such a parameter."""
    if component == POLICY:
        raise Invalid("policies may not be set using this method")
    if component == OPERATOR_POLICY:
        _check_keys(name, value)
    elif component == VHOST_LIMITS:
        governance.check_vhost_limits(value)
    else:
        raise validation_failed([f"component {component} not found"])


def _check_keys(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise validation_failed([f"{name} should be a dictionary, actually was {term(value)}"])
    missing = [f'Key "{key}" not found in {name}' for key in ("priority", "pattern", "definition") if key not in value]
    if missing:
        raise validation_failed(missing)
    governance.check_policy(
        name, value["pattern"], value["definition"], value["priority"], value.get("apply-to"), operator=True
    )


def set_parameter(broker: Broker, vhost: VHost, component: str, name: str, value: object) -> bool:
    """A new parameter, or another value for one; True if it is new. Raises Invalid."""
    check_parameter(component, name, value)
    is_new = find_parameter(vhost, component, name) is None
    if component == OPERATOR_POLICY and isinstance(value, dict):
        governance.set_policy(
            broker, vhost, name, value["pattern"], value["definition"], value["priority"], value.get("apply-to"),
            operator=True,
        )  # fmt: skip
    else:
        governance.set_vhost_limits(broker, vhost, value)
    return is_new


def clear_parameter(broker: Broker, vhost: VHost, component: str, name: str) -> bool:
    """Delete a parameter; False if there is no such one."""
    if find_parameter(vhost, component, name) is None:
        return False
    if component == OPERATOR_POLICY:
        return governance.clear_policy(broker, vhost, name, operator=True)
    governance.set_vhost_limits(broker, vhost, {})
    return True

"""Policies, parameters and limits: what an operator rules while the broker runs, for objects that exist and that will.

1. A change is saved with the open batch; whoever asked for it is answered once that batch is durable.
2. What is not valid is refused as a whole with `Invalid`, whose text is RabbitMQ's, and nothing changes.
3. A limit stops whoever comes next; who is there already stays.
"""

from __future__ import annotations

import json
from typing import Final

from amqpd.broker import facts, policy_keys, quota
from amqpd.broker.broker import Broker
from amqpd.broker.events import Facts
from amqpd.broker.expression import Expression, Malformed
from amqpd.broker.limits import NONE
from amqpd.broker.policies import ALL, APPLY_TO, Policy, PolicySet
from amqpd.broker.quota import Quota
from amqpd.broker.terms import Invalid, is_text, pairs, term, validation_failed
from amqpd.broker.vhost import VHost
from persistence import rows

USER_LIMITS: Final = "user-limits"
"""The component under which limits of users are saved: parameters of no virtual host, by user."""
VHOST_LIMITS: Final = "vhost-limits"
LIMITS: Final = "limits"
"""The name of the one parameter that holds a virtual host's limits."""
GLOBAL: Final = ""
"""The component of global parameters, which are of no virtual host either."""

PATTERN_MAX: Final = 2000
"""Octets of the longest pattern of a policy."""

# --- policies ----------------------------------------------------------------------------------------------------------


def policies_of(vhost: VHost, operator: bool) -> PolicySet:
    """The policies of a virtual host, or its operator policies."""
    return vhost.operator_policies if operator else vhost.policies


def set_policy(
    broker: Broker, vhost: VHost, name: str, pattern: object, definition: object, priority: object, apply_to: object,
    operator: bool,
) -> bool:  # fmt: skip
    """A new policy or operator policy, or one instead of another of that name; True if it is new. Raises Invalid.

    Pattern, definition, priority (None: 0) and apply_to (None: all) are as they were sent.
    """
    policy = check_policy(name, pattern, definition, priority, apply_to, operator)
    policies = policies_of(vhost, operator)
    is_new = name not in policies.by_name
    policies.add(policy)
    broker.journal.save(policy.row(vhost.name))
    broker.enforcement.renew(vhost)
    broker.events.emit_by_actor("policy.set", facts.policy(policy, vhost.name))
    return is_new


def check_policy(name: str, pattern: object, definition: object, priority: object, apply_to: object, operator: bool) -> Policy:
    """The policy of these parts, as they were sent. Raises Invalid."""
    priority = 0 if priority is None else priority
    apply_to = ALL if apply_to is None else apply_to
    problems = [
        _problem_of_priority(priority), _problem_of_pattern(pattern), _problem_of_apply_to(apply_to),
        policy_keys.problem_of(definition, operator),
    ]  # fmt: skip
    found = [problem for problem in problems if problem]
    if found:
        raise validation_failed(found)
    assert isinstance(pattern, str), "checked above"
    assert isinstance(apply_to, str), "the same"
    assert isinstance(priority, (int, float)), "the same"
    assert isinstance(definition, dict), "the same"
    whole = int(priority)
    return Policy(name, pattern, apply_to, whole if whole == priority else priority, definition, operator)


def _problem_of_priority(priority: object) -> str:
    if _is_number(priority) or (isinstance(priority, float) and abs(priority) <= policy_keys.LARGEST):
        return ""
    return f"priority should be a number, actually was {term(priority)}"


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= policy_keys.LARGEST


def _problem_of_pattern(pattern: object) -> str:
    if not isinstance(pattern, str):
        return f"pattern should be a binary but was {term(pattern)}"
    if not is_text(pattern, PATTERN_MAX):
        return f"pattern should be UTF-8 and have at most {PATTERN_MAX} octets"
    try:
        Expression(pattern)
    except Malformed as error:
        return f'pattern should be regular expression but is invalid: {{"{error}",{error.position}}}'
    return ""


def _problem_of_apply_to(apply_to: object) -> str:
    if isinstance(apply_to, str) and apply_to in APPLY_TO:
        return ""
    choices = ", ".join([f"'{choice}'" for choice in APPLY_TO])
    shown = apply_to if isinstance(apply_to, str) else term(apply_to)
    return f"apply-to '{shown}' unrecognised; should be one of: {choices}"


def clear_policy(broker: Broker, vhost: VHost, name: str, operator: bool) -> bool:
    """Delete a policy or operator policy; False if there is no such one."""
    policy = policies_of(vhost, operator).remove(name)
    if policy is None:
        return False
    broker.journal.remove(policy.row(vhost.name))
    broker.enforcement.renew(vhost)
    event = "operator.policy.cleared" if operator else "policy.cleared"
    broker.events.emit_by_actor(event, facts.named(name, vhost.name))
    return True


# --- limits ------------------------------------------------------------------------------------------------------------


def set_vhost_limits(broker: Broker, vhost: VHost, limits: object) -> None:
    """These are all the limits of the virtual host from now on. Raises Invalid."""
    checked = check_vhost_limits(limits)
    had_limits = bool(vhost.quota.limits)
    _limit_vhost(broker, vhost, checked)
    _tell_of_limits(broker, "vhost", checked, had_limits, {"vhost": vhost.name})
    _save(broker, rows.Parameter(VHOST_LIMITS, vhost.name, LIMITS, json.dumps(checked)), bool(checked))


def check_vhost_limits(limits: object) -> dict[str, int]:
    """The limits by name. Raises Invalid."""
    checked, problems = _checked_limits(limits, quota.OF_VHOST, "limits")
    if problems:
        raise validation_failed(problems)
    return checked


def set_user_limits(broker: Broker, user: str, limits: object) -> None:
    """These are all the limits of the user from now on. Raises Invalid."""
    checked, problems = _checked_limits(limits, quota.OF_USER, USER_LIMITS)
    if problems:
        raise Invalid(problems[0])
    had_limits = user in broker.user_quotas
    _limit_user(broker, user, checked)
    _tell_of_limits(broker, "user", checked, had_limits, {"username": user})
    _save(broker, rows.Parameter(USER_LIMITS, "", user, json.dumps(checked)), bool(checked))


def _tell_of_limits(broker: Broker, kind: str, limits: dict[str, int], had_limits: bool, whose: Facts) -> None:
    if limits:
        broker.events.emit_by_actor(f"{kind}.limits.set", {**limits, **whose, "name": LIMITS})
    elif had_limits:
        broker.events.emit_by_actor(f"{kind}.limits.cleared", {**whose, "name": LIMITS})


def _limit_vhost(broker: Broker, vhost: VHost, limits: dict[str, int]) -> None:
    vhost.quota.limits = limits
    broker.pace.limit_vhost(vhost.name, limits.get(quota.MAX_PUBLISH_RATE, NONE))


def _limit_user(broker: Broker, user: str, limits: dict[str, int]) -> None:
    broker.pace.limit_user(user, limits.get(quota.MAX_PUBLISH_RATE, NONE))
    broker.user_quotas.pop(user, None)
    if limits:
        broker.user_quotas[user] = Quota()
        broker.user_quotas[user].limits = limits


def user_limits(broker: Broker, user: str) -> dict[str, int]:
    """The limits of the user by name."""
    found = broker.user_quotas.get(user)
    return {} if found is None else found.limits


def _checked_limits(limits: object, known: tuple[str, ...], kind: str) -> tuple[dict[str, int], list[str]]:
    """The limits, and what is wrong with them; RabbitMQ exports limits that were all cleared as an empty list."""
    if limits == []:
        return {}, []
    if not isinstance(limits, dict):
        return {}, [f"{kind} should be a dictionary, actually was {term(limits)}"]
    checked: dict[str, int] = {}
    problems: list[str] = []
    for name in known:
        if name in limits and _is_number(limits[name]):
            checked[name] = limits[name]
        elif name in limits:
            problems.append(f"{name} should be a number, actually was {term(limits[name])}")
    unknown = {name: value for name, value in limits.items() if name not in known}
    if unknown:
        problems.append(f"Unrecognised terms {pairs(unknown)} in {kind}")
    return checked, problems


def _save(broker: Broker, row: rows.Parameter, is_any: bool) -> None:
    if is_any:
        broker.journal.save(row)
    else:
        broker.journal.remove(row)


# --- global parameters -------------------------------------------------------------------------------------------------


def set_global_parameter(broker: Broker, name: str, value: object) -> bool:
    """Keep a JSON value under this name; True if the name is new."""
    is_new = name not in broker.global_parameters
    broker.global_parameters[name] = value
    broker.journal.save(rows.Parameter(GLOBAL, "", name, json.dumps(value)))
    broker.events.emit_by_actor("parameter.set", {"value": json.dumps(value), "name": name, "component": "global"})
    return is_new


def clear_global_parameter(broker: Broker, name: str) -> bool:
    """Forget what is kept under this name; False if nothing is."""
    if name not in broker.global_parameters:
        return False
    del broker.global_parameters[name]
    broker.journal.remove(rows.Parameter(GLOBAL, "", name, ""))
    broker.events.emit_by_actor("parameter.cleared", {"name": name, "component": "global"})
    return True


# --- starts and ends -----------------------------------------------------------------------------------------------------


def forget_vhost(broker: Broker, vhost: VHost) -> None:
    """A virtual host ends: so do its policies and its limits."""
    for policies in (vhost.policies, vhost.operator_policies):
        for policy in policies.by_name.values():
            broker.journal.remove(policy.row(vhost.name))
    set_vhost_limits(broker, vhost, {})


def restore_parameter(broker: Broker, row: rows.Parameter) -> None:
    """At start: a parameter that was saved counts again."""
    value = json.loads(row.value)
    if row.component == VHOST_LIMITS:
        _limit_vhost(broker, broker.vhosts[row.vhost], value)
    elif row.component == USER_LIMITS:
        _limit_user(broker, row.name, value)
    elif row.component == GLOBAL:
        broker.global_parameters[row.name] = value

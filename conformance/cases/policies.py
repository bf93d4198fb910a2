"""Policies and operator policies: matching, precedence, merging, setting and clearing."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.management import path
from conformance.mismatch import equal, require

policies = Area("policies", "Policies", ["management"])

SPEC = "RabbitMQ: Parameters and Policies"


def must_keep(channel: Channel, queue: str, count: int) -> None:
    """A queue that five messages are published to must keep only the newest few."""
    channel.call("queue.purge", queue=queue)
    channel.publish_all(queue, *"12345")
    channel.must_hold(queue, *"12345"[5 - count :])


@policies.case("policy.applies", "A policy applies to existing queues whose name matches", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, other = channel.queue(), channel.queue()
    broker.policy(f"^{queue}$", {"max-length": 2})
    must_keep(channel, queue, 2)
    must_keep(channel, other, 5)


@policies.case("policy.later-queue", "A policy applies to queues declared later", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    broker.policy(f"^{name}$", {"max-length": 2})
    must_keep(channel, channel.queue(name), 2)


@policies.case("policy.unanchored", "A pattern is searched anywhere in the name", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, word = broker.channel(), broker.name("word")
    broker.policy(word, {"max-length": 1})
    must_keep(channel, channel.queue(f"before.{word}.after"), 1)


@policies.case("policy.cleared", "A deleted policy no longer applies", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    name = broker.policy(f"^{queue}$", {"max-length": 2})
    must_keep(channel, queue, 2)
    broker.http.must(204, "DELETE", path("policies", broker.vhost, name))
    must_keep(channel, queue, 5)


@policies.case("policy.changed", "A changed policy applies at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    name = broker.policy(f"^{queue}$", {"max-length": 2})
    body = {"pattern": f"^{queue}$", "definition": {"max-length": 3}}
    broker.http.must(204, "PUT", path("policies", broker.vhost, name), body)
    must_keep(channel, queue, 3)


@policies.case(
    "policy.priority", "Of several matching policies the one with the highest priority applies alone", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"max-length": 1}, priority=1)
    broker.policy(f"^{queue}$", {"max-length": 3}, priority=2)
    must_keep(channel, queue, 3)


@policies.case("policy.not-merged", "Policies are not merged: keys of a lower one do not count", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"max-length": 1}, priority=1)
    broker.policy(f"^{queue}$", {"message-ttl": 3600000}, priority=2)
    must_keep(channel, queue, 5)


@policies.table(
    "policy.apply-to",
    "A policy with apply-to {} does what it says for a queue",
    SPEC,
    [("all", "all", 1), ("queues", "queues", 1), ("exchanges", "exchanges", 5)],
    EXTENSION,
)
def _(broker: Broker, scope: str, kept: int) -> None:
    channel = broker.channel()
    queue = channel.queue()
    definition = {"max-length": 1} if scope != "exchanges" else {"alternate-exchange": "amq.fanout"}
    broker.policy(f"^{queue}$", definition, **{"apply-to": scope})
    must_keep(channel, queue, kept)


@policies.case(
    "policy.apply-to.queues-only",
    "A policy with apply-to queues leaves an exchange of that name alone",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    channel.exchange("direct", name)
    broker.policy(f"^{name}$", {"max-length": 1}, **{"apply-to": "queues"})
    equal("policy", None, broker.http.get("exchanges", broker.vhost, name).get("policy"))


@policies.case("policy.argument-minimum", "The lower of argument and policy counts", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-max-length": 4})
    broker.policy(f"^{queue}$", {"max-length": 2})
    must_keep(channel, queue, 2)


@policies.case("policy.redeclare", "A policy is no part of a queue's declaration", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    broker.policy(f"^{queue}$", {"max-length": 2})
    channel.call("queue.declare", queue=queue)


@policies.case("operator-policy.applies", "An operator policy applies beside a policy", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"message-ttl": 3600000})
    broker.policy(f"^{queue}$", {"max-length": 2}, "operator-policies", **{"apply-to": "queues"})
    must_keep(channel, queue, 2)


@policies.table(
    "operator-policy.minimum",
    "The lower of policy and operator policy counts: {}",
    SPEC,
    [("the policy", 1, 3), ("the operator policy", 3, 1)],
    EXTENSION,
)
def _(broker: Broker, policy: int, operator: int) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"max-length": policy})
    broker.policy(f"^{queue}$", {"max-length": operator}, "operator-policies", **{"apply-to": "queues"})
    must_keep(channel, queue, 1)


@policies.case("operator-policy.argument", "An operator policy limits what an argument asks for", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-max-length": 100})
    broker.policy(f"^{queue}$", {"max-length": 2}, "operator-policies", **{"apply-to": "queues"})
    must_keep(channel, queue, 2)


@policies.table(
    "policy.invalid",
    "A policy with {} is refused with 400",
    SPEC,
    [
        ("a negative max-length", {"definition": {"max-length": -1}}),
        ("a textual max-length", {"definition": {"max-length": "10"}}),
        ("a negative message-ttl", {"definition": {"message-ttl": -1}}),
        ("expires 0", {"definition": {"expires": 0}}),
        ("an unknown key", {"definition": {"no-such-key": 1}}),
        ("an unknown overflow", {"definition": {"overflow": "drop-tail"}}),
        ("a numeric dead-letter-exchange", {"definition": {"dead-letter-exchange": 1}}),
        ("an empty definition", {"definition": {}}),
        ("a definition that is no object", {"definition": "max-length"}),
        ("an unknown apply-to", {"apply-to": "everything"}),
        ("a pattern that is no regular expression", {"pattern": "("}),
        ("a textual priority", {"priority": "high"}),
    ],
    EXTENSION,
    deviations={"a definition that is no object": {"RabbitMQ 3.10": "RabbitMQ bug: it answers 500"}},
)
def _(broker: Broker, wrong: dict[str, Any]) -> None:
    body = {
        "pattern": "^conformance-never$",
        "definition": {"max-length": 1},
        "priority": 0,
        "apply-to": "all",
        **wrong,
    }
    name = broker.name("policy")
    broker.on_cleanup(lambda: broker.http.delete("policies", broker.vhost, name))
    broker.http.must(400, "PUT", path("policies", broker.vhost, name), body)


@policies.table(
    "policy.missing-key",
    "A policy without {} is refused with 400",
    SPEC,
    [("pattern", "pattern"), ("definition", "definition")],
    EXTENSION,
)
def _(broker: Broker, key: str) -> None:
    body = {"pattern": "^never$", "definition": {"max-length": 1}}
    del body[key]
    broker.http.must(400, "PUT", path("policies", broker.vhost, broker.name("policy")), body)


@policies.case(
    "policy.operator-keys",
    "An operator policy may not hold keys for users alone, such as dead-letter-exchange",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    name = broker.name("policy")
    body = {"pattern": "^never$", "definition": {"dead-letter-exchange": "x"}, "apply-to": "queues"}
    broker.on_cleanup(lambda: broker.http.delete("operator-policies", broker.vhost, name))
    broker.http.must(400, "PUT", path("operator-policies", broker.vhost, name), body)


@policies.case("policy.shown", "A policy can be read as it was set", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    name = broker.policy("^never$", {"max-length": 7}, priority=3, **{"apply-to": "queues"})
    shown = broker.http.get("policies", broker.vhost, name)
    facts = {key: shown.get(key) for key in ("vhost", "name", "pattern", "apply-to", "definition", "priority")}
    expected = {
        "vhost": broker.vhost,
        "name": name,
        "pattern": "^never$",
        "apply-to": "queues",
        "definition": {"max-length": 7},
        "priority": 3,
    }
    equal("policy", expected, facts)


@policies.case("policy.on-queue", "A queue shows the policy that applies to it", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue()
    name = broker.policy(f"^{queue}$", {"max-length": 7})
    shown = broker.http.eventually(
        lambda: broker.http.get("queues", broker.vhost, queue),
        lambda found: found.get("policy") == name,
        f"policy {name}",
    )
    require(shown.get("operator_policy") is None, "no operator policy", shown.get("operator_policy"))


@policies.case("policy.vhost", "A policy concerns its own virtual host only", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, vhost, word = broker.channel(), broker.new_vhost(), broker.name("word")
    queue = channel.queue(word)
    broker.http.put("policies", vhost, "limit", body={"pattern": word, "definition": {"max-length": 1}})
    must_keep(channel, queue, 5)
    must_keep(broker.channel(vhost=vhost), broker.channel(vhost=vhost).queue(word, exclusive=False), 1)

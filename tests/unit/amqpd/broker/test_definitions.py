from itertools import pairwise
from typing import Any

import pytest

from amqpd.broker import administration
from amqpd.broker.definitions import Import
from amqpd.broker.items import NAMED
from amqpd.errors import PreconditionFailed
from helpers.core import Core


@pytest.mark.parametrize("limits", [1, "all", [1], [{"name": "max-queues", "value": "many"}], {"max-queues": "many"}])
def test_limits_that_are_none_are_found_before_anything_is_done(limits: object) -> None:
    """A document is carried out as a whole or not at all."""
    core = Core()
    document = {"vhosts": [{"name": "first"}, {"name": "second", "limits": limits}]}
    with pytest.raises(PreconditionFailed, match=r"^vhosts: second: "):
        Import(core.broker, document, None).carry_out()
    assert ["/"] == list(core.broker.vhosts)


@pytest.mark.parametrize("section", ["users", "vhosts"])
def test_a_tag_with_a_comma_is_refused(section: str) -> None:
    """It would be two tags after a restart, `administrator` perhaps among them; a text with commas is several tags at once."""
    core = Core()
    with pytest.raises(PreconditionFailed, match=rf"^{section}: bad: .*comma"):
        Import(core.broker, {section: [{"name": "bad", "tags": ["a,administrator"]}]}, None).carry_out()
    Import(core.broker, {"users": [{"name": "good", "tags": "a, b"}]}, None).carry_out()

    assert (["/"], ["guest", "good"]) == (list(core.broker.vhosts), list(core.broker.users.by_name))
    assert ("a", "b") == core.broker.users.by_name["good"].tags


def nested(depth: int) -> dict[str, object]:
    """Objects in objects."""
    found: dict[str, object] = {}
    for _ in range(depth):
        found = {"n": found}
    return found


OPERATOR_POLICY = {"vhost": "/", "component": "operator_policy", "name": "bad"}


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("vhosts", {"name": "bad", "metadata": {"tags": 5}}),
        ("vhosts", {"name": "bad", "metadata": {"tags": [1]}}),
        ("vhosts", {"name": "bad", "metadata": [1]}),
        ("vhosts", {"name": "bad", "default_queue_type": "bogus"}),
        ("vhosts", {"name": "bad", "default_queue_type": ["x"]}),
        ("vhosts", {"name": "bad", "description": {"a": 1}}),
        *[(section, {"name": "", "vhost": "/"}) for section in NAMED],
        *[(section, {"name": "é" * 128, "vhost": "/"}) for section in NAMED],
        ("users", {"name": "bad", "password_hash": "!!"}),
        ("users", {"name": "bad", "password_hash": "é"}),
        ("users", {"name": "bad", "password_hash": 5}),
        ("users", {"name": "bad", "password": 5}),
        ("bindings", {"source": "amq.topic", "routing_key": "k" * 256}),
        ("bindings", {"source": "amq.topic", "routing_key": {"a": 1}}),
        ("parameters", {**OPERATOR_POLICY, "value": {"pattern": "", "definition": {"max-length": 1}}}),
        ("parameters", {**OPERATOR_POLICY, "value": 5}),
        ("parameters", OPERATOR_POLICY),
        ("exchanges", {"name": "bad", "vhost": "/", "arguments": {"y": 10**40}}),
        ("exchanges", {"name": "bad", "vhost": "/", "arguments": nested(80)}),
        ("exchanges", {"name": "bad", "vhost": "/", "arguments": nested(5000)}),
        ("exchanges", {"name": "bad", "vhost": "/", "arguments": {"x-message-deduplication": True, "x-cache-size": 0}}),
        ("bindings", {"source": "hash", "routing_key": "abc"}),
        ("bindings", {"source": "hash", "routing_key": "65536"}),
        ("bindings", {"source": "delayed", "routing_key": "abc"}),
        ("bindings", {"source": "old", "routing_key": "abc"}),
        ("bindings", {"source": "amq.topic", "arguments": nested(5000)}),
        ("bindings", {"source": "amq.headers", "arguments": {"x-match": "bogus"}}),
        ("bindings", {"source": "amq.match", "vhost": "first", "arguments": {"x-match": 5}}),
    ],
)
def test_what_could_not_be_carried_out_is_found_before(section: str, item: dict[str, Any]) -> None:
    """A document is carried out as a whole or not at all, also if only the type of an exchange forbids a binding."""
    core = Core()
    core.vhost.declare_exchange("x-consistent-hash", "old", True, False, False, b"")
    if section == "bindings":
        item = {"vhost": "/", "destination": "q", **item}
    document: dict[str, list[Any]] = {
        "vhosts": [{"name": "first"}],
        "queues": [{"name": "q", "vhost": "/"}, {"name": "q", "vhost": "first"}],
        "exchanges": [
            {"name": "hash", "vhost": "/", "type": "x-consistent-hash"},
            {
                "name": "delayed",
                "vhost": "/",
                "type": "x-delayed-message",
                "arguments": {"x-delayed-type": "x-consistent-hash"},
            },
        ],
    }
    document.setdefault(section, []).append(item)
    with pytest.raises(PreconditionFailed, match=rf"^{section}: "):
        Import(core.broker, document, None).carry_out()

    assert (["/"], []) == (list(core.broker.vhosts), list(core.vhost.queues))


def test_what_cannot_be_carried_out_any_more_is_told() -> None:
    """An exchange of another type was declared between the check and the end."""
    core = Core()
    item = {"source": "x", "vhost": "/", "destination": "q", "routing_key": "abc"}
    exchange = {"name": "x", "vhost": "/", "type": "topic"}
    document = {"queues": [{"name": "q", "vhost": "/"}], "exchanges": [exchange], "bindings": [item]}
    plan = Import(core.broker, document, None)
    assert [*plan.check()]
    core.vhost.declare_exchange("x-consistent-hash", "x", True, False, False, b"")

    with pytest.raises(PreconditionFailed, match=r"^bindings: .*must be an integer"):
        list(plan.steps())


def test_the_longest_names() -> None:
    """What AMQP can say of names and routing keys may be imported; a routing key that is null is empty."""
    core = Core()
    name = "n" * 255
    bindings = [{"source": name, "vhost": name, "destination": name, "routing_key": key} for key in (name, None)]
    document: dict[str, list[Any]] = {section: [{"name": name, "vhost": name}] for section in NAMED}
    Import(core.broker, {**document, "bindings": bindings}, None).carry_out()

    bound = core.broker.vhosts[name].exchanges[name].bindings.values()
    assert {name, ""} == {binding.routing_key for binding in bound}
    assert "" == core.broker.users.by_name[name].password_hash


def many() -> dict[str, list[Any]]:
    """Twenty of everything that an administrator imports."""
    names = [f"n{number}" for number in range(20)]
    policy = {"pattern": "", "definition": {"max-length": 1}}
    return {
        "users": [{"name": name} for name in names],
        "vhosts": [{"name": name} for name in names],
        "permissions": [{"user": name, "vhost": name, "configure": "", "write": "", "read": ""} for name in names],
        "topic_permissions": [{"user": name, "vhost": name, "exchange": "", "write": "", "read": ""} for name in names],
        "parameters": [{"name": "limits", "vhost": name, "component": "vhost-limits", "value": {}} for name in names],
        "global_parameters": [{"name": name} for name in names],
        "policies": [{"name": name, "vhost": name, **policy} for name in names],
        "queues": [{"name": name, "vhost": name} for name in names],
    }


def test_others_have_their_turn_after_each_item() -> None:
    """A document is checked and carried out item by item, whatever they are."""
    core = Core()
    document = many()
    plan = Import(core.broker, document, None)
    count = sum(len(section) for section in document.values())
    assert 2 * count - len(document["global_parameters"]) <= len(list(plan.check()))
    done = [
        (len(core.broker.users.by_name) - 1) + (len(core.broker.vhosts) - 1)
        + sum(len(user.permissions) + len(user.topic_permissions) for user in core.broker.users.by_name.values()) - 1
        + len(core.broker.global_parameters)
        + sum(len(vhost.policies.by_name) + len(vhost.queues) for vhost in core.broker.vhosts.values())
        for _ in plan.steps()
    ]  # fmt: skip

    assert count == len(done)
    assert {0, 1} == {later - earlier for earlier, later in pairwise(done)}


def test_what_has_gone_meanwhile_is_passed_over() -> None:
    """A user and a virtual host are deleted while a document is carried out: what was to be theirs is theirs no more."""
    core = Core()
    plan = Import(core.broker, many(), None)
    assert [*plan.check()]
    for number, _ in enumerate(plan.steps(), 1):
        if number == 40:
            administration.delete_user(core.broker, core.broker.users.by_name["n1"])
            administration.delete_vhost(core.broker, core.broker.vhosts["n2"])

    assert 20 == len(core.broker.vhosts)
    assert "n1" not in core.broker.users.by_name
    assert [1, 0, 1] == [len(core.broker.users.by_name[name].permissions) for name in ("n0", "n2", "n3")]

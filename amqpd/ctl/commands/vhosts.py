"""Virtual hosts and what holds in them: limits, policies, parameters."""

import json
from typing import Any, Final

from amqpd.ctl.api import Missing
from amqpd.ctl.command import Argument, Command, Invocation, Run
from amqpd.ctl.commands.access import definition
from amqpd.ctl.failure import DATA, Failure

NAME: Final = Argument("vhost-name", "name of the virtual host")
DESCRIPTION: Final = Argument("--description", "what it is for")
TAGS: Final = Argument("--tags", "tags, separated by commas")
QUEUE_TYPE: Final = Argument("--default-queue-type", "type of queues that are declared without one")
LIMITS: Final = ("max-connections", "max-queues")


def _metadata(invocation: Invocation) -> dict[str, Any]:
    """What was said of the virtual host."""
    given = {
        "description": invocation["description"], "tags": invocation["tags"],
        "default_queue_type": invocation["default-queue-type"],
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _known(vhost: dict[str, Any]) -> dict[str, Any]:
    """What has to be said again of a virtual host, else it would be forgotten."""
    kept = {name: vhost[name] for name in ("description", "default_queue_type", "tracing") if vhost.get(name) not in {None, ""}}
    if isinstance(vhost.get("tags"), list):
        kept["tags"] = ",".join(vhost["tags"])
    if kept.get("default_queue_type") == "undefined":
        del kept["default_queue_type"]
    return kept


def add_vhost(invocation: Invocation) -> None:
    """A new virtual host; one that exists stays as it is."""
    name = invocation["vhost-name"]
    invocation.output.remark(f'Adding vhost "{name}" ...')
    if not invocation.api.exists("vhosts", name):
        invocation.api.put("vhosts", name, body=_metadata(invocation))


def update_vhost_metadata(invocation: Invocation) -> None:
    """Other words about a virtual host."""
    name = invocation["vhost-name"]
    known = _known(invocation.api.get("vhosts", name))
    invocation.output.remark(f'Updating metadata of vhost "{name}" ...')
    invocation.api.put("vhosts", name, body={**known, **_metadata(invocation)})


def set_vhost_tags(invocation: Invocation) -> None:
    """Other tags of a virtual host."""
    name = invocation["vhost-name"]
    known = _known(invocation.api.get("vhosts", name))
    invocation.api.put("vhosts", name, body={**known, "tags": ",".join(invocation["tag"])})


def delete_vhost(invocation: Invocation) -> None:
    """The virtual host is gone with all queues and messages."""
    name = invocation["vhost-name"]
    try:
        found = invocation.api.get("vhosts", name)
    except Missing:
        raise Failure(DATA, f"Virtual host '{name}' does not exist") from None
    invocation.confirm(f"Delete virtual host {name} with {found.get('messages', 0)} messages")
    invocation.output.remark(f'Deleting vhost "{name}" ...')
    with invocation.output.waiting("Deleting"):
        invocation.api.delete("vhosts", name)


def protect(invocation: Invocation) -> None:
    """It cannot be deleted until the protection is lifted."""
    invocation.api.post("vhosts", invocation["vhost-name"], "deletion", "protection")


def unprotect(invocation: Invocation) -> None:
    """It can be deleted again."""
    invocation.api.delete("vhosts", invocation["vhost-name"], "deletion", "protection")


def restart_vhost(invocation: Invocation) -> None:
    """Start it again on its node."""
    invocation.api.post("vhosts", invocation.vhost, "start", invocation.node)


def _trace(is_on: bool) -> Run:
    def run(invocation: Invocation) -> None:
        invocation.output.remark(f"{'Starting' if is_on else 'Stopping'} tracing for vhost {invocation.vhost} ...")
        known = _known(invocation.api.get("vhosts", invocation.vhost))
        invocation.api.put("vhosts", invocation.vhost, body={**known, "tracing": is_on})

    return run


def set_vhost_limits(invocation: Invocation) -> None:
    """Limits such as {"max-queues": 100}."""
    for name, value in definition(invocation["definition"]).items():
        invocation.api.put("vhost-limits", invocation.vhost, name, body={"value": value})


def clear_vhost_limits(invocation: Invocation) -> None:
    """No limits any more."""
    for name in LIMITS:
        invocation.api.delete("vhost-limits", invocation.vhost, name)


# --- policies ----------------------------------------------------------------------------------------------------------


def _set_policy(path: str) -> Run:
    def run(invocation: Invocation) -> None:
        priority = invocation["priority"] or "0"
        if not priority.lstrip("-").isdecimal():
            raise Failure(DATA, "priority must be a whole number")
        body = {
            "pattern": invocation["pattern"],
            "definition": definition(invocation["definition"]),
            "priority": int(priority),
            "apply-to": invocation["apply-to"] or ("queues" if path == "operator-policies" else "all"),
        }
        invocation.output.remark(f'Setting policy "{invocation["name"]}" for vhost "{invocation.vhost}" ...')
        invocation.api.put(path, invocation.vhost, invocation["name"], body=body)

    return run


def _clear_policy(path: str) -> Run:
    def run(invocation: Invocation) -> None:
        invocation.output.remark(f'Clearing policy "{invocation["name"]}" on vhost "{invocation.vhost}" ...')
        invocation.api.delete(path, invocation.vhost, invocation["name"])

    return run


# --- parameters --------------------------------------------------------------------------------------------------------


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(DATA, f"not JSON: {error}") from None


def set_parameter(invocation: Invocation) -> None:
    """A value of a component."""
    path = ("parameters", invocation["component"], invocation.vhost, invocation["name"])
    body = {
        "value": _value(invocation["value"]), "component": path[1], "vhost": invocation.vhost, "name": invocation["name"],
    }  # fmt: skip
    invocation.api.put(*path, body=body)


def clear_parameter(invocation: Invocation) -> None:
    """The value is gone."""
    invocation.api.delete("parameters", invocation["component"], invocation.vhost, invocation["name"])


def set_global_parameter(invocation: Invocation) -> None:
    """A value for all virtual hosts."""
    body = {"name": invocation["name"], "value": _value(invocation["value"])}
    invocation.api.put("global-parameters", invocation["name"], body=body)


def clear_global_parameter(invocation: Invocation) -> None:
    """The value is gone."""
    invocation.api.delete("global-parameters", invocation["name"])


_POLICY_NAME: Final = Argument("name", "name of the policy")
_POLICY: Final = (
    _POLICY_NAME,
    Argument("pattern", "regular expression of the names that it applies to"),
    Argument("definition", "what it says, as JSON"),
    Argument("--priority", "that with the highest number wins"),
    Argument("--apply-to", "what it applies to", choices=("all", "queues", "exchanges", "classic_queues", "quorum_queues")),
)
_COMPONENT: Final = Argument("component", "name of the component")
_NAME: Final = Argument("name", "name of the parameter")
_VALUE: Final = Argument("value", "its value, as JSON")

COMMANDS: Final = (
    Command("add_vhost", "create a virtual host", add_vhost, (NAME, DESCRIPTION, TAGS, QUEUE_TYPE)),
    Command("update_vhost_metadata", "describe it anew", update_vhost_metadata, (NAME, DESCRIPTION, TAGS, QUEUE_TYPE)),
    Command("set_vhost_tags", "set its tags", set_vhost_tags, (NAME, Argument("tag", "a tag", "*"))),
    Command("delete_vhost", "delete a virtual host and all in it", delete_vhost, (NAME,)),
    Command("enable_vhost_deletion_protection", "let nobody delete it", protect, (NAME,)),
    Command("disable_vhost_deletion_protection", "let it be deleted again", unprotect, (NAME,)),
    Command("restart_vhost", "start a virtual host again", restart_vhost),
    Command("trace_on", "copy all its messages to the firehose", _trace(is_on=True)),
    Command("trace_off", "stop that", _trace(is_on=False)),
    Command("set_vhost_limits", "limit a virtual host", set_vhost_limits, (Argument("definition", "limits as JSON"),)),
    Command("clear_vhost_limits", "lift its limits", clear_vhost_limits),
    Command("set_policy", "set a policy", _set_policy("policies"), _POLICY),
    Command("clear_policy", "delete a policy", _clear_policy("policies"), (_POLICY_NAME,)),
    Command("set_operator_policy", "set an operator policy", _set_policy("operator-policies"), _POLICY),
    Command("clear_operator_policy", "delete an operator policy", _clear_policy("operator-policies"), (_POLICY_NAME,)),
    Command("set_parameter", "set a runtime parameter", set_parameter, (_COMPONENT, _NAME, _VALUE)),
    Command("clear_parameter", "delete a runtime parameter", clear_parameter, (_COMPONENT, _NAME)),
    Command("set_global_parameter", "set a global runtime parameter", set_global_parameter, (_NAME, _VALUE)),
    Command("clear_global_parameter", "delete a global runtime parameter", clear_global_parameter, (_NAME,)),
)

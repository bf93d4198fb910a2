"""The broker itself: whether it is well, what it is, and its definitions."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from amqpd.ctl.api import Missing
from amqpd.ctl.command import Argument, Command, Invocation, Run
from amqpd.ctl.commands.lists import member
from amqpd.ctl.failure import DATA, FAILED, UNAVAILABLE, Failure
from amqpd.ctl.output import harmless_json

POLL_SECONDS: Final = 0.2


# --- what it is --------------------------------------------------------------------------------------------------------


def ping(invocation: Invocation) -> None:
    """Whether it answers."""
    invocation.api.get("overview")
    invocation.output.remark("Ping succeeded")


def await_startup(invocation: Invocation) -> None:
    """Return once it answers. Raises Failure when the time is up."""
    deadline = time.monotonic() + invocation.api.timeout
    with invocation.output.waiting("Waiting for the broker"):
        while True:
            try:
                invocation.api.get("overview")
            except Failure as failure:
                if failure.exit_code != UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return


def status(invocation: Invocation) -> None:
    """What it is and how much it has to do."""
    overview = invocation.api.get("overview")
    node = _node(invocation, overview)
    facts = {
        "node": overview["node"],
        "product": f"{overview.get('product_name', 'RabbitMQ')} {overview.get('product_version', '')}".strip(),
        "amqpd_version": overview.get("amqpd_version"),
        "erlang_version": overview.get("erlang_version"),
        "os_pid": node.get("os_pid"),
        "uptime_seconds": node.get("uptime", 0) // 1000,
        "data_directory": node.get("db_dir"),
        "config_files": node.get("config_files"),
        "memory_used": node.get("mem_used"),
        "memory_limit": node.get("mem_limit"),
        "memory_alarm": node.get("mem_alarm"),
        "disk_free": node.get("disk_free"),
        "disk_free_limit": node.get("disk_free_limit"),
        "disk_free_alarm": node.get("disk_free_alarm"),
        "store_bytes_in_use": node.get("store_bytes_in_use"),
        "store_file_bytes": node.get("store_file_bytes"),
        "file_descriptors": f"{node.get('fd_used')} of {node.get('fd_total')}",
        **overview.get("object_totals", {}),
        "messages": member(overview, "queue_totals.messages") or 0,
        "listeners": [f"{door['protocol']} {door['ip_address']}:{door['port']}" for door in overview.get("listeners", [])],
    }
    invocation.output.facts({name: value for name, value in facts.items() if value is not None})


def _node(invocation: Invocation, overview: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = invocation.api.get("nodes", overview["node"])
    return found


def cluster_status(invocation: Invocation) -> None:
    """Its name, its nodes and what is wrong with them."""
    nodes = invocation.api.get("nodes")
    invocation.output.facts(
        {
            "cluster_name": invocation.api.get("cluster-name")["name"],
            "running_nodes": [node["name"] for node in nodes if node["running"]],
            "disk_nodes": [node["name"] for node in nodes if node.get("type") == "disc"],
            "alarms": _alarms(nodes),
            "partitions": [partition for node in nodes for partition in node.get("partitions", [])],
        }
    )


def set_cluster_name(invocation: Invocation) -> None:
    """Call it something else."""
    invocation.api.put("cluster-name", body={"name": invocation["name"]})


def listeners(invocation: Invocation) -> None:
    """The sockets that it listens on."""
    columns = ("protocol", "ip_address", "port", "node")
    found = invocation.api.get("overview").get("listeners", [])
    invocation.output.rows(columns, [{column: door.get(column) for column in columns} for door in found])


def memory_breakdown(invocation: Invocation) -> None:
    """What its memory is used for, in bytes."""
    memory = invocation.api.get("nodes", invocation.node, "memory")["memory"]
    invocation.output.facts({name: value for name, value in memory.items() if isinstance(value, int)})


def show_version(invocation: Invocation) -> None:  # noqa: ARG001 - every command takes one
    """The version of this program."""
    sys.stdout.write(version("amqpd") + "\n")


# --- whether it is well ------------------------------------------------------------------------------------------------


def _alarms(nodes: list[dict[str, Any]]) -> list[str]:
    return [
        f"{resource} on {node['name']}"
        for node in nodes
        for resource, member in (("memory", "mem_alarm"), ("disk", "disk_free_alarm"))
        if node.get(member)
    ]


def alarms(invocation: Invocation) -> None:
    """What is low, on which node."""
    invocation.output.rows(("alarm",), [{"alarm": alarm} for alarm in _alarms(invocation.api.get("nodes"))])


def _check(*segments: str, argument: str = "") -> Run:
    """A command that asks a health check. Raises Failure with exit code 1 if it fails."""

    def run(invocation: Invocation) -> None:
        last = [invocation[argument]] if argument else []
        try:
            invocation.api.get("health", "checks", *segments, *last)
        except Missing:
            raise
        except Failure as failure:
            if failure.exit_code != UNAVAILABLE or "answers 503" not in failure.text:
                raise
            raise Failure(FAILED, failure.text) from None
        invocation.output.remark("ok")

    return run


def check_certificate_expiration(invocation: Invocation) -> None:
    """Whether a certificate expires soon. Raises Failure with exit code 1 if one does."""
    _check("certificate-expiration", invocation["within"], invocation["unit"] or "days")(invocation)


# --- definitions -------------------------------------------------------------------------------------------------------


def export_definitions(invocation: Invocation) -> None:
    """All definitions as a JSON file; `-` is standard output."""
    with invocation.output.waiting("Exporting definitions"):
        document = invocation.api.get("definitions", *_only(invocation))
    text = harmless_json(document, 2) + "\n"
    if invocation["file"] == "-":
        sys.stdout.write(text)
        return
    try:
        Path(invocation["file"]).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(DATA, f"cannot write {invocation['file']}: {error.strerror}") from None
    invocation.output.remark(f"Exported definitions to {invocation['file']}")


def import_definitions(invocation: Invocation) -> None:
    """Definitions of a JSON file, all or none of them; `-` is standard input."""
    try:
        text = sys.stdin.buffer.read() if invocation["file"] == "-" else Path(invocation["file"]).read_bytes()
        document = json.loads(text)
    except OSError as error:
        raise Failure(DATA, f"cannot read {invocation['file']}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(DATA, f"{invocation['file']} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Failure(DATA, f"{invocation['file']} is no JSON object")
    counts = {name: len(section) for name, section in document.items() if isinstance(section, list) and section}
    what = ", ".join([f"{count} {name}" for name, count in counts.items()]) or "nothing"
    with invocation.output.waiting(f"Importing {what}"):
        invocation.api.post("definitions", *_only(invocation), body=document)
    invocation.output.remark(f"Imported {what}")


def _only(invocation: Invocation) -> list[str]:
    return [invocation["only"]] if invocation["only"] else []


_FILE: Final = Argument("file", "path of a JSON file, or -")
_ONLY: Final = Argument("--only", "of this virtual host alone")

COMMANDS: Final = (
    Command("status", "tell what the broker is and does", status),
    Command("cluster_status", "tell which nodes there are", cluster_status),
    Command("set_cluster_name", "name the cluster", set_cluster_name, (Argument("name", "the new name"),)),
    Command("listeners", "list sockets that it listens on", listeners),
    Command("memory_breakdown", "tell what its memory is used for", memory_breakdown),
    Command("version", "tell the version of amqpctl", show_version),
    Command("ping", "see whether the broker answers", ping),
    Command("await_startup", "wait until it answers, for --timeout seconds", await_startup),
    Command("wait", "the same", await_startup),
    Command("alarms", "list what is low", alarms),
    Command("check_alarms", "fail if anything is low", _check("alarms")),
    Command("check_local_alarms", "fail if anything is low on the node", _check("local-alarms")),
    Command("check_running", "fail if the broker does not run", ping),
    Command("check_virtual_hosts", "fail if a virtual host does not run", _check("virtual-hosts")),
    Command(
        "check_port_listener", "fail if nothing listens on a port", _check("port-listener", argument="port"),
        (Argument("port", "number of the port"),),
    ),
    Command(
        "check_protocol_listener", "fail if nothing speaks a protocol", _check("protocol-listener", argument="protocol"),
        (Argument("protocol", "such as amqp091"),),
    ),
    Command(
        "check_certificate_expiration", "fail if a certificate expires soon", check_certificate_expiration,
        (
            Argument("within", "a number"),
            Argument("--unit", "days unless told", choices=("days", "weeks", "months", "years")),
        ),
    ),
    Command("export_definitions", "save definitions to a file", export_definitions, (_FILE, _ONLY)),
    Command("import_definitions", "load definitions from a file", import_definitions, (_FILE, _ONLY)),
)  # fmt: skip

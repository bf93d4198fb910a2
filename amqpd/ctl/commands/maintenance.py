"""Maintenance: a broker that serves no clients, but its operators."""

from typing import Final

from amqpd.ctl.command import Command, Invocation


def drain(invocation: Invocation) -> None:
    """Close every connection and accept no other."""
    told = f"Will put node {invocation.node} into maintenance mode. The node will no longer serve any client traffic!"
    invocation.output.remark(told)
    invocation.api.put("nodes", invocation.node, "maintenance")


def revive(invocation: Invocation) -> None:
    """Accept connections again."""
    invocation.output.remark(f"Will undo maintenance mode of node {invocation.node}")
    invocation.api.delete("nodes", invocation.node, "maintenance")


COMMANDS: Final = (
    Command("drain", "close all connections and accept no other, until revive or a restart", drain, ()),
    Command("revive", "accept connections again after drain", revive, ()),
)

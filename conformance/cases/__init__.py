"""The cases, one area a module; reports show the areas in this order."""

from typing import Final

MODULES: Final = (
    "framing",
    "handshake",
    "negotiation",
    "heartbeats",
    "authentication",
    "channels",
    "exchanges",
    "exchange_equivalence",
    "direct_and_fanout",
    "topic",
    "headers",
    "alternate",
    "exchange_bindings",
    "plugin_exchanges",
    "queues",
    "queue_arguments",
    "queue_equivalence",
    "exclusive_queues",
    "bindings",
)

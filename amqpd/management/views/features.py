"""What installations without certain plugins and features answer, and the description of the API itself."""

from __future__ import annotations

from amqpd.management.call import Call
from amqpd.management.refusal import not_found

FLAGS: tuple[tuple[str, str], ...] = (
    ("classic_mirrored_queue_version", "Support setting version for classic mirrored queues"),
    ("classic_queue_type_delivery_support", "Bug fix for classic queue deliveries using mixed versions"),
    ("direct_exchange_routing_v2", "v2 direct exchange routing implementation"),
    ("drop_unroutable_metric", "Count unroutable publishes to be dropped in stats"),
    ("empty_basic_get_metric", "Count AMQP `basic.get` on empty queues in stats"),
    ("feature_flags_v2", "Feature flags subsystem V2"),
    ("implicit_default_bindings", "Default bindings are implicit, instead of being stored in the database"),
    ("listener_records_in_ets", "Store listener records in memory"),
    ("maintenance_mode_status", "Maintenance mode status"),
    ("quorum_queue", "Support queues of type `quorum`"),
    ("restart_streams", "Support for restarting streams with optional preferred next leader"),
    ("stream_queue", "Support queues of type `stream`"),
    ("tracking_records_in_ets", "Store tracking records in memory"),
    ("user_limits", "Configure connection and channel limits for a user"),
    ("virtual_host_metadata", "Virtual host metadata (description, tags, etc)"),
)
"""RabbitMQ's feature flags that tools ask for: all of them enabled."""


async def list_flags(call: Call) -> object:
    """RabbitMQ's feature flags."""
    found = [
        {
            "name": name,
            "desc": description,
            "doc_url": "",
            "state": "enabled",
            "stability": "stable",
            "provided_by": "rabbit",
        }
        for name, description in FLAGS
    ]
    return call.wish().cut([dict(flag) for flag in found])


async def enable_flag(call: Call) -> object:
    """Nothing to do: every flag is enabled."""
    if call["flag"] != "all" and call["flag"] not in dict(FLAGS):
        raise not_found()
    return await call.done()


async def list_nothing(call: Call) -> object:
    """An empty list: there is none of these, and there never will be."""
    return call.wish().cut([])


async def show_openapi(call: Call) -> object:
    """The API in OpenAPI's words, with the tag that each route requires."""
    return call.site.document

"""The broker as a whole, and who is asking."""

from __future__ import annotations

import platform
import sys
from typing import Final

from amqpd.broker import governance
from amqpd.broker.queue import Queue
from amqpd.broker.remote import RemoteUser
from amqpd.broker.users import User
from amqpd.management import counters
from amqpd.management.call import Answer, Call, string
from amqpd.management.counters import Names
from amqpd.management.history import JointPast
from amqpd.management.page import Shape
from amqpd.management.rates import Sums
from amqpd.management.site import Door, Site
from amqpd.management.slices import mapped
from amqpd.management.stats import Measured
from amqpd.management.tables import text
from amqpd.version import VERSION
from exchanges import registry

CLUSTER_NAME: Final = "cluster_name"
"""The global parameter that holds it."""
DESCRIPTIONS: Final = {
    "direct": "AMQP direct exchange, as per the AMQP specification",
    "fanout": "AMQP fanout exchange, as per the AMQP specification",
    "headers": "AMQP headers exchange, as per the AMQP specification",
    "topic": "AMQP topic exchange, as per the AMQP specification",
    "x-consistent-hash": "Consistent hashing exchange",
    "x-modulus-hash": "Modulus hashing exchange",
    "x-random": "Routes each message to one binding, picked at random",
    "x-delayed-message": "Routes each message after the delay in its x-delay header",
    "x-recent-history": "Gives a new binding the most recent messages",
}


def exchange_types() -> list[Shape]:
    """The types that an exchange can be declared with."""
    return [{"name": name, "description": DESCRIPTIONS.get(name, ""), "enabled": True} for name in registry.known_types()]


def cluster_name(site: Site) -> str:
    """What the operator called the broker."""
    name = site.broker.global_parameters.get(CLUSTER_NAME)
    return name if isinstance(name, str) and name else site.node


async def show_overview(call: Call) -> object:
    """What the broker is, and all numbers together."""
    site = call.site
    config = site.config
    shape: Shape = {
        "management_version": config.product_version,
        "rates_mode": "basic",
        "sample_retention_policies": {"global": [600, 3600, 28800], "basic": [600], "detailed": [600]},
        "exchange_types": exchange_types(),
        "product_version": config.product_version,
        "product_name": config.product,
        "rabbitmq_version": config.product_version,
        "cluster_name": cluster_name(site),
        "cluster_tags": {},
        "node_tags": {},
        "erlang_version": platform.python_version(),
        "erlang_full_version": f"Python {sys.version}",
        "amqpd_version": VERSION,
        "release_series_support_status": "supported",
        "disable_stats": False,
        "enable_queue_totals": False,
        "default_queue_type": "classic",
        "is_op_policy_updating_enabled": True,
    }
    shape.update(await _numbers(call))
    shape["node"] = site.node
    shape["statistics_db_event_queue"] = 0
    if call.monitors:
        shape["listeners"] = [listener(site, door) for door in site.doors]
        shape["contexts"] = contexts(site)
    return call.wish().cut_one(shape)


async def _numbers(call: Call) -> Shape:
    names, measured = _measured(call)
    shape: Shape = {"message_stats": measured.message_stats(tuple(name for name in names if name in counters.COUNTED))}
    if call.monitors:
        shape["churn_rates"] = measured.churn()
    queues = [queue for vhost in call.visible_vhosts() for queue in vhost.queues.values()]
    numbers = await mapped(queues, _lengths_and_consumers)
    ready, unacked, consumers = map(sum, zip((0, 0, 0), *numbers, strict=True))
    now = {"messages": ready + unacked, "messages_ready": ready, "messages_unacknowledged": unacked}
    shape["queue_totals"] = {**measured.lengths(), **now}
    shape["object_totals"] = {**_objects(call), "consumers": consumers, "queues": len(queues)}
    return shape


def _measured(call: Call) -> tuple[Names, Measured]:
    """Everything for those who monitor, else what the user's virtual hosts make up; and the names of what was measured."""
    rates, ranges = call.site.rates, call.ranges()
    if call.monitors and "X-Vhost" not in call.request.headers:
        sums = rates.overview
        return sums.names, Measured(rates, sums.names, sums.row(), sums.history, ranges)
    seen = [rates.vhosts[vhost.name] for vhost in call.visible_vhosts() if vhost.name in rates.vhosts]
    joint = Sums(counters.VHOST)
    for vhost_sums in seen:
        joint.add(counters.VHOST, vhost_sums.row())
    past = JointPast([vhost_sums.history for vhost_sums in seen])
    return joint.names, Measured(rates, joint.names, joint.row(), past, ranges)


def _lengths_and_consumers(queue: Queue) -> tuple[int, int, int]:
    return queue.ready.count, queue.unacked, queue.consumer_count


def _objects(call: Call) -> Shape:
    vhosts = call.visible_vhosts()
    names = {vhost.name for vhost in vhosts}
    seen = [connection for connection in call.broker.connections.open if connection.vhost in names]
    return {
        "channels": sum(len(connection.sessions()) for connection in seen),
        "connections": len(seen),
        "exchanges": sum(len(vhost.exchanges) for vhost in vhosts),
    }


def listener(site: Site, door: Door) -> Shape:
    """A socket that the broker listens on."""
    return {
        "node": site.node,
        "protocol": door.protocol,
        "ip_address": door.host,
        "port": door.port,
        "socket_opts": {"backlog": 1024, "nodelay": True},
        "tls": door.tls,
    }


def contexts(site: Site) -> list[Shape]:
    """What is served over HTTP."""
    return [
        {
            "ssl_opts": [],
            "node": site.node,
            "description": "RabbitMQ Management" if door.protocol.startswith("http") else door.protocol,
            "path": site.config.http_path_prefix or "/",
            "cowboy_opts": "[]",
            "ip": door.host,
            "port": str(door.port),
            "protocol": door.protocol,
        }
        for door in site.doors
        if door.protocol in ("http", "https")
    ]


async def show_user(call: Call) -> object:
    """Who is asking."""
    return user_words(call.user)


def user_words(user: User) -> Shape:
    """A user in a word."""
    return {"name": text(user.name), "tags": list(user.tags), "is_internal_user": not isinstance(user, RemoteUser)}


async def show_cluster_name(call: Call) -> object:
    """What the operator called the broker."""
    return {"name": cluster_name(call.site)}


async def rename_cluster(call: Call) -> object:
    """Call the broker something else."""
    body = await call.body("name")
    governance.set_global_parameter(call.broker, CLUSTER_NAME, string(body["name"], "name must be a string"))
    return await call.done()


async def show_version(call: Call) -> object:
    """The version of RabbitMQ that clients are told."""
    return call.site.config.product_version


async def list_extensions(call: Call) -> object:
    """None: the web page is complete."""
    return []


async def rebalance(call: Call) -> object:
    """Nothing to do on one node."""
    return Answer(204)

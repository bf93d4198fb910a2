"""Virtual hosts."""

from __future__ import annotations

from typing import Any

from amqpd.broker import administration
from amqpd.broker.profile import Profile
from amqpd.broker.vhost import VHost
from amqpd.errors import PreconditionFailed
from amqpd.management import counters
from amqpd.management.call import NO_CONTENT, Call, boolean, saved, string
from amqpd.management.page import Shape
from amqpd.management.rates import Sums
from amqpd.management.refusal import Refusal, bad_request, not_found
from amqpd.management.stats import Measured, Ranges
from amqpd.management.tables import text

QUEUE_TYPES: tuple[str, ...] = ("classic", "quorum")
UNDEFINED: str = "undefined"
"""What RabbitMQ shows of a default queue type that was never set."""


def vhost_shape(call: Call, vhost: VHost, ranges: Ranges) -> Shape:
    """A virtual host."""
    site = call.site
    profile = call.broker.profiles[vhost.name]
    sums = site.rates.vhosts.get(vhost.name) or Sums(counters.VHOST)
    measured = Measured(site.rates, sums.names, sums.row(), sums.history, ranges)
    ready = sum(queue.ready.count for queue in vhost.queues.values())
    unacked = sum(queue.unacked for queue in vhost.queues.values())
    tags = [text(tag) for tag in profile.tags]
    metadata: Shape = {"description": text(profile.description), "tags": tags}
    if profile.default_queue_type:
        metadata["default_queue_type"] = profile.default_queue_type
    return {
        "name": text(vhost.name),
        "description": text(profile.description),
        "tags": tags,
        "default_queue_type": profile.default_queue_type or UNDEFINED,
        "metadata": metadata,
        "tracing": profile.tracing,
        "protected_from_deletion": profile.is_protected,
        "cluster_state": {site.node: "running"},
        **measured.octets(),
        **measured.lengths(),
        "messages": ready + unacked,
        "messages_ready": ready,
        "messages_unacknowledged": unacked,
        "message_stats": measured.message_stats((*counters.PUBLISHES, *counters.DELIVERIES)),
    }


async def list_vhosts(call: Call) -> object:
    """The virtual hosts that the user may see."""
    ranges = call.ranges()
    return await call.wish().answer(
        call.visible_vhosts(), lambda vhost: text(vhost.name), lambda vhost: vhost_shape(call, vhost, ranges)
    )


async def show_vhost(call: Call) -> object:
    """One virtual host."""
    return call.wish().cut_one(vhost_shape(call, _named(call), call.ranges()))


def _named(call: Call) -> VHost:
    vhost = call.broker.vhosts.get(call["vhost"])
    if vhost is None:
        raise not_found()
    return vhost


async def save_vhost(call: Call) -> object:
    """Create a virtual host, or change what it says of itself."""
    body = await call.body()
    name = call["vhost"]
    if not name:
        raise bad_request("the name of a virtual host must not be empty")
    known = call.broker.vhosts.get(name)
    profile = changed_profile(call.broker.profiles[name] if known is not None else Profile(), body)
    vhost = known or administration.add_vhost(call.broker, name, call.user.name)
    administration.save_profile(call.broker, vhost, profile)
    return await call.done(saved(known is None))


def changed_profile(old: Profile, body: dict[str, Any]) -> Profile:
    """The profile with the members that a request names. Raises Refusal."""
    profile = Profile()
    metadata = body.get("metadata")
    given = {**(metadata if isinstance(metadata, dict) else {}), **body}
    profile.description = string(given.get("description", old.description), "description must be a string")
    profile.tags = words(given["tags"]) if "tags" in given else old.tags
    profile.default_queue_type = _queue_type(given.get("default_queue_type", old.default_queue_type))
    profile.tracing = boolean(given, "tracing", old.tracing)
    profile.is_protected = boolean(given, "protected_from_deletion", old.is_protected)
    return profile


def words(value: object) -> list[str]:
    """Tags: a list, or a text with commas. Raises Refusal."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or any(isinstance(word, dict | list) or word is None for word in value):
        raise bad_request("tags must be a list of strings, or a string with commas")
    if any("," in str(word) for word in value):
        raise bad_request("a tag must not have a comma in it")
    return [stripped for word in value if (stripped := str(word).strip())]


def _queue_type(value: object) -> str:
    if value in ("", None, UNDEFINED):
        return ""
    if value in QUEUE_TYPES:
        return str(value)
    raise bad_request(f"invalid default queue type: {value}")


async def delete_vhost(call: Call) -> object:
    """Delete a virtual host with all that is in it."""
    try:
        administration.delete_vhost(call.broker, _named(call))
    except PreconditionFailed as error:
        raise Refusal(412, "precondition_failed", error.explanation) from None
    return await call.done()


async def protect_vhost(call: Call) -> object:
    """Forbid to delete a virtual host."""
    return await _protect(call, is_protected=True)


async def unprotect_vhost(call: Call) -> object:
    """Allow to delete a virtual host again."""
    return await _protect(call, is_protected=False)


async def _protect(call: Call, is_protected: bool) -> object:
    vhost = _named(call)
    profile = call.broker.profiles[vhost.name]
    profile.is_protected = is_protected
    administration.save_profile(call.broker, vhost, profile)
    return await call.done()


async def start_vhost(call: Call) -> object:
    """Nothing to do: a virtual host always runs."""
    _named(call)
    return NO_CONTENT

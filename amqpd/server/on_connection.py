"""Handlers of the class connection (specification 1.4)."""

from __future__ import annotations

import logging
import platform
from typing import Final

from amqpd.errors import AccessRefused
from amqpd.logs import INFO, WARNING, log
from amqpd.protocol import handshake
from amqpd.protocol.handshake import CAPABILITIES, Limits
from amqpd.server.peer import LOGIN_FAILED, LOGIN_SUCCEEDED, Peer
from amqpd.version import VERSION
from amqpd.wire import tables

logger = logging.getLogger(__name__)

LAST_SECONDS: Final = 10.0
"""How long a client may keep its socket after close-ok: closing it is its own business, as with RabbitMQ."""


def connection_start(peer: Peer) -> None:
    """The protocol header was right: introduce the broker."""
    properties: dict[str, object] = {
        "capabilities": dict.fromkeys(CAPABILITIES, True),
        "cluster_name": f"amqpd@{platform.node()}",
        "copyright": "The amqpd authors",
        "information": "Licensed under the Apache License 2.0",
        "platform": f"Python {platform.python_version()}",
        "product": peer.config.product,
        "version": peer.config.product_version,
        "broker": f"amqpd {VERSION}",
    }
    mechanisms = " ".join(peer.admission.mechanisms(peer.origin)).encode()
    peer.send("connection.start", 0, 9, tables.encode(properties), mechanisms, handshake.LOCALES)


def connection_start_ok(peer: Peer, client_properties: bytes, mechanism: str, response: bytes, locale: str) -> None:
    """Log the peer in and offer limits."""
    peer.client_properties = tables.decode(client_properties)
    peer.block.is_told = peer.capable("connection.blocked")
    peer.connection.closes_on_refusal = peer.capable("authentication_failure_close")
    try:
        peer.user = peer.admission.login(mechanism, response, peer.origin, peer.answers)
    except AccessRefused as refusal:
        reason = refusal.explanation
        log(logger, WARNING, "login refused", peer=peer.transport.peer_address, mechanism=mechanism, reason=reason)
        peer.tell_of_login(LOGIN_FAILED, _claimed(mechanism, response), mechanism, {"error": reason})
        raise AccessRefused(
            f"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile."
        ) from None
    peer.mechanism = mechanism
    peer.tell_of_login(LOGIN_SUCCEEDED, peer.user.name, mechanism, {})
    config = peer.config
    peer.send("connection.tune", config.channel_max, config.frame_max, config.heartbeat)


def _claimed(mechanism: str, response: bytes) -> str:
    """Who a peer says to be; empty if the mechanism does not tell."""
    return handshake.credentials(mechanism, response)[0] if mechanism in ("PLAIN", "AMQPLAIN") else ""


def connection_tune_ok(peer: Peer, channel_max: int, frame_max: int, heartbeat: int) -> None:
    """Agree on limits."""
    config = peer.config
    offered = Limits(config.channel_max, config.frame_max, config.heartbeat)
    peer.connection.limits = handshake.agree(offered, channel_max, frame_max, heartbeat)


def connection_open(peer: Peer, virtual_host: str, reserved_1: str, reserved_2: bool) -> None:
    """Enter a virtual host."""
    peer.enter(virtual_host)
    assert peer.user is not None, "nobody enters without a user"
    peer.transport.handshake_done(peer.connection.limits.heartbeat)
    log(logger, INFO, "connection opened", peer=peer.transport.peer_address, user=peer.user.name, vhost=virtual_host)
    peer.send("connection.open-ok", "")


def connection_close(peer: Peer, reply_code: int, reply_text: str, class_id: int, method_id: int) -> None:
    """The peer leaves; the protocol answers it."""
    peer.leave()
    peer.transport.hold()
    peer.transport.linger(LAST_SECONDS)


def connection_close_ok(peer: Peer) -> None:
    """The peer took note that it was closed."""
    peer.leave()


def connection_update_secret(peer: Peer, new_secret: bytes, reason: str) -> None:
    """Passwords do not expire: any new secret is as good as the old one, as with RabbitMQ's internal users."""
    peer.send("connection.update-secret-ok")

"""What events say of connections, channels and logins, in RabbitMQ's order of headers; see `facts`."""

from __future__ import annotations

from typing import Final

from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.events import Facts
from amqpd.broker.session import Session

PROTOCOL: Final = "{0,9,1}"
"""As RabbitMQ prints it."""


def created(connection: ConnectionInfo, node: str) -> Facts:
    """connection.created."""
    return {
        "user_who_performed_action": connection.user,
        "node": node,
        "connected_at": connection.connected_at,
        "client_properties": connection.client_properties,
        "channel_max": connection.channel_max,
        "frame_max": connection.frame_max,
        "timeout": connection.heartbeat,
        "vhost": connection.vhost,
        "user": connection.user,
        "protocol": PROTOCOL,
        "ssl_cipher": connection.tls_cipher,
        "ssl_protocol": connection.tls_version,
        "auth_mechanism": connection.auth_mechanism,
        "ssl": bool(connection.tls_version),
        "peer_host": connection.peer_host,
        "host": connection.host,
        "peer_port": connection.peer_port,
        "port": connection.port,
        "name": connection.name,
        "type": "network",
    }


def closed(connection: ConnectionInfo, node: str) -> Facts:
    """connection.closed."""
    return {"client_properties": connection.client_properties, "node": node, "name": connection.name}


def channel_created(session: Session) -> Facts:
    """channel.created."""
    client = session.client
    return {
        "user_who_performed_action": client.user,
        "vhost": client.vhost,
        "user": client.user,
        "number": session.outbox.number,
        "connection": client.connection_name,
        "name": session.name,
    }


def channel_closed(session: Session) -> Facts:
    """channel.closed."""
    return {"user_who_performed_action": session.client.user, "name": session.name}


def login(name: str, mechanism: str, is_secure: bool, peer: tuple[str, int], host: tuple[str, int]) -> Facts:
    """user.authentication.success and, with the reason as `error` before it, user.authentication.failure."""
    return {
        "ssl": is_secure,
        "auth_mechanism": mechanism,
        "protocol": PROTOCOL,
        "peer_port": peer[1],
        "peer_host": peer[0],
        "connection_name": f"{peer[0]}:{peer[1]} -> {host[0]}:{host[1]}",
        "host": host[0],
        "name": name,
        "connection_type": "network",
    }

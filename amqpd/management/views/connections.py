"""Connections and channels: list, look at, close."""

from __future__ import annotations

from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.session import Session
from amqpd.management import shapes
from amqpd.management.call import Call
from amqpd.management.refusal import not_authorised, not_found

Channel = tuple[ConnectionInfo, int, Session]

CLOSED: str = "Closed via management plugin"


def _is_visible(call: Call, connection: ConnectionInfo) -> bool:
    return call.monitors or connection.user == call.user.name


def _visible(call: Call) -> list[ConnectionInfo]:
    """The connections that the user may see: all, or his own; in a virtual host, if the path or X-Vhost names one."""
    vhost = call.seen_vhost().name if "vhost" in call.parameters else call.request.headers.get("X-Vhost", "")
    return [
        connection
        for connection in call.broker.connections.open
        if _is_visible(call, connection) and vhost in ("", connection.vhost)
    ]


async def _listed(call: Call, connections: list[ConnectionInfo]) -> object:
    ranges = call.ranges()
    connections.sort(key=_name)
    return await call.wish().answer(
        connections, _name, lambda connection: shapes.connection_shape(call.site, connection, ranges)
    )


def _name(connection: ConnectionInfo) -> str:
    return connection.name


def named_connection(call: Call) -> ConnectionInfo:
    """The connection of the path. Raises Refusal."""
    connection = call.broker.connections.find(call["connection"])
    if connection is None:
        raise not_found()
    if not _is_visible(call, connection):
        raise not_authorised("User not authorised to access object")
    return connection


async def list_connections(call: Call) -> object:
    """The connections that the user may see."""
    return await _listed(call, _visible(call))


async def show_connection(call: Call) -> object:
    """One connection."""
    return call.wish().cut_one(shapes.connection_shape(call.site, named_connection(call), call.ranges()))


async def close_connection(call: Call) -> object:
    """Close a connection; the header X-Reason tells the client why."""
    named_connection(call).close(call.request.headers.get("X-Reason") or CLOSED)
    return await call.done()


async def list_connections_of_user(call: Call) -> object:
    """The connections that a user opened."""
    return await _listed(call, _of_user(call))


async def close_connections_of_user(call: Call) -> object:
    """Close all connections that a user opened."""
    for connection in _of_user(call):
        connection.close(call.request.headers.get("X-Reason") or CLOSED)
    return await call.done()


def _of_user(call: Call) -> list[ConnectionInfo]:
    if not call.monitors and call["user"] != call.user.name:
        raise not_authorised("User not authorised to access object")
    return call.broker.connections.of_user(call["user"])


# --- channels ----------------------------------------------------------------------------------------------------------


def _channels(connections: list[ConnectionInfo]) -> list[Channel]:
    return [
        (connection, number, session)
        for connection in sorted(connections, key=_name)
        for number, session in sorted(connection.sessions().items(), key=lambda item: item[0])
    ]


def _channel_name(channel: Channel) -> str:
    return shapes.channel_name(channel[0], channel[1])


async def _listed_channels(call: Call, channels: list[Channel]) -> object:
    ranges = call.ranges()
    return await call.wish().answer(channels, _channel_name, lambda channel: shapes.channel_shape(call.site, *channel, ranges))


async def list_channels(call: Call) -> object:
    """The channels that the user may see."""
    return await _listed_channels(call, _channels(_visible(call)))


async def list_channels_of_connection(call: Call) -> object:
    """The channels of a connection."""
    return await _listed_channels(call, _channels([named_connection(call)]))


async def show_channel(call: Call) -> object:
    """One channel with its consumers."""
    for connection, number, session in _channels(_visible(call)):
        if shapes.channel_name(connection, number) == call["channel"]:
            shape = shapes.channel_shape(call.site, connection, number, session, call.ranges())
            shape["consumer_details"] = [
                shapes.consumer_shape(call.site, connection, number, queue, consumer)
                for queue, consumer in session.consumers.values()
            ]
            shape["deliveries"] = []
            shape["publishes"] = []
            return call.wish().cut_one(shape)
    raise not_found()


async def list_sessions(call: Call) -> object:
    """None: AMQP 0-9-1 has channels, no sessions."""
    named_connection(call)
    return []

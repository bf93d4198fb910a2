"""Open connections as an operator sees them: the server registers each when it enters a virtual host."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.client import Client
from amqpd.broker.session import Session


@mypyc_attr(allow_interpreted_subclasses=True)
class ConnectionInfo:
    """One open connection: who it is, what was agreed on, and the way to close it."""

    def __init__(self, client_properties: dict[str, object]) -> None:
        self.peer_host: str = ""
        self.peer_port: int = 0
        self.host: str = ""
        self.port: int = 0
        self.user: str = ""
        self.vhost: str = ""
        self.client: Client | None = None
        """The peer as the core knows it."""
        self.auth_mechanism: str = ""
        self.client_properties: dict[str, object] = client_properties
        self.channel_max: int = 0
        self.frame_max: int = 0
        self.heartbeat: int = 0
        """Seconds; 0: none."""
        self.connected_at: int = 0
        """Milliseconds since the epoch."""
        self.tls_version: str = ""
        """Such as `TLSv1.3`; empty without TLS."""
        self.tls_cipher: str = ""

    @property
    def name(self) -> str:
        """What RabbitMQ calls it: `peer:port -> host:port`."""
        return f"{self.peer_host}:{self.peer_port} -> {self.host}:{self.port}"

    def sessions(self) -> dict[int, Session]:
        """Its open channels by number."""
        raise NotImplementedError

    def state(self) -> str:
        """`running`, `blocked`, `flow` or `closing`."""
        raise NotImplementedError

    def received(self) -> tuple[int, int]:
        """Octets that came in, and the reads that they took."""
        raise NotImplementedError

    def sent(self) -> tuple[int, int]:
        """Octets that went out, and the writes that they took."""
        raise NotImplementedError

    def pending(self) -> int:
        """Octets that wait for the peer to read."""
        raise NotImplementedError

    def close(self, reason: str) -> None:
        """Close it with 320 CONNECTION_FORCED for this reason."""
        raise NotImplementedError


class Connections:
    """All open connections, and how many connections and channels there ever were."""

    def __init__(self) -> None:
        self.opened: int = 0
        self.channels_opened: int = 0
        self.received_by_closed: tuple[int, int] = (0, 0)
        """Octets and reads of connections that are gone."""
        self.sent_by_closed: tuple[int, int] = (0, 0)
        """Octets and writes of connections that are gone."""
        self.open: Final[dict[ConnectionInfo, None]] = {}

    def add(self, connection: ConnectionInfo) -> None:
        """A client entered a virtual host."""
        self.opened += 1
        self.open[connection] = None

    def remove(self, connection: ConnectionInfo) -> None:
        """A client is gone."""
        if connection not in self.open:
            return
        del self.open[connection]
        octets, reads = connection.received()
        self.received_by_closed = (self.received_by_closed[0] + octets, self.received_by_closed[1] + reads)
        octets, writes = connection.sent()
        self.sent_by_closed = (self.sent_by_closed[0] + octets, self.sent_by_closed[1] + writes)

    def find(self, name: str) -> ConnectionInfo | None:
        """The connection of that name."""
        for connection in self.open:
            if connection.name == name:
                return connection
        return None

    def of_vhost(self, vhost: str) -> list[ConnectionInfo]:
        """Those in the virtual host."""
        return [connection for connection in self.open if connection.vhost == vhost]

    def of_user(self, user: str) -> list[ConnectionInfo]:
        """Those that the user opened."""
        return [connection for connection in self.open if connection.user == user]

    def channel_count(self) -> int:
        """How many channels are open."""
        return sum([len(connection.sessions()) for connection in self.open])

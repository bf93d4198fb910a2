"""The broker as one case sees it: connections and channels to order, names of its own, and cleaning up afterwards."""

import contextlib
import ssl
import subprocess
import time
from collections.abc import Callable
from typing import Any

from conformance.client.channel import Channel, unique
from conformance.client.connection import CAPABILITIES, Connection, amqplain, plain
from conformance.client.events import Event
from conformance.client.link import Link
from conformance.client.transcript import Transcript
from conformance.management import Management
from conformance.mismatch import Mismatch
from conformance.target import Address, Target
from conformance.wire.values import Table


class Broker:
    """Hands out connections to the target; `clean` ends them and deletes what they declared."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.vhost = target.vhost
        self.timeout = target.timeout
        self.transcript = Transcript()
        self._connections: list[Connection] = []
        self._cleanups: list[Callable[[], object]] = []

    @property
    def http(self) -> Management:
        """The management API; only for cases that need it."""
        assert self.target.http is not None
        return Management(self.target.http, self.transcript, self.timeout)

    def name(self, noun: str = "q") -> str:
        """A name that nothing else in the broker has."""
        return unique(noun)

    def on_cleanup(self, action: Callable[[], object]) -> None:
        """Runs an action when the case is over, the last one first."""
        self._cleanups.append(action)

    # Connections

    def dial(self, tls: bool = False) -> Connection:
        """A TCP (or TLS) connection over which nothing was said yet."""
        context = None
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return self._dial(self.target.tls if tls else self.target.amqp, context)

    def dial_plain_to_tls(self) -> Connection:
        """A TCP connection to the port that expects TLS."""
        return self._dial(self.target.tls, None)

    def _dial(self, address: Address | None, context: ssl.SSLContext | None) -> Connection:
        assert address is not None
        number = len(self._connections) + 1
        link = Link((address.host, address.port), self.transcript, number, context)
        self._connections.append(Connection(link, self.timeout))
        return self._connections[-1]

    def credentials(self, mechanism: str = "PLAIN") -> bytes:
        """The response that logs the caller's user in."""
        encode = amqplain if mechanism == "AMQPLAIN" else plain
        return encode(self.target.amqp.user, self.target.amqp.password)

    def tuning(self) -> tuple[Connection, Event]:
        """A connection that is logged in, with the broker's connection.tune, not answered yet."""
        return self._tuning(self.credentials())

    def tuning_as(self, user: tuple[str, str]) -> tuple[Connection, Event]:
        """The same for another user."""
        return self._tuning(plain(*user))

    def _tuning(self, response: bytes) -> tuple[Connection, Event]:
        connection = self.dial()
        connection.start()
        connection.start_ok(response)
        return connection, connection.wait("connection.tune")

    def connect(
        self,
        user: tuple[str, str] | None = None,
        vhost: str | None = None,
        capabilities: Table = CAPABILITIES,
        properties: Table | None = None,
        **tune: int,
    ) -> Connection:
        """An open connection; `tune` overrides channel_max, frame_max and heartbeat (off unless given)."""
        connection = self.dial()
        connection.start()
        response = plain(*user) if user else self.credentials()
        connection.start_ok(response, capabilities=capabilities, **(properties or {}))
        connection.tune_ok(connection.wait("connection.tune"), **tune)
        connection.open(self.vhost if vhost is None else vhost)
        return connection

    def channel(self, **options: Any) -> Channel:
        """The first channel of a new connection."""
        return self.connect(**options).channel()

    def connected(self, **options: Any) -> tuple[Connection, Channel]:
        """A new connection and its first channel."""
        connection = self.connect(**options)
        return connection, connection.channel()

    # Objects of the management API

    def new_vhost(self) -> str:
        """A virtual host of its own, in which the caller's user may do everything."""
        vhost = unique("vhost")
        self.http.put("vhosts", vhost)
        self.on_cleanup(lambda: self.http.delete("vhosts", vhost))
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.http.put("permissions", vhost, self.target.amqp.user, body=everything)
        return vhost

    def new_user(self, tags: str = "", vhost: str | None = None, **permissions: str) -> tuple[str, str]:
        """A user; with permissions (configure, write, read; absent means none) in a virtual host unless they are None."""
        user = unique("user"), "secret"
        self.http.put("users", user[0], body={"password": user[1], "tags": tags})
        self.on_cleanup(lambda: self.http.delete("users", user[0]))
        self.permit(user[0], vhost, **permissions)
        return user

    def permit(self, user: str, vhost: str | None = None, **permissions: str) -> None:
        """Sets a user's permissions; absent means none."""
        granted = {"configure": "", "write": "", "read": "", **permissions}
        self.http.put("permissions", vhost or self.vhost, user, body=granted)

    def policy(self, pattern: str, definition: Table, kind: str = "policies", **options: Any) -> str:
        """A policy (or of kind operator-policies) in the case's virtual host; returns its name."""
        name = unique("policy")
        body = {"pattern": pattern, "definition": definition, "priority": 1, "apply-to": "all", **options}
        self.http.put(kind, self.vhost, name, body=body)
        self.on_cleanup(lambda: self.http.delete(kind, self.vhost, name))
        return name

    def run_command(self, name: str) -> None:
        """Runs the caller's shell command of this name."""
        subprocess.run(self.target.commands[name], shell=True, check=True, capture_output=True)  # noqa: S602

    # Afterwards

    def forget_connections(self) -> None:
        """Takes all connections for lost, because the broker was restarted; what they declared is kept in mind."""
        for connection in self._connections:
            connection.is_open = False

    def clean(self) -> None:
        """Closes the connections and deletes everything that the case made."""
        self._close_connections()
        declared = [item for connection in self._connections for item in connection.declared]
        for action in reversed(self._cleanups):
            with contextlib.suppress(Mismatch):
                action()
        if names := dict.fromkeys(item for item in declared if item[1] and not item[1].startswith("amq.")):
            self._delete(list(names))

    def _close_connections(self) -> None:
        for connection in self._connections:
            if connection.is_open:
                with contextlib.suppress(Mismatch, AssertionError):
                    connection.close()
            connection.drop()

    def _delete(self, names: list[tuple[str, str]]) -> None:
        with contextlib.suppress(Mismatch, OSError):
            connection = self.connect()
            for kind, name in names:
                self._delete_one(connection, kind, name)
            connection.close()

    def _delete_one(self, connection: Connection, kind: str, name: str) -> None:
        with contextlib.suppress(Mismatch):
            channel = connection.channel()
            channel.call(f"{kind}.delete", **{kind: name})
            channel.close()


def pause(seconds: float) -> None:
    """Lets time pass, in cases about time."""
    time.sleep(seconds)

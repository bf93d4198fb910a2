"""The broker under test: where it listens, who may log in, and the commands that restart or alarm it."""

import argparse
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Address(NamedTuple):
    """Host, port, user and password out of a URL."""

    host: str
    port: int
    user: str
    password: str
    path: str

    @classmethod
    def parse(cls, url: str, port: int) -> "Address":
        """Reads amqp://user:password@host:port/vhost; guest and the given port are the defaults."""
        parts = urlsplit(url)
        user, password = unquote(parts.username or "guest"), unquote(parts.password or "guest")
        return cls(parts.hostname or "127.0.0.1", parts.port or port, user, password, unquote(parts.path[1:]))


class Target:
    """Everything that the caller said about the broker."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.amqp = Address.parse(options.url, 5672)
        self.vhost = self.amqp.path or "/"
        self.http = Address.parse(options.http_url, 15672) if options.http_url else None
        self.tls = Address.parse(options.tls_url, 5671) if options.tls_url else None
        self.timeout: float = options.timeout
        self.name: str | None = options.name
        self.commands: dict[str, str] = {
            name: command
            for name, command in (
                ("restart", options.restart_command),
                ("kill", options.kill_command),
                ("alarm", options.alarm_command),
                ("clear", options.clear_command),
            )
            if command
        }

    @property
    def offers(self) -> frozenset[str]:
        """The needs of cases that this target can meet."""
        offered: set[str] = {need for need in ("restart", "kill", "alarm") if need in self.commands}
        if "clear" not in self.commands:
            offered.discard("alarm")
        if self.http:
            offered.add("management")
        if self.tls:
            offered.add("tls")
        return frozenset(offered)

"""Two clients with two channels each, who say what they are told and note what the broker answers."""

import time
from typing import Any, Final

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from conformance.client.events import Event, Message
from helpers.behaviours import observed
from helpers.broker import Broker
from helpers.commands import Command, Place
from helpers.traffic import PATIENCE, connect

QUIET: Final = 0.01
"""Seconds after which a broker has said all that it says."""
SETTLED: Final = 0.03
"""Seconds after which what a closed channel held is back in its queue."""
_FENCES: Final = frozenset(("channel.flow-ok", "channel.close"))

Heard = dict[tuple[str, int, str], list[Any]]
"""What was heard, by connection, channel and method; channel 0 is the connection itself."""


class Guests:
    """The clients of one broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker: Final = broker
        self._connections: dict[str, Connection] = {}
        self._channels: dict[Place, Channel] = {}
        for name in ("a", "b"):
            self._connect(name)

    def _connect(self, name: str) -> None:
        connection = connect(self._broker)
        self._connections[name] = connection
        for number in (1, 2):
            self._channels[name, number] = connection.channel(number)

    def say(self, command: Command) -> None:
        """Say this; a channel that is closed is opened again."""
        channel = self._channels[command.place]
        if command.method == "basic.publish":
            channel.publish(command.body, **command.arguments)
            return
        channel.send(command.method, **command.arguments)
        if command.method == "channel.close":
            channel.wait("channel.close-ok")
            channel.call("channel.open")

    def hear(self) -> Heard:
        """All that was answered; connections and channels that the broker closed are open again."""
        heard = self._hear()
        if any(name.endswith(".close") for _, _, name in heard):
            time.sleep(SETTLED)
            for key, events in self._hear().items():
                heard.setdefault(key, []).extend(events)
        return heard

    def _hear(self) -> Heard:
        time.sleep(QUIET)
        heard: Heard = {}
        for (name, number), channel in sorted(self._channels.items()):
            if channel.stream is not self._connections[name]:
                continue
            self._fence(channel)
            for event in channel.inbox:
                heard.setdefault((name, number, event.name), []).append(shown(event))
            heard.pop((name, number, "channel.flow-ok"), None)
            channel.inbox.clear()
            if (name, number, "channel.close") in heard:
                channel.send("channel.close-ok")
                channel.call("channel.open")
            for event in channel.stream.inbox(0):
                heard[name, 0, event.name] = [shown(event)]
                self._lose(name)
        return heard

    def _fence(self, channel: Channel) -> None:
        channel.send("channel.flow", active=True)
        deadline = time.monotonic() + PATIENCE
        while not channel.stream.inbox(0) and not any(event.name in _FENCES for event in channel.inbox):
            channel.stream.pump(deadline)

    def _lose(self, name: str) -> None:
        self._connections[name].send("connection.close-ok")
        self._connections[name].drop()
        self._connect(name)

    def leave(self, queues: list[str], exchanges: list[str]) -> None:
        """Go, and leave nothing of this behind."""
        for connection in self._connections.values():
            connection.close()
            connection.drop()
        connection = connect(self._broker)
        for kind, names in (("queue", queues), ("exchange", exchanges)):
            for name in names:
                channel = connection.channel()
                channel.send(f"{kind}.delete", **{kind: name})
                channel.wait(f"{kind}.delete-ok", "channel.close")
        connection.drop()


def shown(event: Event) -> Any:  # noqa: ANN401
    """What two brokers have to say alike: all but times."""
    if isinstance(event, Message):
        return event.method.arguments, event.body, _timeless(event.properties)
    return observed(event) if event.name.endswith(".close") else event.arguments


def _timeless(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name != "time" and not _is_new(name)}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def _is_new(name: str) -> bool:
    """Whether older releases of RabbitMQ know nothing of this header."""
    return name.startswith("x-last-death-")

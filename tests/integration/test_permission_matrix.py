"""Every method against every combination of rights, and what is exclusive to others; the same holds for RabbitMQ."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import combinations
from uuid import uuid4

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from conformance.client.connection import Connection, plain
from helpers import users
from helpers.broker import Broker
from helpers.management import management

RIGHTS = tuple("".join(chosen) for count in range(4) for chosen in combinations("cwr", count))
"""Configure, write, read: none of them, some, all."""
ALTERNATE = {"alternate-exchange": "there-too"}
LETTERS = {"x-dead-letter-exchange": "there"}

Act = Callable[[BlockingChannel], object]

NEEDS: dict[str, tuple[str, Act]] = {
    "exchange.declare": ("c", lambda channel: channel.exchange_declare("new")),
    "exchange.declare again": ("c", lambda channel: channel.exchange_declare("there", durable=True)),
    "exchange.declare with an alternate": ("cwr", lambda channel: channel.exchange_declare("newer", arguments=ALTERNATE)),
    "exchange.declare passively": ("", lambda channel: channel.exchange_declare("there", passive=True)),
    "exchange.delete": ("c", lambda channel: channel.exchange_delete("new")),
    "exchange.bind": ("wr", lambda channel: channel.exchange_bind("there", "there-too", "k")),
    "exchange.unbind": ("wr", lambda channel: channel.exchange_unbind("there", "there-too", "k")),
    "queue.declare": ("c", lambda channel: channel.queue_declare("new")),
    "queue.declare again": ("c", lambda channel: channel.queue_declare("kept", durable=True)),
    "queue.declare with dead letters": ("cwr", lambda channel: channel.queue_declare("newer", arguments=LETTERS)),
    "queue.declare passively": ("", lambda channel: channel.queue_declare("kept", passive=True)),
    "queue.declare exclusively": ("c", lambda channel: channel.queue_declare("", exclusive=True)),
    "queue.bind": ("wr", lambda channel: channel.queue_bind("kept", "there", "k")),
    "queue.unbind": ("wr", lambda channel: channel.queue_unbind("kept", "there", "k")),
    "queue.purge": ("r", lambda channel: channel.queue_purge("kept")),
    "queue.delete": ("c", lambda channel: channel.queue_delete("new")),
    "basic.publish": ("w", lambda channel: _publish(channel, "there")),
    "basic.publish to the default exchange": ("w", lambda channel: _publish(channel, "")),
    "basic.get": ("r", lambda channel: channel.basic_get("kept")),
    "basic.consume": ("r", lambda channel: channel.basic_consume("kept", lambda *_: None)),
    "basic.qos": ("", lambda channel: channel.basic_qos(prefetch_count=1)),
    "basic.recover": ("", lambda channel: channel.basic_recover(requeue=True)),
    "confirm.select": ("", lambda channel: channel.confirm_delivery()),
    "tx.select": ("", lambda channel: channel.tx_select()),
}
"""What a method needs, and the method."""
LOCKED: dict[str, Act] = {
    "queue.declare": lambda channel: channel.queue_declare("own", exclusive=True),
    "queue.declare passively": lambda channel: channel.queue_declare("own", passive=True),
    "queue.bind": lambda channel: channel.queue_bind("own", "amq.direct", "k"),
    "queue.unbind": lambda channel: channel.queue_unbind("own", "amq.direct", "k"),
    "queue.purge": lambda channel: channel.queue_purge("own"),
    "queue.delete": lambda channel: channel.queue_delete("own"),
    "basic.get": lambda channel: channel.basic_get("own"),
    "basic.consume": lambda channel: channel.basic_consume("own", lambda *_: None),
}
"""What cannot be done to a queue that is exclusive to another connection, by whomever."""


def _publish(channel: BlockingChannel, exchange: str) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, "kept", b"")


class Vhost:
    """A virtual host of its own, and users with each combination of rights in it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.mark = uuid4().hex[:8]
        self.name = f"matrix-{self.mark}"
        self.api = management(broker)
        self.api.put("vhosts", self.name)
        for user in ("guest", *map(self.user, RIGHTS)):
            rights = "cwr" if user == "guest" else user.partition("-")[0].removeprefix("u")
            if user != "guest":
                self.api.put("users", user, body={"password": "p", "tags": ""})
            names = {"configure": "c", "write": "w", "read": "r"}
            body = {right: ".*" if letter in rights else "" for right, letter in names.items()}
            self.api.put("permissions", self.name, user, body=body)
        self.api.put("queues", self.name, "kept", body={"durable": True})
        for exchange in ("there", "there-too"):
            self.api.put("exchanges", self.name, exchange, body={"type": "direct", "durable": True})

    def user(self, rights: str) -> str:
        """The user with these rights."""
        return f"u{rights}-{self.mark}"

    def clear(self) -> None:
        """Nothing is left."""
        self.api.delete("vhosts", self.name)
        for rights in RIGHTS:
            self.api.delete("users", self.user(rights))

    def connect(self, user: str, password: str = "p") -> pika.BlockingConnection:
        """A connection of this user."""
        credentials = pika.PlainCredentials(user, password)
        place = {"virtual_host": self.name, "credentials": credentials}
        return pika.BlockingConnection(pika.ConnectionParameters(self.broker.host, self.broker.port, **place))


@pytest.fixture(scope="module")
def vhost(broker: Broker) -> Iterator[Vhost]:
    """The virtual host, for all tests."""
    made = Vhost(broker)
    yield made
    made.clear()


@pytest.mark.parametrize("rights", RIGHTS)
def test_who_may_call_what(vhost: Vhost, rights: str) -> None:
    """403 for whoever lacks a right that the method needs, nothing of the kind for anybody else."""
    allowed: list[str] = []
    with closing(vhost.connect(vhost.user(rights))) as connection:
        for name, (_, act) in NEEDS.items():
            refused = _refusal(connection.channel(), act)
            assert refused in {"", "403"}, name
            if not refused:
                allowed.append(name)
    assert [name for name, (needed, _) in NEEDS.items() if set(needed) <= set(rights)] == allowed


def test_what_is_exclusive_to_another_connection(vhost: Vhost) -> None:
    """405 for everything, even if it is the same user."""
    with closing(vhost.connect("guest", "guest")) as owner, closing(vhost.connect("guest", "guest")) as other:
        channel = owner.channel()
        channel.queue_declare("own", exclusive=True)
        channel.queue_bind("own", "amq.direct", "k")
        refused = {name: _refusal(other.channel(), act) for name, act in LOCKED.items()}
    assert dict.fromkeys(LOCKED, "405") == refused


def _refusal(channel: BlockingChannel, act: Act) -> str:
    """The code with which the channel is closed; empty if it is not."""
    try:
        act(channel)
    except ChannelClosedByBroker as error:
        return str(error.reply_code)
    channel.close()
    return ""


def test_a_virtual_host_without_rights_stays_closed(vhost: Vhost, dial: Callable[[Broker], Connection]) -> None:
    """Who has no rights in a virtual host, not even empty ones, cannot open a connection to it."""
    for rights in ("", "cwr"):
        user = vhost.user(rights)
        text = users.refusal(dial(vhost.broker), plain(user, "p"))
        assert f"NOT_ALLOWED - access to vhost '/' refused for user '{user}'" == text

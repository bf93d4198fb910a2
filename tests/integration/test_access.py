"""Who may do what, as clients feel it: topic permissions, and changes of rights while connections are open."""

from collections.abc import Callable

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker

from conformance.client.connection import Connection, plain
from helpers import users
from helpers.broker import Broker
from helpers.management import management

Open = Callable[..., BlockingChannel]


class Alice:
    """A user, and channels of hers."""

    def __init__(self, broker: Broker, name: str, open_channel: Open) -> None:
        self.name = name
        self.broker = broker
        self.api = management(broker)
        self._open = open_channel
        self.allow(configure=".*", write=".*", read=".*")

    def allow(self, **rights: str) -> None:
        """Her rights from now on."""
        users.give(self.broker, self.name, "secret", **rights)

    def allow_topics(self, write: str, read: str) -> None:
        """Her routing keys at amq.topic from now on."""
        self.api.put("topic-permissions", "/", self.name, body={"exchange": "amq.topic", "write": write, "read": read})

    def channel(self) -> BlockingChannel:
        """A new channel of a new connection."""
        return self._open(self.broker, credentials=pika.PlainCredentials(self.name, "secret"))


@pytest.fixture
def alice(broker: Broker, unique_name: str, pika_channel: Open) -> Alice:
    """Somebody who may do everything until a test says otherwise."""
    return Alice(broker, unique_name.replace("_", "-").replace("[", "-").replace("]", ""), pika_channel)


def refusal(channel: BlockingChannel, key: str, headers: dict[str, object] | None = None) -> str:
    """Why publishing with the routing key fails; empty if it does not."""
    try:
        channel.confirm_delivery()
        channel.basic_publish("amq.topic", key, b"", pika.BasicProperties(headers=headers))
    except ChannelClosedByBroker as error:
        return error.reply_text if error.reply_code == 403 else str(error)
    return ""


def test_routing_keys_to_publish_with(alice: Alice) -> None:
    """The expression for writing decides, with the names of user and virtual host in it."""
    alice.allow_topics(r"^{username}\.|^vhost.{vhost}$", "")
    name = alice.name

    assert [refusal(alice.channel(), key) for key in (f"{name}.a", f"{name}.b.c", "vhost./")] == ["", "", ""]
    for key in ("other.a", name, "vhost.x"):
        assert refusal(alice.channel(), key).endswith(
            f"access to topic '{key}' in exchange 'amq.topic' in vhost '/' refused for user '{name}'"
        )


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_routing_keys_of_copies(alice: Alice, header: str) -> None:
    """Those in CC and BCC need the right as well, also after rights changed for a message like the one before."""
    alice.broker.require_restart()  # RabbitMQ 3.10 looks at the message's own routing key alone.
    alice.allow_topics("^a", "")
    channel = alice.channel()

    assert refusal(channel, "a", {header: ["a1", "a2"]}) == ""
    alice.allow_topics("^a1?$", "")
    assert "topic 'a2'" in refusal(channel, "a", {header: ["a1", "a2"]})
    assert "topic 'b'" in refusal(alice.channel(), "a", {header: ["b"]})


def test_binding_keys(alice: Alice, unique_name: str) -> None:
    """The expression for reading decides about binding and unbinding, of queues and of exchanges."""
    alice.allow_topics("", "^a")
    channel = alice.channel()
    channel.queue_declare(unique_name, exclusive=True)
    channel.queue_bind(unique_name, "amq.topic", "a.#")
    channel.queue_unbind(unique_name, "amq.topic", "a.#")
    for call in ("queue_bind", "queue_unbind"):
        with pytest.raises(ChannelClosedByBroker, match=r"access to topic 'b.#' in exchange 'amq.topic'"):
            getattr(channel, call)(unique_name, "amq.topic", "b.#")
        channel = channel.connection.channel()
    with pytest.raises(ChannelClosedByBroker, match="access to topic 'b'"):
        channel.exchange_bind("amq.fanout", "amq.topic", "b")


def test_other_exchanges_have_no_such_rights(alice: Alice) -> None:
    """Topic permissions are about topic exchanges, and about the named one alone."""
    alice.api.put("topic-permissions", "/", alice.name, body={"exchange": "amq.direct", "write": "^$", "read": "^$"})
    channel = alice.channel()
    channel.confirm_delivery()
    channel.basic_publish("amq.direct", "any", b"")

    assert refusal(alice.channel(), "any") == ""


def test_rights_that_are_taken_count_at_once(alice: Alice) -> None:
    """A publisher who has published for long may not go on."""
    alice.broker.require_restart()  # RabbitMQ remembers rights for a while.
    channel = alice.channel()
    assert refusal(channel, "a") == ""
    alice.allow_topics("^b", "")
    assert "topic 'a'" in refusal(channel, "a")
    channel = alice.channel()
    assert refusal(channel, "b") == ""
    alice.allow(configure=".*", write="^$", read=".*")
    assert "access to exchange 'amq.topic'" in refusal(channel, "b")
    channel = alice.channel()
    alice.api.delete("permissions", "/", alice.name)
    assert "access to exchange 'amq.topic'" in refusal(channel, "b")


def test_rights_count_for_connections_without_channels(alice: Alice) -> None:
    """A channel that is opened after a change has the rights of after it."""
    alice.broker.require_restart()
    connection = alice.channel().connection
    alice.allow(configure="", write="", read="")

    assert "access to exchange 'amq.topic'" in refusal(connection.channel(), "a")


def test_a_deleted_user_is_gone(alice: Alice) -> None:
    """His connections are closed with 320."""
    connection = alice.channel().connection
    alice.api.delete("users", alice.name)
    with pytest.raises(ConnectionClosedByBroker) as found:
        connection.process_data_events(10)

    assert f"CONNECTION_FORCED - user '{alice.name}' is deleted" in str(found.value)


def test_a_new_password_counts_for_the_next_login(alice: Alice, dial: Callable[[Broker], Connection]) -> None:
    """Open connections go on, the old password is refused."""
    channel = alice.channel()
    alice.api.put("users", alice.name, body={"password": "new", "tags": ""})

    assert "ACCESS_REFUSED" in users.refusal(dial(alice.broker), plain(alice.name, "secret"))
    assert users.refusal(dial(alice.broker), plain(alice.name, "new")) == ""
    assert refusal(channel, "a") == ""


def test_a_secret_is_updated(alice: Alice) -> None:
    """Users in the definitions have none that expires: whatever comes is well (2.4)."""
    connection = alice.channel().connection
    connection.update_secret("new", "because")

    assert connection.is_open

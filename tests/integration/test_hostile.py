"""Peers that mean harm: what they do costs them their connection, or nobody anything."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers import client
from helpers.api import Api
from helpers.broker import BrokerProcess
from helpers.client import method

Open = Callable[..., BlockingChannel]

BOMB = "(a+)+$"
START_OK = method(0, "connection.start-ok", b"", "PLAIN", b"\0guest\0guest", "en_US")
LONGEST_NAME = "a" * 254 + "!"


@pytest.fixture
def prey(start_broker: Callable[..., BrokerProcess]) -> BrokerProcess:
    """A broker of the test's own, which gives peers two seconds to log in."""
    return start_broker("--handshake-timeout", "2")


def test_expressions_that_would_take_for_ever(prey: BrokerProcess, pika_channel: Open) -> None:
    """In a permission, a policy, an operator policy and a filter: they find nothing, and everybody is served."""
    api = Api(prey.http_url)
    policy = {"pattern": BOMB, "definition": {"max-length": 1}}
    assert 201 == api.put("/api/policies/%2F/bomb", policy)
    assert 201 == api.put("/api/operator-policies/%2F/bomb", policy)
    channel = pika_channel(prey)
    channel.queue_declare(LONGEST_NAME)
    assert 201 == api.put("/api/users/mallory", {"password": "p", "tags": ""})
    assert 201 == api.put("/api/permissions/%2F/mallory", {"configure": BOMB, "write": "^ok$", "read": BOMB})
    hers = pika_channel(prey, credentials=pika.PlainCredentials("mallory", "p"))
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        hers.basic_get(LONGEST_NAME)
    reply = api.call("GET", "/api/queues?page=1&use_regex=true&name=(a%2B)%2B%24")
    assert (400, "the regular expression takes too long") == (reply.status, reply.json["reason"])
    assert 0 == channel.queue_declare(LONGEST_NAME, passive=True).method.message_count
    assert "regular expression takes too long" in prey.stderr


def test_a_greeting_that_never_ends(prey: BrokerProcess) -> None:
    """Who says nothing, or half of his greeting, is hung up on when the time for it is over."""
    beginnings = (b"", b"AMQP", client.HEADER, client.HEADER + START_OK[:9], client.HEADER + START_OK)
    with ExitStack() as stack:
        peers = [
            stack.enter_context(closing(socket.create_connection((prey.host, prey.port), timeout=20))) for _ in beginnings
        ]  # fmt: skip
        for peer, beginning in zip(peers, beginnings, strict=True):
            peer.sendall(beginning)
        for peer in peers:
            while peer.recv(4096):
                pass

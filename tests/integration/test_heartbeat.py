"""Silence ends a connection, heartbeats keep it."""

import time
from collections.abc import Callable

from conformance.client.connection import Connection
from helpers.broker import Broker

Connect = Callable[..., Connection]


def test_a_mute_client_is_dropped(broker: Broker, connect: Connect) -> None:
    """After two heartbeat intervals without a sign of life, give or take one, TCP is closed without a word."""
    connection = connect(broker, heartbeat=1)
    begin = time.monotonic()
    connection.must_drop(timeout=4)
    assert 1 < time.monotonic() - begin
    assert 1 <= connection.heartbeats


def test_a_client_that_only_sends_heartbeats_stays(broker: Broker, connect: Connect) -> None:
    """Heartbeats alone are signs of life, and the broker sends its own, two an interval: some clients wait for only one."""
    connection = connect(broker, heartbeat=1)
    for _ in range(8):
        connection.heartbeat()
        time.sleep(0.5)
    connection.must_live()
    assert 5 <= connection.heartbeats


def test_a_client_without_heartbeats_may_be_silent(broker: Broker, connect: Connect) -> None:
    """A heartbeat of 0 turns them off, whatever the broker suggested."""
    connection = connect(broker, heartbeat=0)
    time.sleep(1.5)
    connection.must_live()
    assert 0 == connection.heartbeats

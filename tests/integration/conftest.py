"""Connections that are closed when their test is over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from conformance.client.connection import Connection
from helpers import traffic
from helpers.broker import Broker


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    """`helpers.traffic.connect`."""
    with ExitStack() as stack:

        def connect(broker: Broker, **tune: int) -> Connection:
            connection = traffic.connect(broker, **tune)
            stack.callback(connection.drop)
            return connection

        yield connect


@pytest.fixture
def dial() -> Iterator[Callable[[Broker], Connection]]:
    """`helpers.traffic.dial`."""
    with ExitStack() as stack:

        def dial(broker: Broker) -> Connection:
            connection = traffic.dial(broker)
            stack.callback(connection.drop)
            return connection

        yield dial


@pytest.fixture
def pika_channel() -> Iterator[Callable[..., BlockingChannel]]:
    """A function that opens a channel of a new pika connection to a broker; further arguments are pika's parameters."""
    with ExitStack() as stack:

        def channel(broker: Broker, **parameters: object) -> BlockingChannel:
            chosen = pika.URLParameters(broker.url)
            for name, value in parameters.items():
                setattr(chosen, name, value)
            connection = pika.BlockingConnection(chosen)
            stack.callback(_close, connection)
            return connection.channel()

        yield channel


def _close(connection: pika.BlockingConnection) -> None:
    with suppress(AMQPError):
        connection.close()

"""A client of the management, and things to manage."""

from collections.abc import Iterator
from urllib.parse import quote

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from helpers.api import Api
from helpers.broker import Broker


@pytest.fixture
def api(broker: Broker) -> Api:
    """The management as guest."""
    return Api(broker.http_url)


@pytest.fixture
def channel(broker: Broker) -> Iterator[BlockingChannel]:
    """A channel of pika's."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


@pytest.fixture
def queue(api: Api, unique_name: str) -> Iterator[str]:
    """The path of a durable queue."""
    path = f"/api/queues/%2F/{quote(unique_name, safe='')}"
    assert 201 == api.put(path, {"durable": True})
    yield path
    api.delete(path)


@pytest.fixture
def vhost(api: Api, unique_name: str) -> Iterator[str]:
    """The quoted name of a virtual host."""
    name = quote(unique_name, safe="")
    assert 201 == api.put(f"/api/vhosts/{name}")
    yield name
    api.delete(f"/api/vhosts/{name}")

"""Management clients that others wrote."""

import pika
import pytest
from amqpstorm.management import ApiError, ManagementApi
from pika.adapters.blocking_connection import BlockingChannel

from helpers.broker import Broker


@pytest.fixture
def storm(broker: Broker) -> ManagementApi:
    """The client of amqpstorm's."""
    return ManagementApi(broker.http_url, "guest", "guest")


def test_amqpstorm_looks_around(storm: ManagementApi, channel: BlockingChannel) -> None:
    """Overview, nodes, health, and the connection that is open."""
    assert channel.is_open
    assert {"status": "ok"} == storm.aliveness_test("/")
    assert {"status": "ok"} == storm.healthchecks.get()
    assert storm.overview()["node"] == storm.nodes()[0]["name"] == storm.node(storm.nodes()[0]["name"])["name"]
    assert "guest" == storm.whoami()["name"]
    for connection in storm.connection.list(page_size=10):
        assert connection["name"] == storm.connection.get(connection["name"])["name"]
    for found in storm.channel.list(page_size=10):
        assert found["name"] == storm.channel.get(found["name"])["name"]


def test_amqpstorm_declares_and_publishes(storm: ManagementApi, unique_name: str) -> None:
    """Queue, exchange, binding, message, and the way back to nothing."""
    storm.queue.declare(unique_name, durable=True, arguments={"x-max-length": 10})
    storm.exchange.declare(unique_name, exchange_type="topic", durable=True)
    storm.queue.bind(unique_name, unique_name, routing_key="a.#")
    assert [unique_name] == [found["source"] for found in storm.queue.bindings(unique_name) if found["source"]]
    assert {"routed": True} == storm.basic.publish("body", "a.b", exchange=unique_name)
    assert ["body"] == [message.body for message in storm.basic.get(unique_name, requeue=True)]
    assert unique_name in [found["name"] for found in storm.queue.list(name=unique_name, page_size=10)]
    storm.queue.purge(unique_name)
    storm.queue.unbind(unique_name, unique_name, routing_key="a.#", properties_key="a.%23")
    storm.exchange.delete(unique_name)
    storm.queue.delete(unique_name)
    with pytest.raises(ApiError, match=r"NOT-FOUND|Not Found") as refused:
        storm.queue.get(unique_name)
    assert 404 == refused.value.error_code


def test_amqpstorm_administers(storm: ManagementApi, broker: Broker, unique_name: str) -> None:
    """A virtual host, a user with rights in it, his login, and the end of both."""
    storm.virtual_host.create(unique_name)
    storm.user.create(unique_name, "secret", tags="management")
    storm.user.set_permission(unique_name, unique_name, configure_regex=".*", write_regex=".*", read_regex=".*")
    assert {"guest", unique_name} == {found["user"] for found in storm.virtual_host.get_permissions(unique_name)}
    credentials = pika.PlainCredentials(unique_name, "secret")
    pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker.port, unique_name, credentials)).close()
    storm.user.delete_permission(unique_name, unique_name)
    storm.user.delete(unique_name)
    storm.virtual_host.delete(unique_name)
    assert unique_name not in [found["name"] for found in storm.virtual_host.list()]

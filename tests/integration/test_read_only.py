"""A broker that is started read-only shows what its data folder holds, and changes nothing in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.client.connection import Connection
from helpers.api import Api
from helpers.broker import Broker, BrokerProcess
from helpers.traffic import PERSISTENT, contents

BODIES = [b"%d" % number for number in range(5)]
PUBLISH = "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused: the broker is read-only"
DECLARE = "ACCESS_REFUSED - configure access to queue 'new' in vhost '/' refused: the broker is read-only"
CONSUME = "ACCESS_REFUSED - read access to queue 'kept' in vhost '/' refused: the broker is read-only"


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its content and the time at which it was changed."""
    found = {path: path.stat() for path in folder.rglob("*")}
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes() if path.is_file() else b"", stat.st_mtime_ns)
        for path, stat in found.items()
    }


@pytest.fixture
def left(start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]) -> BrokerProcess:
    """A broker that was killed: it left messages, one of which has expired meanwhile."""
    broker = start_broker()
    channel = connect(broker).channel()
    channel.call("confirm.select")
    channel.call("queue.declare", queue="kept", durable=True)
    for body in BODIES:
        channel.publish(body, routing_key="kept", delivery_mode=PERSISTENT)
    channel.call("queue.declare", queue="expired", durable=True)
    channel.publish(b"late", routing_key="expired", delivery_mode=PERSISTENT, expiration="1")
    channel.confirmed(len(BODIES) + 1)
    broker.kill()
    return broker


@pytest.fixture
def read_only(left: BrokerProcess, tmp_path: Path) -> Iterator[BrokerProcess]:
    """The same folder, shown."""
    broker = BrokerProcess(tmp_path, "--read-only", "on")
    yield broker
    broker.kill()
    assert left.data_folder == broker.data_folder


def test_nothing_is_written(left: BrokerProcess, connect: Callable[[Broker], Connection], tmp_path: Path) -> None:
    """No file of the data folder changes, and a usual start afterwards finds everything."""
    before = files(left.data_folder)
    broker = BrokerProcess(tmp_path, "--read-only", "on")
    connect(broker).channel()
    Api(broker.http_url).get("/api/queues/%2F/kept/messages")
    assert 0 == broker.stop()
    assert before == files(left.data_folder)
    left.restart()
    assert BODIES == [message.body for message in contents(left, "kept")]


def test_the_management_shows_and_changes_nothing(read_only: BrokerProcess) -> None:
    """Queues are counted and browsed; whatever would change something is refused."""
    api = Api(read_only.http_url)
    queues = {queue["name"]: queue["messages"] for queue in api.get("/api/queues/%2F?disable_stats=false")}
    found = api.get("/api/queues/%2F/kept/messages")["messages"]
    assert {"kept": len(BODIES), "expired": 1} == queues
    assert BODIES == [message["payload"].encode() for message in found]
    for method, path in (
        ("PUT", "/api/queues/%2F/new"),
        ("DELETE", "/api/queues/%2F/kept/contents"),
        ("POST", "/api/definitions"),
    ):
        reply = api.call(method, path, {})
        assert (403, {"error": "forbidden", "reason": "the broker is read-only"}) == (reply.status, reply.json)


def test_clients_are_refused(read_only: BrokerProcess, connect: Callable[[Broker], Connection]) -> None:
    """Whoever wants to do something is told why he cannot; a passive declare tells that a queue is there."""
    connection = connect(read_only)
    channel = connection.channel()
    assert len(BODIES) == channel.call("queue.declare", queue="kept", passive=True).message_count
    channel.publish(b"new", routing_key="kept")
    assert PUBLISH == channel.must_close(403).reply_text
    assert DECLARE == connection.channel().refuses(403, "queue.declare", queue="new").reply_text
    for name in ("basic.consume", "basic.get", "queue.purge"):
        assert CONSUME == connection.channel().refuses(403, name, queue="kept").reply_text


def test_there_must_be_something_to_show(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """No data folder is made, and one in use is not shown."""
    with pytest.raises(RuntimeError, match="is not an amqpd data folder"):
        start_broker("--read-only", "on")
    assert not (tmp_path / "data").exists()
    start_broker()
    with pytest.raises(RuntimeError, match="is in use by another amqpd"):
        start_broker("--read-only", "on")

"""Stored data that is damaged is counted, for operators to be alarmed."""

import re
import urllib.request
from pathlib import Path
from typing import Final

from helpers.api import Api
from helpers.broker import Broker, BrokerProcess

BODY: Final = b"a body that is like no other"


def test_damage_is_counted(own_broker: Broker) -> None:
    """As often as the log tells of it, in the API and among the metrics; a sound broker has none."""
    own_broker.require_restart()
    assert isinstance(own_broker, BrokerProcess)
    api = Api(own_broker.http_url)
    assert 0 == api.get("/api/nodes")[0]["store_damages"]
    assert 201 == api.put("/api/queues/%2F/q", {"durable": True})
    message = {"properties": {"delivery_mode": 2}, "routing_key": "q", "payload": BODY.decode(), "payload_encoding": "string"}
    api.post("/api/exchanges/%2F/amq.default/publish", message)
    own_broker.stop()
    damage(own_broker.data_folder)
    own_broker.restart()
    api = Api(own_broker.http_url)
    wanted = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
    assert [] == api.post("/api/queues/%2F/q/get", wanted)
    counts = [told(own_broker), api.get("/api/nodes")[0]["store_damages"], scraped(api), told(own_broker)]
    assert sorted(counts) == counts
    assert counts[0] > 0


def told(broker: BrokerProcess) -> int:
    """How often the log has told of damage."""
    return broker.stderr.count("stored data is damaged")


def scraped(api: Api) -> int:
    """What the metric says."""
    [door] = [door for door in api.get("/api/overview")["listeners"] if door["protocol"] == "http/prometheus"]
    with urllib.request.urlopen(f"http://127.0.0.1:{door['port']}/metrics") as response:
        found = re.search(r"^rabbitmq_store_damages_total (\d+)$", response.read().decode(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def damage(folder: Path) -> None:
    """Change the body wherever it is stored."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(BODY, BODY.upper()))

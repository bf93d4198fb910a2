"""Data folders as released versions left them: how one is made, and what must be found in it for ever.

`PYTHONPATH=tests python tests/helpers/layouts.py 1` writes the folder of layout 1, which is done before its first release
and never again.
"""

import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from helpers.api import Api
from helpers.broker import BrokerProcess
from helpers.traffic import PERSISTENT, connect

FOLDER: Final = Path(__file__).parents[1] / "integration" / "layouts"
LONGEST: Final = 2**32 - 2
"""Milliseconds that a message can be delayed, and can live, at most: some weeks."""
MOVING: Final = {"mortal", "later"}
"""Messages that stand where they were left for these weeks, and somewhere else after them."""
SHARED: Final = b"shared " * 700
"""A body that is stored once for all its queues."""
EXCHANGES: Final[dict[str, dict[str, Any]]] = {
    "topics": {"type": "topic", "arguments": {"alternate-exchange": "all"}},
    "all": {"type": "fanout"},
    "later": {"type": "x-delayed-message", "arguments": {"x-delayed-type": "direct"}},
}
QUEUES: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "shared": {},
    "urgent": {"x-max-priority": 5},
    "mortal": {"x-dead-letter-exchange": "all"},
    "quorum": {"x-queue-type": "quorum"},
}
MESSAGES: Final[list[tuple[dict[str, str], bytes, dict[str, Any]]]] = [
    *(({"routing_key": "plain"}, b"plain %d" % number, {"headers": {"number": number}}) for number in range(10)),
    *(({"routing_key": "urgent"}, b"urgent %d" % number, {"priority": number % 6}) for number in range(12)),
    ({"exchange": "all"}, SHARED, {"content_type": "text/plain", "message_id": "one"}),
    ({"exchange": "topics", "routing_key": "a.b"}, b"mortal", {"correlation_id": "\u00e9", "expiration": str(LONGEST)}),
    ({"routing_key": "quorum"}, b"quorum", {}),
    ({"exchange": "later", "routing_key": "plain"}, b"later", {"headers": {"x-delay": LONGEST}}),
]


def fill(broker: BrokerProcess) -> None:
    """Leave something of every kind in a new broker."""
    api = Api(broker.http_url)
    settings: list[tuple[str, dict[str, Any]]] = [
        ("/api/vhosts/other", {"description": "another one", "tags": "a,b"}),
        ("/api/users/alice", {"password": "wonderland", "tags": "monitoring"}),
        ("/api/permissions/%2F/alice", {"configure": "^a", "write": ".*", "read": ""}),
        ("/api/topic-permissions/%2F/alice", {"exchange": "topics", "write": "^a", "read": ".*"}),
        ("/api/policies/%2F/long", {"pattern": "^plain", "definition": {"max-length": 1000}, "apply-to": "queues"}),
        ("/api/operator-policies/%2F/short", {"pattern": "^urgent", "definition": {"max-length": 100}}),
        ("/api/vhost-limits/other/max-queues", {"value": 7}),
        ("/api/user-limits/alice/max-channels", {"value": 3}),
        ("/api/global-parameters/note", {"value": {"text": "kept"}}),
    ]
    for path, body in settings:
        assert api.put(path, body) in (201, 204), path
    connection = connect(broker)
    channel = connection.channel()
    for name, arguments in EXCHANGES.items():
        channel.call("exchange.declare", exchange=name, durable=True, **arguments)
    for name, table in QUEUES.items():
        channel.call("queue.declare", queue=name, durable=True, arguments=table)
    channel.bind("shared", "all")
    channel.bind("plain", "all")
    channel.bind("mortal", "topics", "a.#")
    channel.bind("plain", "later", "plain")
    channel.call("exchange.bind", destination="all", source="topics", routing_key="z")
    channel.call("confirm.select")
    for arguments, content, properties in MESSAGES:
        channel.publish(content, delivery_mode=PERSISTENT, **arguments, **properties)
    channel.confirmed(len(MESSAGES))
    channel.must_get("plain", no_ack=True)
    connection.close()


def contents(broker: BrokerProcess) -> dict[str, Any]:
    """All definitions and messages, as JSON; delayed messages under the name of their exchange."""
    api = Api(broker.http_url)
    document = api.get("/api/definitions")
    found = {queue: api.get(f"/api/queues/%2F/{queue}/messages")["messages"] for queue in QUEUES}
    found["later"] = api.get("/api/exchanges/%2F/later/scheduled")["messages"]
    return {
        "definitions": [[kind, item] for kind, items in document.items() if isinstance(items, list) for item in items],
        "messages": {place: [[one["payload"], one["properties"]] for one in stored] for place, stored in found.items()},
    }


def pack(name: str) -> None:
    """Write the data folder of a filled broker into a compressed archive, and beside it what it holds."""
    with tempfile.TemporaryDirectory() as folder:
        broker = BrokerProcess(Path(folder))
        fill(broker)
        found = json.dumps(contents(broker), indent=1)
        assert 0 == broker.stop()
        shutil.rmtree(broker.data_folder / "spill")
        with tarfile.open(FOLDER / f"{name}.tar.xz", "w:xz", preset=9) as archive:
            archive.add(broker.data_folder, "data")
    (FOLDER / f"{name}.json").write_text(found + "\n", encoding="utf-8")


def unpack(source: Path, folder: Path) -> None:
    """Put the data folder of an archive into a folder."""
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    pack(sys.argv[1])

"""What nobody shall read: passwords are in no log, no answer, no file and no list of processes."""

import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pika

from conformance.client.connection import Connection, amqplain, plain
from conformance.mismatch import Mismatch
from helpers import users
from helpers.api import Api
from helpers.broker import Broker, BrokerProcess

SECRET = "topsecret"
DEFAULT, OTHER, WRONG, IMPORTED, HASHED = (f"{SECRET}-{number}" for number in range(5))


def test_passwords_leave_no_trace(
    start_broker: Callable[..., BrokerProcess], dial: Callable[[Broker], Connection], tmp_path: Path
) -> None:
    """However they are given, and however wrong they are, with the most talkative log there is."""
    variables = {"AMQPD_DEFAULT_USER": "boss", "AMQPD_DEFAULT_PASSWORD": DEFAULT}
    broker = start_broker("--log-level", "debug", variables=variables)
    api = Api(broker.http_url, "boss", DEFAULT)
    told = _use(broker, api, dial)
    paths = ("definitions", "users", "users/alice", "overview", "whoami", "connections", "nodes", "openapi.json")
    told += [api.call("GET", f"/api/{path}").body for path in paths]
    api.call("GET", "/metrics")

    assert [] == [body for body in told if SECRET.encode() in body]
    broker.stop()
    assert SECRET not in broker.stderr + broker.stdout
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [] == [path for path in files if SECRET.encode() in path.read_bytes()]


def _use(broker: BrokerProcess, api: Api, dial: Callable[[Broker], Connection]) -> list[bytes]:
    """Log in and fail to, over both protocols; make users in every way; return the answers."""
    told = [Path(f"/proc/{broker.pid}/cmdline").read_bytes()]
    for response, mechanism in ((plain("boss", WRONG), "PLAIN"), (amqplain("boss", WRONG), "AMQPLAIN")):
        with suppress(Mismatch):  # The connection ends without a word.
            told.append(users.refusal(dial(broker), response, mechanism).encode())
    pika.BlockingConnection(pika.URLParameters(f"amqp://boss:{DEFAULT}@{broker.host}:{broker.port}")).close()
    told.append(Api(broker.http_url, "boss", WRONG).call("GET", "/api/whoami").body)
    told.append(Api(broker.http_url, "nobody", WRONG).call("GET", "/api/whoami").body)
    told.append(api.call("POST", "/api/login", {"username": "boss", "password": WRONG}).body)
    told.append(api.call("PUT", "/api/users/alice", {"password": OTHER, "tags": "management"}).body)
    told.append(api.call("PUT", "/api/users/bob", {"password": OTHER, "tags": {"wrong": 1}}).body)
    told.append(api.call("PUT", "/api/users/bob", b'{"password": "' + OTHER.encode()).body)
    document = {"users": [{"name": "carol", "password": IMPORTED, "tags": ""}]}
    told.append(api.call("POST", "/api/definitions", document).body)
    told.append(api.call("POST", "/api/definitions", {"users": [{"name": 1, "password": IMPORTED}]}).body)
    told.append(api.call("GET", f"/api/auth/hash_password/{HASHED}").body)
    return told


def test_the_data_folder_is_the_owners(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """A folder that the broker makes is open to nobody else, whatever the mask."""
    start_broker()
    folders = [path.parent for path in tmp_path.rglob("*.sqlite*")] + [path.parent for path in tmp_path.rglob("data.mdb")]
    found = {stat.S_IMODE(path.stat().st_mode) for path in folders if path.name == "data"}
    assert {0o700} == found
    for folder in folders:
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}

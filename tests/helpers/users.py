"""Users of a broker: made over its management API, and let in or refused."""

from conformance.client.connection import Connection
from conformance.wire.frames import PROTOCOL_HEADER
from helpers.broker import Broker
from helpers.management import management


def give(
    broker: Broker, user: str, password: str, *, configure: str = "", write: str = "", read: str = "", tags: str = ""
) -> None:
    """A user with these rights in the default virtual host; with an empty password he cannot log in by one."""
    api = management(broker)
    secret = {"password": password} if password else {"password_hash": ""}
    api.put("users", user, body={**secret, "tags": tags})
    api.put("permissions", "/", user, body={"configure": configure, "write": write, "read": read})


def refusal(connection: Connection, response: bytes, mechanism: str = "PLAIN", header: bytes = PROTOCOL_HEADER) -> str:
    """With which text the broker refuses to let somebody into the default virtual host; empty if it does not."""
    connection.start(header)
    connection.start_ok(response, mechanism)
    answer = connection.wait("connection.tune", "connection.close")
    if answer.name == "connection.tune":
        connection.tune_ok(answer)
        connection.send("connection.open", virtual_host="/")
        answer = connection.wait("connection.open-ok", "connection.close")
    return "" if answer.name == "connection.open-ok" else str(answer.reply_text)

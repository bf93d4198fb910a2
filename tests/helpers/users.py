"""Users of a broker, made over its management API."""

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

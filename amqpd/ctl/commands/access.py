"""Users, their rights and their limits."""

import base64
import getpass
import hashlib
import json
import secrets
import sys
from typing import Any, Final

from amqpd.ctl.api import Api
from amqpd.ctl.command import Argument, Command, Invocation
from amqpd.ctl.failure import DATA, NO_PERMISSION, NO_USER, SOFTWARE, Failure

USERNAME: Final = Argument("username", "name of the user")
PASSWORD: Final = Argument("password", "the password; without it, it is asked for or read from standard input", "?")
RIGHTS: Final = (
    Argument("configure", "regular expression of what may be declared and deleted"),
    Argument("write", "regular expression of what may be published to"),
    Argument("read", "regular expression of what may be consumed from"),
)


def _password(invocation: Invocation) -> str:
    given: str | None = invocation["password"]
    if given is not None:
        return given
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _user(invocation: Invocation) -> dict[str, Any]:
    """The user as the broker knows it. Raises Failure."""
    name = invocation["username"]
    if not invocation.api.exists("users", name):
        raise Failure(NO_USER, f'User "{name}" does not exist')
    found: dict[str, Any] = invocation.api.get("users", name)
    return found


def _tags(user: dict[str, Any]) -> str:
    tags = user.get("tags", "")
    return ",".join(tags) if isinstance(tags, list) else str(tags)


def add_user(invocation: Invocation) -> None:
    """A new user without rights."""
    name = invocation["username"]
    if invocation.api.exists("users", name):
        raise Failure(SOFTWARE, f'User "{name}" already exists')
    invocation.output.remark(f'Adding user "{name}" ...')
    invocation.api.put("users", name, body={"password": _password(invocation), "tags": ""})


def delete_user(invocation: Invocation) -> None:
    """The user is gone."""
    _user(invocation)
    invocation.output.remark(f'Deleting user "{invocation["username"]}" ...')
    invocation.api.delete("users", invocation["username"])


def change_password(invocation: Invocation) -> None:
    """Another password, the same tags."""
    user = _user(invocation)
    invocation.output.remark(f'Changing password for user "{invocation["username"]}" ...')
    invocation.api.put("users", invocation["username"], body={"password": _password(invocation), "tags": _tags(user)})


def clear_password(invocation: Invocation) -> None:
    """No password: nobody can log in with one."""
    user = _user(invocation)
    invocation.output.remark(f'Clearing password for user "{invocation["username"]}" ...')
    invocation.api.put("users", invocation["username"], body={"password_hash": "", "tags": _tags(user)})


def set_user_tags(invocation: Invocation) -> None:
    """Other tags, the same password."""
    user = _user(invocation)
    tags = ",".join(invocation["tag"])
    invocation.output.remark(f'Setting tags for user "{invocation["username"]}" to [{tags}] ...')
    body = {"tags": tags, "password_hash": user["password_hash"], "hashing_algorithm": user["hashing_algorithm"]}
    invocation.api.put("users", invocation["username"], body=body)


def authenticate_user(invocation: Invocation) -> None:
    """Whether the broker accepts name and password; whether the user may use the management does not matter."""
    name = invocation["username"]
    try:
        Api(invocation.api.url, name, _password(invocation), invocation.api.timeout).get("whoami")
    except Failure as failure:
        if failure.exit_code != NO_PERMISSION or "management user" not in failure.text:
            raise
    invocation.output.remark(f'User "{name}" is known by this password')


def hash_password(invocation: Invocation) -> None:
    """What a broker keeps of a password: a random salt, and the SHA-256 digest of salt and password."""
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + _password(invocation).encode()).digest()
    sys.stdout.write(base64.b64encode(salt + digest).decode() + "\n")


# --- rights ------------------------------------------------------------------------------------------------------------


def _rights(invocation: Invocation) -> dict[str, str]:
    return {name: invocation[name] for name in ("configure", "write", "read")}


def set_permissions(invocation: Invocation) -> None:
    """Rights in one virtual host."""
    _user(invocation)
    invocation.output.remark(f'Setting permissions for user "{invocation["username"]}" in vhost "{invocation.vhost}" ...')
    invocation.api.put("permissions", invocation.vhost, invocation["username"], body=_rights(invocation))


def set_permissions_globally(invocation: Invocation) -> None:
    """Rights in every virtual host."""
    _user(invocation)
    vhosts = invocation.api.get("vhosts")
    with invocation.output.progress("Setting permissions", len(vhosts)) as advance:
        for vhost in vhosts:
            invocation.api.put("permissions", vhost["name"], invocation["username"], body=_rights(invocation))
            advance(1)


def clear_permissions(invocation: Invocation) -> None:
    """No rights in a virtual host."""
    invocation.output.remark(f'Clearing permissions for user "{invocation["username"]}" in vhost "{invocation.vhost}" ...')
    invocation.api.delete("permissions", invocation.vhost, invocation["username"])


def set_topic_permissions(invocation: Invocation) -> None:
    """Rights to routing keys of one exchange."""
    _user(invocation)
    body = {name: invocation[name] for name in ("exchange", "write", "read")}
    invocation.output.remark(f'Setting topic permissions on "{body["exchange"]}" for user "{invocation["username"]}" ...')
    invocation.api.put("topic-permissions", invocation.vhost, invocation["username"], body=body)


def clear_topic_permissions(invocation: Invocation) -> None:
    """No such rights any more, at one exchange or at all."""
    exchange = invocation["exchange"]
    invocation.output.remark(f'Clearing topic permissions for user "{invocation["username"]}" ...')
    last = [exchange] if exchange is not None else []
    invocation.api.delete("topic-permissions", invocation.vhost, invocation["username"], *last)


# --- limits ------------------------------------------------------------------------------------------------------------


def definition(text: str) -> dict[str, Any]:
    """A JSON object. Raises Failure."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Failure(DATA, f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Failure(DATA, "must be a JSON object")
    return found


def set_user_limits(invocation: Invocation) -> None:
    """Limits such as {"max-connections": 10}."""
    _user(invocation)
    for name, value in definition(invocation["definition"]).items():
        invocation.api.put("user-limits", invocation["username"], name, body={"value": value})


def clear_user_limits(invocation: Invocation) -> None:
    """One limit, or all of them."""
    names = [invocation["limit"]] if invocation["limit"] != "all" else ["max-connections", "max-channels"]
    for name in names:
        invocation.api.delete("user-limits", invocation["username"], name)


COMMANDS: Final = (
    Command("add_user", "create a user without rights", add_user, (USERNAME, PASSWORD)),
    Command("delete_user", "delete a user", delete_user, (USERNAME,)),
    Command("change_password", "give a user another password", change_password, (USERNAME, PASSWORD)),
    Command("clear_password", "let nobody log in with a password", clear_password, (USERNAME,)),
    Command("set_user_tags", "say what a user is", set_user_tags, (USERNAME, Argument("tag", "such as monitoring", "*"))),
    Command("authenticate_user", "try a name and a password", authenticate_user, (USERNAME, PASSWORD)),
    Command("hash_password", "hash a password as brokers do", hash_password, (PASSWORD,)),
    Command("set_permissions", "give rights in a virtual host", set_permissions, (USERNAME, *RIGHTS)),
    Command("set_permissions_globally", "give rights in all virtual hosts", set_permissions_globally, (USERNAME, *RIGHTS)),
    Command("clear_permissions", "take rights in a virtual host", clear_permissions, (USERNAME,)),
    Command(
        "set_topic_permissions",
        "give rights to routing keys",
        set_topic_permissions,
        (USERNAME, Argument("exchange", "name of the exchange"), *RIGHTS[1:]),
    ),
    Command(
        "clear_topic_permissions",
        "take rights to routing keys",
        clear_topic_permissions,
        (USERNAME, Argument("exchange", "only at this exchange", "?")),
    ),
    Command("set_user_limits", "limit a user", set_user_limits, (USERNAME, Argument("definition", "limits as JSON"))),
    Command("clear_user_limits", "lift limits of a user", clear_user_limits, (USERNAME, Argument("limit", "its name, or all"))),
)

"""One request as a view sees it: who asks, for what, with which body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from amqpd.broker.client import Client
from amqpd.broker.remote import RemoteUser
from amqpd.broker.users import IMPERSONATOR, User
from amqpd.broker.vhost import VHost
from amqpd.errors import Undecided
from amqpd.management.body import read
from amqpd.management.encoding import NESTING_MAX, OBJECT_BYTES, decode
from amqpd.management.page import Wish
from amqpd.management.refusal import bad_request, missing, not_authorised, not_found
from amqpd.management.site import Site
from amqpd.management.stats import Ranges

MANAGEMENT_TAGS: Final = frozenset(("administrator", "monitoring", "policymaker", "management"))
ADMINISTRATOR_TAGS: Final = frozenset(("administrator",))
MONITORING_TAGS: Final = frozenset(("administrator", "monitoring"))
POLICY_TAGS: Final = frozenset(("administrator", "policymaker"))
_EMPTY_BODIES: Final = (b"", b"null", b"undefined")
LINE_MAX: Final = 80
NO_ACCESS: Final = "User not authorised to access virtual host"


class Answer:
    """An answer other than 200 with JSON."""

    def __init__(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.status: Final = status
        self.body: Final = body
        self.headers: Final = dict(headers or {})


CREATED: Final = Answer(201)
NO_CONTENT: Final = Answer(204)


def saved(is_new: bool) -> Answer:
    """The answer to a PUT."""
    return CREATED if is_new else NO_CONTENT


class Call:
    """A request and what it may do."""

    def __init__(self, site: Site, request: web.Request, parameters: dict[str, str], user: User) -> None:
        self.site: Final = site
        self.broker: Final = site.broker
        self.request: Final = request
        self.parameters: Final = parameters
        self.user: Final = user
        """Nobody in particular if the route is open to anybody."""
        self.query: Final[Mapping[str, str]] = request.query
        self._sent: bytes | None = None
        self._body: dict[str, Any] | None = None

    # --- what the user may do --------------------------------------------------------------------------------------

    def has_tag(self, tags: frozenset[str]) -> bool:
        """True if the user has one of the tags."""
        return not tags.isdisjoint(self.user.tags)

    @property
    def monitors(self) -> bool:
        """True if the user may see everything."""
        return self.has_tag(MONITORING_TAGS)

    def may_see(self, vhost: str) -> bool:
        """True if the user may look into the virtual host."""
        return self.monitors or self.user.may_enter(vhost)

    def visible_vhosts(self) -> list[VHost]:
        """The virtual hosts that the user may look into, or the one that the path or X-Vhost names; by name."""
        if "vhost" in self.parameters:
            return [self.seen_vhost()]
        wanted = self.request.headers.get("X-Vhost", "")
        vhosts = self.broker.vhosts
        return [vhosts[name] for name in sorted(vhosts) if self.may_see(name) and wanted in ("", name)]

    # --- what the path names ---------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    def seen_vhost(self) -> VHost:
        """The virtual host of the path, to look into. Raises Refusal."""
        vhost = self.broker.vhosts.get(self["vhost"])
        if vhost is None:
            raise not_found()
        if not self.may_see(vhost.name):
            raise not_authorised(NO_ACCESS)
        return vhost

    def entered_vhost(self) -> VHost:
        """The virtual host of the path, to change something in it. Raises Refusal."""
        vhost = self.broker.vhosts.get(self["vhost"])
        if vhost is None:
            raise missing("vhost_not_found")
        if not self.user.may_enter(vhost.name):
            raise not_authorised(NO_ACCESS)
        return vhost

    def client(self, vhost: VHost) -> Client:
        """The user as a client of the virtual host. Raises Refusal."""
        access = self.user.access(vhost.name)
        if access is None:
            raise not_authorised(NO_ACCESS)
        return Client(self.user.name, vhost.name, access, IMPERSONATOR in self.user.tags, False)

    async def ask(self, question: Undecided) -> None:
        """Have the user's backend answer a question that came up when something was done already."""
        assert isinstance(self.user, RemoteUser), "nobody else has a backend to be asked"
        await self.site.backends.ask(question, self.user.answers)

    # --- what the query and the body say ---------------------------------------------------------------------------

    def wish(self) -> Wish:
        """How a list is wanted."""
        return Wish(self.query)

    def ranges(self) -> Ranges:
        """Which samples are wanted."""
        return Ranges(self.query)

    def flag(self, name: str) -> bool:
        """True if the query says `name=true`."""
        return self.query.get(name) == "true"

    def begin(self) -> None:
        """What happens in the core from here on, the user wants."""
        self.site.wiring.begin()
        self.site.broker.events.actor = self.user.name

    async def sent(self, limit: int) -> bytes:
        """What was sent. Raises Refusal if it is longer, or longer than the option allows."""
        if self._sent is None:
            self._sent = await read(self.request, min(limit, self.site.config.http_body_limit))
        return self._sent

    async def body(self, *mandatory: str) -> dict[str, Any]:
        """The JSON object that was sent; empty if nothing was. Raises Refusal if it lacks something, or is too long."""
        if self._body is None:
            self._body = json_object(await self.sent(OBJECT_BYTES))
            self.begin()
        lacking = [name for name in mandatory if name not in self._body]
        if lacking:
            raise bad_request(_missing(lacking))
        return self._body

    async def done(self, answer: Answer = NO_CONTENT) -> Answer:
        """The answer, once everything that was changed is on disk, and policies are obeyed."""
        self.begin()
        await self.site.obeyed()
        await self.site.durable()
        return answer


def json_object(body: bytes, nesting: int = NESTING_MAX) -> dict[str, Any]:
    """The JSON object that was sent; empty if nothing was. Raises Refusal."""
    if body.strip() in _EMPTY_BODIES:
        return {}
    try:
        found = decode(body, nesting)
    except ValueError:
        raise bad_request("not_json") from None
    if isinstance(found, str):
        raise bad_request("not_json: the body is doubly-JSON-encoded")
    if not isinstance(found, dict):
        raise bad_request("not_json")
    return found


def _missing(names: list[str]) -> str:
    """What RabbitMQ says of members that are missing, broken into lines if it is long."""
    words = [f"{{key_missing,{name}}}" for name in names]
    line = f"[{','.join(words)}]"
    return line if len(line) <= LINE_MAX else "[" + ",\n ".join(words) + "]"


def boolean(body: Mapping[str, Any], name: str, default: bool) -> bool:
    """A boolean member, or the text of one. Raises Refusal."""
    value = body.get(name, default)
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise bad_request(["not_boolean", value])


def integer(value: object) -> int:
    """A whole number, or the text of one. Raises Refusal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 20:
        return int(value)
    raise bad_request(["not_integer", value])


def string(value: object, reason: object) -> str:
    """A text. Raises Refusal with this reason."""
    if not isinstance(value, str):
        raise bad_request(reason)
    return value

"""The HTTP server: finds the view for a request, asks who it is, and turns what comes back into a response.

1. Every response carries the security headers; nothing but what `ui/` holds is served as a file.
2. A request that changes something is refused if a browser sent it on behalf of another site.
3. An error that is nobody's intention is logged, and told without details.
4. A view that needs an answer of a backend outside has done nothing before it, and is called again with the answer.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from aiohttp import web

from amqpd.broker.remote import RemoteUser
from amqpd.broker.users import User
from amqpd.errors import AmqpError, Undecided
from amqpd.logs import ERROR, log
from amqpd.management import files, openapi
from amqpd.management.body import refuse_compressed
from amqpd.management.call import MANAGEMENT_TAGS, MONITORING_TAGS, POLICY_TAGS, Answer, Call
from amqpd.management.encoding import encode, encode_slowly
from amqpd.management.logins import Unknown
from amqpd.management.port import Port
from amqpd.management.refusal import Refusal, bad_request, not_authorised, not_found, refusal_of
from amqpd.management.routes import ADMINISTRATOR, ANYBODY, MONITORING, POLICYMAKER, Route
from amqpd.management.site import Site
from amqpd.management.streaming import Streamed
from amqpd.management.table import ROUTES
from amqpd.shortage import end_if_out_of_memory

logger = logging.getLogger(__name__)

SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
COMPRESSED_BYTES: Final = 2048
"""Smaller answers are not worth compressing."""
STREAMED_BYTES: Final = 256 * 1024
"""Larger ones are sent piece by piece."""
NOBODY: Final = User("", "", "", ())
CHALLENGE: Final = 'Basic realm="RabbitMQ Management"'
SECURITY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TAGS: Final = {
    ADMINISTRATOR: (frozenset(("administrator",)), "Not administrator user"),
    MONITORING: (MONITORING_TAGS, "Not monitor user"),
    POLICYMAKER: (POLICY_TAGS, "Not policymaker user"),
}


class Server:
    """Serves the API and the web page."""

    def __init__(self, site: Site, prefix: str, origins: tuple[str, ...], body_limit: int) -> None:
        self.site: Final = site
        self.prefix: Final = prefix
        site.document = openapi.document(ROUTES.all, prefix)
        self.origins: Final = origins
        """Other sites whose pages may use the API; `*` for all."""
        self.body_limit: Final = body_limit
        self._port: Final = Port()

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen; return the address. Raises StartError if that cannot be."""
        application = web.Application(client_max_size=self.body_limit)
        application.router.add_route("*", r"/{path:[\s\S]*}", self.respond)
        return await self._port.open(application, host, port, tls)

    async def close(self) -> None:
        """Stop listening and drop connections."""
        await self._port.close()

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self._port.heard(request)
        try:
            response: web.StreamResponse = await self._answer(request)
        except Refusal as refusal:
            response = _json(refusal.body, refusal.status)
            if isinstance(refusal, Unknown) and refusal.challenges:
                response = web.Response(status=401, headers={"WWW-Authenticate": CHALLENGE})
        except AmqpError as error:
            told = refusal_of(error)
            response = _json(told.body, told.status)
        except web.HTTPRequestEntityTooLarge:
            response = _json(bad_request("Exceeded HTTP request body size limit").body, 400)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            end_if_out_of_memory(error)
            log(logger, ERROR, "internal error", method=request.method, path=request.path, error=repr(error))
            logger.debug("internal error", exc_info=error)
            response = _json({"error": "internal_server_error", "reason": "Internal Server Error"}, 500)
        response.headers.update(SECURITY)
        response.headers.setdefault("Cache-Control", "no-cache, no-store")
        response.headers["Vary"] = "accept-encoding, origin"
        self._allow_origin(request, response)
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        refuse_compressed(request)
        segments = self._segments(request)
        if not segments and not request.raw_path.partition("?")[0].endswith("/"):
            return web.Response(status=303, headers={"Location": f"{self.prefix}/"})
        if segments in (["api"], ["api", "index.html"]):
            return web.Response(status=303, headers={"Location": f"{self.prefix}/api/openapi.json"})
        if segments[:1] != ["api"]:
            return _file(request, segments)
        found = ROUTES.find(segments)
        if not found:
            raise not_found()
        method = "GET" if request.method == "HEAD" else request.method
        route = found.get(method)
        if route is None:
            return _allowed(request.method, found)
        if request.method not in SAFE:
            self._check_origin(request)
            if self.site.broker.read_only and route.access != ANYBODY:
                raise Refusal(403, "forbidden", "the broker is read-only")
        call = Call(self.site, request, ROUTES.parameters(route, segments), await self._user(request, route))
        return await _response(request, await self._viewed(route, call))

    async def _viewed(self, route: Route, call: Call) -> object:
        """What the view says, which begins anew after each answer of a backend (4)."""
        while True:
            call.begin()
            try:
                return await route.view(call)
            except Undecided as question:
                assert isinstance(call.user, RemoteUser), "nobody else has a backend to be asked"
                await self.site.backends.ask(question, call.user.answers)

    def _segments(self, request: web.Request) -> list[str]:
        """The path's segments, decoded, without the prefix. Raises Refusal."""
        path = request.raw_path.partition("?")[0]
        if self.prefix and not (path + "/").startswith(self.prefix + "/"):
            raise not_found()
        segments = path.removeprefix(self.prefix).split("/")[1:]
        while segments and not segments[-1]:
            segments.pop()
        try:
            return [_meant(unquote(segment, errors="strict")) for segment in segments]
        except UnicodeDecodeError:
            raise bad_request("the path is not UTF-8") from None

    async def _user(self, request: web.Request, route: Route) -> User:
        """Who asks. Raises Refusal if nobody known does, or somebody who may not."""
        if route.access == ANYBODY:
            return NOBODY
        authorization = request.headers.get("Authorization")
        if authorization is None:
            raise Unknown("Not_Authorized", challenges=True)
        user = await self.site.logins.user(authorization, request.remote or "")
        if MANAGEMENT_TAGS.isdisjoint(user.tags):
            raise not_authorised("Not management user")
        tags, reason = _TAGS.get(route.access, (MANAGEMENT_TAGS, ""))
        if tags.isdisjoint(user.tags):
            raise not_authorised(reason)
        return user

    # --- other sites -----------------------------------------------------------------------------------------------

    def _is_allowed(self, origin: str) -> bool:
        return origin in self.origins or "*" in self.origins

    def _check_origin(self, request: web.Request) -> None:
        """Raise Refusal if the page of a site that may not do so sent the request (2)."""
        origin = request.headers.get("Origin")
        if origin is None:
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                raise Refusal(403, "forbidden", "Cross-site requests are not allowed")
        elif _host(origin) != request.headers.get("Host") and not self._is_allowed(origin):
            raise Refusal(403, "forbidden", "Cross-site requests are not allowed")

    def _allow_origin(self, request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        if origin is None or not self._is_allowed(origin):
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Location"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Headers"] = "authorization, content-type, x-reason, x-vhost"
            response.headers["Access-Control-Max-Age"] = "1800"


def _meant(segment: str) -> str:
    """The segment; clients that resolve `.` and `..` themselves say them behind a line feed, which no name has."""
    return segment[1:] if segment in ("\n.", "\n..") else segment


def _host(origin: str) -> str:
    """The host and port that a page came from; empty if the origin makes no sense."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _allowed(method: str, found: Mapping[str, Route]) -> web.Response:
    methods = ["HEAD", "GET"] if "GET" in found else []
    methods += [name for name in ("PUT", "POST", "PATCH", "DELETE") if name in found]
    allow = {"Allow": ", ".join([*methods, "OPTIONS"])}
    if method == "OPTIONS":
        return web.Response(status=200, headers=allow)
    return _json({"error": "method_not_allowed", "reason": "Method Not Allowed"}, 405, allow)


async def _response(request: web.Request, answer: object) -> web.StreamResponse:
    if isinstance(answer, Answer):
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    accept = request.headers.get("Accept", "*/*")
    if not any(kind in accept for kind in ("*/*", "application/json", "application/*")):
        return web.Response(status=406)
    encoded = await encode_slowly(answer)
    if encoded.size > STREAMED_BYTES and request.method != "HEAD":
        return Streamed(request, encoded)
    body = b"".join(encoded.pieces())
    response = web.Response(body=body, content_type="application/json", zlib_executor_size=COMPRESSED_BYTES)
    if len(body) > COMPRESSED_BYTES:
        response.enable_compression()
    return response


def _json(value: object, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    body = encode(value)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _file(request: web.Request, segments: list[str]) -> web.Response:
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, headers={"Allow": "HEAD, GET"})
    found = files.find(Path(__file__).parent / "ui", segments)
    if found is None:
        raise not_found()
    return web.Response(body=found.body, content_type=found.content_type, charset=found.charset)

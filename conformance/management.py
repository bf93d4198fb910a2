"""A client of RabbitMQ's management API, as thin as HTTP allows."""

import base64
import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from conformance.client.transcript import Transcript
from conformance.mismatch import Mismatch
from conformance.target import Address


class Response:
    """Status, headers and body of an answer."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self) -> Any:
        """The body as JSON; Mismatch when it is not."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise Mismatch("a JSON body", self.text[:200]) from error


def path(*segments: str) -> str:
    """An API path with every segment percent-encoded."""
    return "/api/" + "/".join(quote(segment, safe="") for segment in segments)


class Management:
    """Requests to one broker; each is noted in the transcript."""

    def __init__(self, address: Address, transcript: Transcript, timeout: float) -> None:
        self._address = address
        self._transcript = transcript
        self._timeout = timeout

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        user: tuple[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Sends a request, as the administrator unless another user is given, and returns the answer."""
        login = ":".join(user or (self._address.user, self._address.password))
        authorization = "Basic " + base64.b64encode(login.encode()).decode()
        sent = {"Authorization": authorization, "Content-Type": "application/json", **(headers or {})}
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        return self.raw(method, target, text, {name: value for name, value in sent.items() if value})

    def raw(self, method: str, target: str, text: str | None, headers: dict[str, str]) -> Response:
        """Sends a request with exactly these headers."""
        self._transcript.sent(0, f"{method} {target} {text or ''}".rstrip())
        connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=max(20, self._timeout))
        try:
            connection.request(method, target, text, headers)
            reply = connection.getresponse()
            answer = reply.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Mismatch("an HTTP answer", f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        self._transcript.answered(f"{reply.status} {answer[:600]}")
        return Response(reply.status, {name.lower(): value for name, value in reply.getheaders()}, answer)

    def must(self, status: int, method: str, target: str, body: Any = None, **options: Any) -> Response:
        """Sends a request that must be answered with this status."""
        response = self.request(method, target, body, **options)
        if response.status != status:
            raise Mismatch(f"{method} {target} answered with {status}", f"{response.status} {response.text[:200]}")
        return response

    def get(self, *segments: str, query: str = "", **options: Any) -> Any:
        """The JSON at a path, which must exist."""
        return self.must(200, "GET", path(*segments) + query, **options).json

    def put(self, *segments: str, body: Any = None, **options: Any) -> Response:
        """Creates or updates what a path names; Mismatch unless 201 or 204."""
        response = self.request("PUT", path(*segments), {} if body is None else body, **options)
        if response.status not in (201, 204):
            raise Mismatch("201 or 204", f"{response.status} {response.text[:200]}")
        return response

    def delete(self, *segments: str, **options: Any) -> Response:
        """Deletes what a path names; the answer is for the caller to judge."""
        return self.request("DELETE", path(*segments), **options)

    def eventually(self, read: Callable[[], Any], holds: Callable[[Any], bool], expected: str, within: float = 12) -> Any:
        """Reads until a condition holds, for values that brokers collect every few seconds."""
        deadline = time.monotonic() + within
        while not holds(value := read()):
            if time.monotonic() > deadline:
                raise Mismatch(expected, repr(value)[:300])
            time.sleep(0.1)
        return value

"""The management API of RabbitMQ or amqpd, as one user."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import quote, urlsplit

from amqpd.ctl.failure import DATA, NO_PERMISSION, SOFTWARE, UNAVAILABLE, Failure

EXIT_CODES: Final = {400: DATA, 401: NO_PERMISSION, 403: NO_PERMISSION, 404: UNAVAILABLE, 405: UNAVAILABLE, 503: UNAVAILABLE}
"""By HTTP status; any other is the broker's fault."""


class Missing(Failure):
    """404: there is no such thing."""


class Api:
    """Sends requests; every method raises Failure for whatever is not a success."""

    def __init__(self, url: str, user: str, password: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise Failure(64, f"{url} is no URL of a management API; it must be such as http://localhost:15672")
        self.url: Final = url.rstrip("/")
        self.timeout: Final = timeout
        self._authorization: Final = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, *segments: str, **query: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The JSON at a path of these segments."""
        return self._send("GET", segments, query=query)

    def put(self, *segments: str, body: object = None) -> None:
        """Create or change what is there."""
        self._send("PUT", segments, body={} if body is None else body)

    def post(self, *segments: str, body: object = None) -> Any:  # noqa: ANN401 - the same
        """Have something done."""
        return self._send("POST", segments, body={} if body is None else body)

    def delete(self, *segments: str, reason: str = "", **query: str) -> None:
        """Delete what is there."""
        self._send("DELETE", segments, query=query, headers={"X-Reason": reason} if reason else {})

    def exists(self, *segments: str) -> bool:
        """Whether there is something."""
        try:
            self.get(*segments)
        except Missing:
            return False
        return True

    def _send(
        self, method: str, segments: tuple[str, ...], *, body: object = None, query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - the same  # fmt: skip
        path = "/".join([quote(segment, safe="") for segment in segments])
        given = "&".join([f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in (query or {}).items()])
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        url = f"{self.url}/api/{path}{'?' if given else ''}{given}"
        request = urllib.request.Request(url, data, method=method)  # noqa: S310 - http or https, see above
        request.add_header("Authorization", self._authorization)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:  # noqa: S310 - the same
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error.code, error.read()) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, ssl.SSLError) as error:
            reason = getattr(error, "reason", error)
            raise Failure(UNAVAILABLE, f"{self.url} does not answer: {reason}") from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Failure(SOFTWARE, f"{self.url} is no management API") from None


def _failure(status: int, text: bytes) -> Failure:
    """What an answer other than a success means."""
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    reason = body.get("reason") if isinstance(body, dict) else None
    if status == 401:
        return Failure(NO_PERMISSION, f"the broker refuses this: {reason or 'not authorised'}")
    if status == 404:
        return Missing(UNAVAILABLE, "there is no such thing" if reason in {None, "Not Found"} else str(reason))
    if status == 405:
        return Failure(UNAVAILABLE, "this broker does not know how to do that")
    told = reason if isinstance(reason, str) else json.dumps(reason if reason is not None else body)
    return Failure(EXIT_CODES.get(status, SOFTWARE), f"the broker answers {status}: {told}")

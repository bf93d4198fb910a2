"""A client of the management API."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any, Final

TIMEOUT: Final = 30.0


class Reply:
    """What the management answered."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body."""
        return json.loads(self.body)


class Api:
    """Speaks HTTP to the management as one user."""

    def __init__(self, url: str, user: str = "guest", password: str = "guest") -> None:
        self.url = url
        self.authorization: str | None = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Send a request; the body is JSON unless it is bytes."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)  # noqa: S310 - our own URL
        if self.authorization is not None:
            request.add_header("Authorization", self.authorization)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - the same
                return Reply(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())

    def get(self, path: str, **headers: str) -> Any:  # noqa: ANN401 - the same
        """The JSON at a path, which has to be there."""
        reply = self.call("GET", path, **headers)
        assert 200 == reply.status, reply.body
        return reply.json

    def put(self, path: str, body: object = None) -> int:
        """PUT; the status."""
        return self.call("PUT", path, {} if body is None else body).status

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - the same
        """POST something that is answered with JSON."""
        reply = self.call("POST", path, body)
        assert 200 == reply.status, reply.body
        return reply.json

    def delete(self, path: str) -> int:
        """DELETE; the status."""
        return self.call("DELETE", path).status

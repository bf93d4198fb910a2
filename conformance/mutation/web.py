"""A proxy before the management API that counts its answers and corrupts one of them."""

import contextlib
import json
import socket
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any, Final

from conformance.mutation.listener import NEVER, Listener

HOP: Final = ("connection", "content-length", "transfer-encoding")
END_OF_HEAD: Final = b"\r\n\r\n"

Answer = tuple[int, bytes]
WebLie = Callable[[int, bytes], Answer]


def contradict(status: int, body: bytes) -> Answer:
    """Success in place of an error, an error in place of success."""
    del body
    return (200, b"{}") if status >= 300 else (500, b'{"error": "corrupted", "reason": "corrupted"}')


def distort(status: int, body: bytes) -> Answer:
    """The same status with every value of the JSON wrong."""
    try:
        return status, json.dumps(distorted(json.loads(body))).encode()
    except ValueError:
        return status, b"corrupted" if body else body


def distorted(value: Any) -> Any:
    """Other values under the same names; a list has one more."""
    if isinstance(value, dict):
        return {name: distorted(member) for name, member in value.items()}
    if isinstance(value, list):
        return [*map(distorted, value), "corrupted"]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"corrupted {value}"


WEB_LIES: Final[tuple[WebLie, ...]] = (contradict, distort)


class WebProxy(Listener):
    """Corrupts answers of the management API."""

    def __init__(self, host: str, port: int, lie: WebLie = contradict, victim: int = NEVER) -> None:
        super().__init__(host, port, victim)
        self._lie = lie
        self.start()

    def serve(self, client: socket.socket) -> None:
        """Passes on one request, which is all that the suite sends over a connection."""
        with contextlib.suppress(OSError), client, self.dial() as broker:
            request = _receive_request(client)
            broker.sendall(request)
            method = request.partition(b" ")[0].decode("latin-1")
            response = HTTPResponse(broker, method=method)
            response.begin()
            client.sendall(self._answer(method, response, response.read()))

    def _answer(self, method: str, response: HTTPResponse, body: bytes) -> bytes:
        status, length = response.status, response.getheader("Content-Length") or "0"
        if self.is_victim():
            status, body = self._lie(status, body)
        if method != "HEAD":
            length = str(len(body))
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP]
        fields = [*kept, ("Connection", "close"), *([("Content-Length", length)] if status != 204 else [])]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"HTTP/1.1 {status} \r\n{head}\r\n".encode("latin-1") + (b"" if method == "HEAD" else body)


def _receive_request(client: socket.socket) -> bytes:
    """The octets of one request: its head, and the body that Content-Length announces."""
    octets = b""
    while END_OF_HEAD not in octets:
        octets += _some(client)
    head, _, body = octets.partition(END_OF_HEAD)
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    length = next((int(value) for name, _, value in fields if name.strip().lower() == b"content-length"), 0)
    while len(body) < length:
        body += _some(client)
    return head + END_OF_HEAD + body


def _some(client: socket.socket) -> bytes:
    octets = client.recv(262144)
    if not octets:
        raise ConnectionError
    return octets

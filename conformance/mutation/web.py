"""A proxy before the management API that counts its answers and corrupts one of them."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any, Final

from conformance.mutation.proxy import NEVER, dial

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


class WebProxy:
    """Listens on a free port of the loopback; the answer with the number `victim`, from 1, becomes the lie."""

    def __init__(self, host: str, port: int, lie: WebLie = contradict, victim: int = NEVER) -> None:
        self._upstream = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._seen = 0
        self._victim = victim
        self._lie = lie
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        return int(self._listener.getsockname()[1])

    def be_honest(self) -> None:
        """Lies no more."""
        self._victim = NEVER

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Passes on one request, which is all that the suite sends over a connection."""
        with contextlib.suppress(OSError), client, dial(*self._upstream) as broker:
            request = _receive_request(client)
            broker.sendall(request)
            method = request.partition(b" ")[0].decode("latin-1")
            response = HTTPResponse(broker, method=method)
            response.begin()
            client.sendall(self._answer(method, response, response.read()))

    def _answer(self, method: str, response: HTTPResponse, body: bytes) -> bytes:
        status, length = response.status, response.getheader("Content-Length") or "0"
        with self._lock:
            self._seen += 1
            if self._seen == self._victim:
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

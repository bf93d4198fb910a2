"""An HTTP service that knows users, as the HTTP backend asks it."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

Rule = Callable[[str, dict[str, str]], str]
"""From a question's subject (user, vhost, resource, topic) and parameters to the answer."""


class Service:
    """Answers by a rule, and remembers what it was asked."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.status = 200
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        """Method, subject, parameters."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """The parameters are the query."""
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                """The parameters are a form."""
                self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _answer(self, form: str) -> None:
                subject = urlsplit(self.path).path.rpartition("/")[2]
                parameters = dict(parse_qsl(form, keep_blank_values=True))
                service.asked.append((self.command, subject, parameters))
                text = service.rule(subject, parameters).encode()
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: object) -> None:
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def options(self) -> list[str]:
        """How a broker is told to ask it."""
        url = f"http://127.0.0.1:{self._server.server_port}/auth"
        subjects = ("user", "vhost", "resource", "topic")
        return [text for subject in subjects for text in (f"--auth-http-{subject}-path", f"{url}/{subject}")]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

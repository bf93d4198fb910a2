"""What proxies have in common: a free port of the loopback, and a count of what passes, of which one is to be the lie."""

import contextlib
import secrets
import socket
import threading
from typing import Final

NEVER: Final = 0
LOOPBACK: Final = "127.0.0.1"


class Listener:
    """Serves each client in a thread of its own; what passes with the number `victim`, from 1, becomes the lie."""

    def __init__(self, host: str, port: int, victim: int) -> None:
        self._upstream: Final = host, port
        self._listener: Final = socket.create_server((LOOPBACK, 0))
        self._lock: Final = threading.Lock()
        self._seen = 0
        self._victim = victim

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

    def start(self) -> None:
        """Takes connections until it is closed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """Passes on what a client says, and the answers, until one of both ends."""
        raise NotImplementedError

    def dial(self) -> socket.socket:
        """A connection to the broker; on the loopback from an address of its own, as brokers limit the failed logins of one."""
        host, _ = self._upstream
        source = (f"127.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{secrets.randbelow(254) + 1}", 0)
        return socket.create_connection(self._upstream, source_address=source if host == LOOPBACK else None)

    def is_victim(self) -> bool:
        """Counts one more that passes; whether it is to be the lie."""
        with self._lock:
            self._seen += 1
            return self._seen == self._victim

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

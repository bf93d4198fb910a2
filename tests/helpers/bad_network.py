"""A network that stalls, cuts and resets: a relay in front of a broker."""

import contextlib
import select
import socket
import struct
import threading
from types import TracebackType
from typing import Final, Self

from helpers.broker import Broker

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close send RST."""
_POLL: Final = 0.05


class BadNetwork(Broker):
    """The broker as seen through the network; a context manager."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker.url)
        self._address: Final = (broker.host, broker.port)
        self._listening: Final = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._pairs: Final[list[tuple[socket.socket, socket.socket]]] = []
        self._stalled = False
        self._over = False
        self._threads: Final = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def stall(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._stalled = True

    def cut(self, *, reset: bool) -> None:
        """End all connections, in good order or by RST, wherever they are in what they say."""
        pairs = list(self._pairs)
        self._pairs.clear()
        for pair in pairs:
            for end in pair:
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                else:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            broker = socket.create_connection(self._address)
            self._pairs.append((client, broker))
            for source, target in ((client, broker), (broker, client)):
                thread = threading.Thread(target=self._relay, args=(source, target))
                self._threads.append(thread)
                thread.start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while not self._over:
                ready = select.select([source], [], [], _POLL)[0]
                if ready and not self._stalled:
                    data = source.recv(65536)
                    target.sendall(data)
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
        except (OSError, ValueError):
            return

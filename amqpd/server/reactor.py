"""A poll of our own within asyncio's: hears every plain connection that has something to say, then ends the turn.

asyncio takes several interpreted calls for each socket that is ready and another round of its loop for what was put
off to the end of the turn. Here a turn is one callback of asyncio's, compiled: one poll, all input, one flush.

Invariants:

1. A stream is watched from its registration to its `forget`, whose file number is closed only after that.
2. What fails in one stream ends that stream and no other.
"""

from __future__ import annotations

import select
from asyncio import AbstractEventLoop
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.server.flush import FlushSet

READ: Final = 0x001
WRITE: Final = 0x004
"""EPOLLIN and EPOLLOUT."""
EVENTS_MAX: Final = 1024
"""Streams that are served in one turn: asyncio's other callbacks shall not wait for more."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Watched:
    """Something with a file number that the reactor calls."""

    def readable(self) -> None:
        """There is something to read, or the other end is gone."""
        raise NotImplementedError

    def writable(self) -> None:
        """There is room to write."""
        raise NotImplementedError

    def failed(self, error: Exception) -> None:
        """A call raised an exception that nobody expected."""
        raise NotImplementedError


def is_available() -> bool:
    """Whether this system has epoll; where it has not, asyncio's own sockets serve."""
    return hasattr(select, "epoll")


class Reactor:
    """Calls the watched whose files are ready; belongs to the running event loop."""

    def __init__(self, loop: AbstractEventLoop, flush_set: FlushSet) -> None:
        self.loop: Final = loop
        self._flush_set: Final = flush_set
        self._watched: Final[dict[int, Watched]] = {}
        self._epoll: Final = select.epoll()
        loop.add_reader(self._epoll.fileno(), self.turn)

    def watch(self, file: int, watched: Watched, events: int) -> None:
        """Call it from now on when its file is ready for one of the events; `READ`, `WRITE`, both or 0."""
        self._watched[file] = watched
        self._epoll.register(file, events)

    def change(self, file: int, events: int) -> None:
        """The events of a watched file are others now."""
        self._epoll.modify(file, events)

    def forget(self, file: int) -> None:
        """Call nobody for this file any more."""
        if self._watched.pop(file, None) is not None:
            self._epoll.unregister(file)

    def turn(self) -> None:
        """Serve whatever is ready, then end the turn."""
        flush_set = self._flush_set
        flush_set.enter()
        try:
            for file, events in self._epoll.poll(0, EVENTS_MAX):
                watched = self._watched.get(file)
                if watched is not None:
                    self._serve(watched, events)
        finally:
            flush_set.leave()

    def _serve(self, watched: Watched, events: int) -> None:
        try:
            if events & WRITE:
                watched.writable()
            if events & ~WRITE:  # Errors and hang-ups show when it is read.
                watched.readable()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are served
            watched.failed(error)

    def close(self) -> None:
        """Serve nobody any more."""
        self.loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

"""Which view answers which path: a tree of path segments, so that names may hold any character, percent-encoded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from amqpd.management.call import Call

ANYBODY: Final = "anybody"
"""No login needed."""
MANAGEMENT: Final = "management"
"""Any of the tags that let a user use the management."""
POLICYMAKER: Final = "policymaker"
MONITORING: Final = "monitoring"
ADMINISTRATOR: Final = "administrator"

View = Callable[[Call], Awaitable[object]]


class Route(NamedTuple):
    """One thing that can be asked for. A segment of the path in braces is a parameter."""

    method: str
    path: str
    view: View
    access: str
    summary: str
    body: tuple[str, ...] | None = ()
    """The members that its JSON body must have; None if nobody reads the body."""


class _Node:
    """What may follow a beginning of a path."""

    def __init__(self) -> None:
        self.fixed: Final[dict[str, _Node]] = {}
        self.any: _Node | None = None
        self.routes: Final[dict[str, Route]] = {}


class Routes:
    """All routes; a fixed segment wins over a parameter."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.all: Final = tuple(routes)
        self._root: Final = _Node()
        for route in self.all:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.fixed.setdefault(segment, _Node())
            else:
                if node.any is None:
                    node.any = _Node()
                node = node.any
        node.routes[route.method] = route

    def find(self, segments: list[str]) -> dict[str, Route]:
        """The routes at a path by method; empty if there is no such path."""
        return _find(self._root, segments, 0)

    def parameters(self, route: Route, segments: list[str]) -> dict[str, str]:
        """The parameters of a path that the route was found by."""
        names = route.path.split("/")[1:]
        return {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}


def _find(node: _Node, segments: list[str], position: int) -> dict[str, Route]:
    if position == len(segments):
        return node.routes
    fixed = node.fixed.get(segments[position])
    found = _find(fixed, segments, position + 1) if fixed is not None else {}
    if not found and node.any is not None:
        found = _find(node.any, segments, position + 1)
    return found

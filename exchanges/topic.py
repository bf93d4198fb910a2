"""The topic exchange: binding keys are patterns of words, kept in a trie.

1. Words are what stands between the dots of a key, also if it is empty; the empty key has no words.
2. In a binding key `*` is exactly one word, `#` is zero or more; in a routing key they are words like any other.
3. Each node but the root leads to at least one binding: a node is pruned with the last binding below it.
4. In the trie the wildcards of a run stand as stars before at most one `#`, which match the same: `#.*.#` is `*.#`.
5. Matching walks the words once with the set of all nodes reached so far, so its time is bounded by words times nodes
   reached, whatever the wildcards. A reached `#` stays, so a node that leads nowhere but to reached ones is done with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import ClassVar, Final

from mypy_extensions import mypyc_attr

from exchanges import destinations
from exchanges.base import Binding, Destination, Exchange
from exchanges.destinations import CountedDestinations

CACHED_ROUTES: Final = 4096
CACHED_DESTINATIONS: Final = 64  # A longer route takes so long to deliver to that finding it again costs nothing.


class Node:
    """The place in the trie after one more word of a binding key."""

    __slots__ = ("children", "destinations", "parent", "repeats")

    def __init__(self, parent: Node | None, repeats: bool) -> None:
        self.parent = parent
        self.repeats = repeats
        self.children: dict[str, Node] = {}
        self.destinations: CountedDestinations = {}


class Walk:
    """The nodes that the words seen so far lead to (invariant 5)."""

    __slots__ = ("_done", "_open", "_stayed", "reached", "staying")

    def __init__(self, root: Node) -> None:
        self.reached: set[Node] = set()
        """Those that match up to the last word, but for the `#`."""
        self.staying: set[Node] = set()
        """Each `#` that is not done with."""
        self._stayed: set[Node] = set()
        """Each `#` ever reached."""
        self._open: dict[Node, int] = {}
        """Of nodes above a reached `#`: to how many places they lead still."""
        self._done: set[Node] = set()
        self._reach(root)

    def advance(self, word: str) -> None:
        """One more word is seen."""
        before = self.reached
        self.reached = set()
        for node in self.staying.copy():
            self._follow(node, word)
        for node in before:
            if node not in self._done:
                self._follow(node, word)

    def _follow(self, node: Node, word: str) -> None:
        child = node.children.get(word)
        if child is not None:
            self._reach(child)
        child = node.children.get("*")
        if child is not None:
            self._reach(child)

    def _reach(self, node: Node) -> None:
        """Adds a node, and the `#` below it, which needs no word."""
        if node.repeats:
            self._stay(node)
        elif node not in self._done:
            self.reached.add(node)
            below = node.children.get("#")
            if below is not None:
                self._stay(below)

    def _stay(self, node: Node) -> None:
        """Adds a `#`, and is done with what led nowhere else."""
        if node in self._stayed:
            return
        self._stayed.add(node)
        self.staying.add(node)
        above = node.parent
        while above is not None:
            left = self._open.get(above, len(above.children) + bool(above.destinations)) - 1
            self._open[above] = left
            if left:
                return
            self._done.add(above)
            self.staying.discard(above)
            above = None if above.repeats else above.parent


@mypyc_attr(allow_interpreted_subclasses=True)
class TopicExchange(Exchange):
    """Routes to the destinations whose pattern matches the routing key; AMQP 0-9-1 section 3.1.3.3."""

    type: ClassVar[str] = "topic"

    def match(self, routing_key: str, headers: dict[str, object]) -> Iterable[Destination]:
        """The destinations whose pattern matches."""
        route = self._cache.get(routing_key)
        if route is not None:
            self._cache.move_to_end(routing_key)
            return route
        route = self._find(routing_key)
        if len(route) <= CACHED_DESTINATIONS:
            self._cache[routing_key] = route
            if len(self._cache) > CACHED_ROUTES:
                self._cache.popitem(last=False)
        return route

    def _set_up(self) -> None:
        self._root = Node(None, repeats=False)
        self._cache: OrderedDict[str, list[Destination]] = OrderedDict()

    def _find(self, routing_key: str) -> list[Destination]:
        walk = Walk(self._root)
        for word in words_of(routing_key):
            walk.advance(word)
            if not walk.reached and not walk.staying:
                return []
        found = [destination for node in walk.staying for destination in node.destinations]
        return found + [destination for node in walk.reached for destination in node.destinations]

    def _added(self, binding: Binding) -> None:
        self._cache.clear()
        node = self._root
        for word in pattern_of(binding.routing_key):
            child = node.children.get(word)
            if child is None:
                child = node.children[word] = Node(node, repeats=word == "#")
            node = child
        destinations.add(node.destinations, binding.destination)

    def _removed(self, binding: Binding) -> None:
        self._cache.clear()
        words = pattern_of(binding.routing_key)
        path = [self._root]
        for word in words:
            path.append(path[-1].children[word])
        destinations.remove(path[-1].destinations, binding.destination)
        while words and not path[-1].destinations and not path[-1].children:
            path.pop()
            del path[-1].children[words.pop()]


def words_of(key: str) -> list[str]:
    """The words of a routing or binding key, see invariant 1."""
    return key.split(".") if key else []


def pattern_of(key: str) -> list[str]:
    """The words of a binding key as they stand in the trie, see invariant 4."""
    words: list[str] = []
    for word in words_of(key):
        if word not in ("*", "#") or not words or words[-1] != "#":
            words.append(word)
        elif word == "*":
            words.insert(-1, word)
    return words

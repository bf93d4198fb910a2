"""The topic exchange: binding keys are patterns of words, kept in a trie.

1. Words are what stands between the dots of a key, also if it is empty; the empty key has no words.
2. In a binding key `*` is exactly one word, `#` is zero or more; in a routing key they are words like any other.
3. Each node but the root leads to at least one binding: a node is pruned with the last binding below it.
4. Matching walks the words once with the set of all nodes reached so far, so its time is bounded by words times nodes
   reached, whatever the wildcards.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import ClassVar, Final

from exchanges import destinations
from exchanges.base import Binding, Destination, Exchange
from exchanges.destinations import CountedDestinations

CACHED_ROUTES: Final = 4096
CACHED_DESTINATIONS: Final = 64  # A longer route takes so long to deliver to that finding it again costs nothing.


class Node:
    """The place in the trie after one more word of a binding key."""

    __slots__ = ("children", "destinations", "repeats")

    def __init__(self, repeats: bool) -> None:
        self.repeats = repeats
        self.children: dict[str, Node] = {}
        self.destinations: CountedDestinations = {}


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
        self._root = Node(repeats=False)
        self._cache: OrderedDict[str, list[Destination]] = OrderedDict()

    def _find(self, routing_key: str) -> list[Destination]:
        reached: set[Node] = set()
        _reach(self._root, reached)
        for word in words_of(routing_key):
            following: set[Node] = set()
            for node in reached:
                if node.repeats:
                    following.add(node)
                child = node.children.get(word)
                if child is not None:
                    _reach(child, following)
                child = node.children.get("*")
                if child is not None:
                    _reach(child, following)
            if not following:
                return []
            reached = following
        return [destination for node in reached for destination in node.destinations]

    def _added(self, binding: Binding) -> None:
        self._cache.clear()
        node = self._root
        for word in words_of(binding.routing_key):
            child = node.children.get(word)
            if child is None:
                child = node.children[word] = Node(repeats=word == "#")
            node = child
        destinations.add(node.destinations, binding.destination)

    def _removed(self, binding: Binding) -> None:
        self._cache.clear()
        words = words_of(binding.routing_key)
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


def _reach(node: Node, reached: set[Node]) -> None:
    """Adds a node and what follows it without a word: the `#` below it, and each `#` below that."""
    following: Node | None = node
    while following is not None:
        reached.add(following)
        following = following.children.get("#")

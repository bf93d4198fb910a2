"""Octets read as choices: what a fuzzer mutates becomes documents, tables and commands that make sense now and then."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

DEPTH = 4
SCALARS = (
    None, True, False, 0.5, 1e300, 0, 1, -1, 2, 5, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53,
    2**63 - 1, 2**63, -(2**63), 2**64, None, True, False,
)  # fmt: skip


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


class Choices:
    """A source of choices; once its octets are used up, every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def are_left(self) -> bool:
        """False once all octets were used."""
        return self._position < len(self._data)

    def octet(self) -> int:
        """The next octet; 0 after the last."""
        position = self._position
        self._position = position + 1
        return self._data[position] if position < len(self._data) else 0

    def octets(self, count: int) -> bytes:
        """So many octets, or what is left."""
        start = self._position
        self._position = start + count
        return self._data[start : start + count]

    def rest(self) -> bytes:
        """All that is left."""
        return self.octets(len(self._data))

    def pick(self, options: Sequence[T]) -> T:
        """One of these."""
        return options[self.octet() % len(options)]

    def flag(self) -> bool:
        """Yes or no."""
        return self.octet() % 2 == 1

    def text(self, words: Sequence[str]) -> str:
        """One of these words, or any text."""
        at = self.octet()
        if at < 224:
            return words[at % len(words)]
        return self.octets(at - 224).decode("utf-8", "surrogateescape")

    def value(self, words: Sequence[str], depth: int = 0) -> object:
        """Anything that JSON can say."""
        kind = self.octet() % (8 if depth < DEPTH else 6)
        if kind < 2:
            return self.text(words)
        if kind < 6:
            return self.pick(SCALARS)
        items = [self.value(words, depth + 1) for _ in range(self.octet() % 5)]
        return items if kind == 6 else {self.text(words): item for item in items}

    def filled(self, members: Mapping[str, Sequence[object]], words: Sequence[str]) -> dict[str, object]:
        """An object with most of these members, mostly with values that fit."""
        made: dict[str, object] = {}
        for name, fitting in members.items():
            how = self.octet() % 16
            if how == 0:
                made[name] = self.value(words)
            elif how > 1:
                made[name] = self.pick(fitting)
        return made

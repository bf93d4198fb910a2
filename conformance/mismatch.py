"""What a case raises when the broker did not do what the rule says, and the checks that raise it."""

from typing import Any


class Mismatch(Exception):
    """The broker's observed behaviour differs from the expected one."""

    def __init__(self, expected: str, observed: str) -> None:
        super().__init__(f"expected {expected}; observed {observed}")
        self.expected = expected
        self.observed = observed


class Unsupported(Exception):
    """The broker lacks an optional part that the case is about, such as an exchange type of a plugin."""


def equal(what: str, expected: Any, observed: Any) -> None:
    """Raises Mismatch unless both values are equal."""
    if expected != observed:
        raise Mismatch(f"{what} {expected!r}", repr(observed))


def require(holds: bool, expected: str, observed: Any = "otherwise") -> None:
    """Raises Mismatch with the given words unless the condition holds."""
    if not holds:
        raise Mismatch(expected, observed if isinstance(observed, str) else repr(observed))

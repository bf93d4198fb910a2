import re

import pytest

from amqpd.broker.expression import WATCHED, Expression, Malformed, Overlong, Stopwatch


class Impatient(Stopwatch):
    """Lets nothing be searched, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self, seconds: float) -> None:
        """The time is up at once."""
        raise Overlong

    def tell(self, expression: str) -> None:
        """See `Stopwatch.tell`."""
        self.told.append(expression)


@pytest.mark.parametrize(("text", "name", "expected"), [("^q", "queue", True), ("u+e", "queue", True), ("^ue", "queue", False)])
def test_an_expression_is_searched_anywhere(text: str, name: str, expected: bool) -> None:
    """It need not match the whole name."""
    assert expected == Expression(text).is_in(name)


def test_flags() -> None:
    """Filters do not tell capitals."""
    assert Expression("QUEUE", re.IGNORECASE).is_in("queue")


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("(", "missing ), unterminated subpattern", 0),
        ("a**", "multiple repeat", 2),
        ("a{99999999999}", "the repetition number is too large", 0),
    ],
)
def test_what_is_no_expression(text: str, reason: str, position: int) -> None:
    """The error says what is wrong and where."""
    with pytest.raises(Malformed) as found:
        Expression(text)
    assert (reason, position) == (str(found.value), found.value.position)


def test_a_search_that_takes_too_long_finds_nothing() -> None:
    """Its expression is told of once, and marked."""
    expression = Expression("a")
    watch, usual = Impatient(), WATCHED.stopwatch
    WATCHED.stopwatch = watch
    try:
        found = [expression.is_in("a"), expression.is_in("a")]
    finally:
        WATCHED.stopwatch = usual
    assert ([False, False], ["a"], True) == (found, watch.told, expression.is_overlong)


def test_what_takes_too_long_to_read_is_malformed() -> None:
    """An expression is refused, not waited for."""
    usual = WATCHED.stopwatch
    WATCHED.stopwatch = Impatient()
    try:
        with pytest.raises(ValueError, match="takes too long to read"):
            Expression("a")
    finally:
        WATCHED.stopwatch = usual

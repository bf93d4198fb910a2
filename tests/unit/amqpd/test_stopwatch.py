import signal
import threading
import time
from collections.abc import Iterator
from hashlib import pbkdf2_hmac

import pytest

from amqpd import stopwatch
from amqpd.broker.expression import SEARCH_SECONDS, WATCHED, Expression, Malformed

LONGEST_NAME = "a" * 254 + "!"
BOMBS = (
    "(a+)+$", "(a|a)*$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "((a{1,50}){1,50}){1,50}b", "(?:(?:(?:a?){50}){50}){50}b",
    ".*a.*a.*a.*a.*a.*b", "(?=(a+)+$)b", "(?<!b)(a*)*$", r"(a*)*\1$", "(?i)" + "a*" * 60 + "b",
)  # fmt: skip


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """The stopwatch runs, for one test."""
    usual, handler = WATCHED.stopwatch, signal.getsignal(signal.SIGVTALRM)
    stopwatch.install()
    yield
    WATCHED.stopwatch = usual
    signal.signal(signal.SIGVTALRM, handler)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_search_that_would_take_for_ever_ends(bomb: str) -> None:
    """Alternatives that multiply, over the longest name there can be, find nothing."""
    expression = Expression(bomb)
    assert (False, True) == (expression.is_in(LONGEST_NAME), expression.is_overlong)


@pytest.mark.parametrize("bomb", ["(?:a{999}){999}", "(a{9999}){9999}"])
def test_counted_repetitions_cost_nothing(bomb: str) -> None:
    """They are counted, not written out."""
    expression = Expression(bomb)
    assert (False, False) == (expression.is_in(LONGEST_NAME), expression.is_overlong)


@pytest.mark.parametrize("usual", [".*", "^(?!amq\\.).*", "^(team-a|team-b)\\..*\\.(dlq|retry)$", "^.*\\.a\\..*\\.b\\..*$"])
def test_usual_expressions_have_time_enough(usual: str) -> None:
    """What operators write is never ended."""
    expression = Expression(usual)
    for name in (LONGEST_NAME, ".a." * 85, "team-a." + "x." * 100 + "dlq"):
        expression.is_in(name)
    assert not expression.is_overlong


def test_an_expression_that_would_take_for_ever_to_read_is_refused() -> None:
    """Large sets of characters, many times over, in either case."""
    with pytest.raises(Malformed, match="takes too long to read"):
        Expression("(?i)" + "[\\x00-\U0010ffff]" * 200)


def test_other_threads_are_not_watched() -> None:
    """A search in another thread ends by itself and disturbs nobody."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(Expression("(a+)+$").is_in("a" * 20 + "!")))
    thread.start()
    thread.join()
    assert [False] == found


def test_the_time_of_other_threads_does_not_count() -> None:
    """A search that waits for the processor is not ended because another thread used it meanwhile."""
    watch = WATCHED.stopwatch
    thread = threading.Thread(target=lambda: pbkdf2_hmac("sha256", b"", b"", 300_000))
    used = time.process_time()
    watch.start(SEARCH_SECONDS)
    thread.start()
    thread.join()
    watch.stop()
    assert time.process_time() - used > 4 * SEARCH_SECONDS


def test_nothing_rings_after_a_search() -> None:
    """A signal that comes late is ignored."""
    assert Expression("a").is_in("a")
    signal.raise_signal(signal.SIGVTALRM)

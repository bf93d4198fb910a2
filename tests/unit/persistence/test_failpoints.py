"""Failpoints act at their passage, and only there."""

import pytest

from persistence.failpoints import armed
from persistence.store import NoSpace, StoreError


@pytest.mark.parametrize(("action", "error"), [("full", NoSpace), ("broken", StoreError)])
def test_an_armed_place_fails_once(action: str, error: type[StoreError]) -> None:
    """The passage with the number fails, those before and after it do not."""
    failpoint = armed(f"messages-written:{action}:2")
    assert failpoint is not None
    assert "messages-written" == failpoint.name
    failpoint.passed()
    with pytest.raises(error, match="messages-written"):
        failpoint.passed()
    failpoint.passed()


def test_nothing_is_armed_without_a_setting() -> None:
    """An empty environment variable arms nothing, and the first passage counts where no number is given."""
    assert armed("") is None
    failpoint = armed("map-full:broken")
    assert failpoint is not None
    with pytest.raises(StoreError):
        failpoint.passed()

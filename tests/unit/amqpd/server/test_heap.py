"""What the process has freed does not count as its memory."""

import ctypes

import pytest

from amqpd.server.heap import give_back
from amqpd.server.watermarks import memory_used

PIECE = 100_000
PIECES = 500


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library cannot")
def test_what_was_freed_is_given_back() -> None:
    """Also from between what is in use."""
    pieces = [b"~" * PIECE for _ in range(PIECES)]
    last = pieces[-1]
    full = memory_used()
    del pieces
    give_back()
    assert full - memory_used() > PIECE * PIECES // 2
    assert len(last) == PIECE

"""The states of a connection and of a channel's content, and every transition between them (specification 2.2.4, 2.3.7).

Rule 1: what a peer may send in which state stands in `CONNECTION`, and nowhere else.
Rule 2: content frames are exempt for speed: a channel counts what it expects in an integer.
"""

from __future__ import annotations

from typing import Final

HEADER: Final = "header"
"""Nothing was received; the protocol header is due."""
STARTING: Final = "starting"
"""connection.start was sent."""
TUNING: Final = "tuning"
"""The peer proved who it is; connection.tune was sent."""
OPENING: Final = "opening"
"""Limits are negotiated; connection.open is due."""
RUNNING: Final = "running"
CLOSING: Final = "closing"
"""connection.close was sent; only its answer, or the peer's own close, is heard."""
CLOSED: Final = "closed"
"""Nothing is heard or said any more."""

CONNECTION: Final[dict[str, dict[str, str]]] = {
    HEADER: {},
    STARTING: {"connection.start-ok": TUNING, "connection.close": CLOSED, "connection.close-ok": CLOSED},
    TUNING: {"connection.tune-ok": OPENING, "connection.close": CLOSED, "connection.close-ok": CLOSED},
    OPENING: {"connection.open": RUNNING, "connection.close": CLOSED, "connection.close-ok": CLOSED},
    RUNNING: {
        "connection.update-secret": RUNNING,
        "connection.close": CLOSED,
        "connection.close-ok": CLOSED,
    },
    CLOSING: {"connection.close": CLOSED, "connection.close-ok": CLOSED},
    CLOSED: {},
}
"""State → method from the peer on channel 0 → next state."""

EXPECT_METHOD: Final = 0
EXPECT_HEADER: Final = 1
EXPECT_BODY: Final = 2

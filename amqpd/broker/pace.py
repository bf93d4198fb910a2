"""How many messages a second users and virtual hosts may publish: a bucket of tokens for each that is limited.

1. A bucket fills by its rate up to `BURST` seconds' worth, and each publish takes a token, also one that is not there.
2. Whoever took more than there was waits until the bucket is filled up to nothing again.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.clock import Clock

BURST: Final = 1.0
"""Seconds' worth of messages that may come at once."""


class Bucket:
    """The tokens of one user or virtual host; all its connections take from them."""

    def __init__(self, rate: int, now: int) -> None:
        self.rate: Final = rate
        """Messages a second, at least 1."""
        self._tokens: float = rate * BURST
        self._filled_at: int = now

    def take(self, now: int) -> float:
        """Take one token; return the seconds to wait until nothing is owed."""
        if now > self._filled_at:
            self._tokens = min(self._tokens + (now - self._filled_at) * self.rate / 1000, self.rate * BURST)
            self._filled_at = now
        self._tokens -= 1
        return 0.0 if self._tokens >= 0 else -self._tokens / self.rate


class Pace:
    """All limits."""

    def __init__(self, clock: Clock) -> None:
        self.is_limited: bool = False
        """True if there is any limit at all."""
        self._clock: Final = clock
        self._of_user: Final[dict[str, Bucket]] = {}
        self._of_vhost: Final[dict[str, Bucket]] = {}

    def limit_user(self, user: str, rate: int) -> None:
        """So many messages a second from all connections of the user; a negative rate is no limit."""
        self._limit(self._of_user, user, rate)

    def limit_vhost(self, vhost: str, rate: int) -> None:
        """So many messages a second into the virtual host; a negative rate is no limit."""
        self._limit(self._of_vhost, vhost, rate)

    def _limit(self, buckets: dict[str, Bucket], name: str, rate: int) -> None:
        if rate < 0:
            buckets.pop(name, None)
        elif name not in buckets or buckets[name].rate != rate:
            buckets[name] = Bucket(max(rate, 1), self._clock.now)
        self.is_limited = bool(self._of_user or self._of_vhost)

    def published(self, user: str, vhost: str) -> float:
        """One message; return the seconds to wait before the next one is read."""
        now = self._clock.now
        wait = 0.0
        for bucket in (self._of_user.get(user), self._of_vhost.get(vhost)):
            if bucket is not None:
                wait = max(wait, bucket.take(now))
        return wait

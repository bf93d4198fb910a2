"""Patience with those who guess passwords: failed logins are counted, and too many of them end in a pause."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

FAILURES: Final = 20
"""Failed logins of an address for one user, and ..."""
FAILURES_OF_ADDRESS: Final = 400
"""... for whatever users, after which it has to wait ..."""
PAUSE: Final = 60.0
"""... until so many seconds after the first of them."""
SUSPECTS: Final = 10_000
"""Addresses and users that are remembered; the oldest are forgotten first."""

ANYBODY: Final = ""


class Patience:
    """Counts failures; `now` is any clock in seconds that never goes back."""

    def __init__(self) -> None:
        self._failures: Final[dict[tuple[str, str], tuple[int, float]]] = {}

    def is_lost(self, host: str, name: str, now: float) -> bool:
        """True if the address must not try that user now."""
        place = _place(host)
        return self._count(place, name, now) >= FAILURES or self._count(place, ANYBODY, now) >= FAILURES_OF_ADDRESS

    def failed(self, host: str, name: str, now: float) -> None:
        """One more failure."""
        place = _place(host)
        for suspect in ((place, name), (place, ANYBODY)):
            count, since = self._failures.pop(suspect, (0, now))
            if now >= since + PAUSE:
                count, since = 0, now
            if len(self._failures) >= SUSPECTS:
                del self._failures[next(iter(self._failures))]
            self._failures[suspect] = (count + 1, since)

    def _count(self, place: str, name: str, now: float) -> int:
        count, since = self._failures.get((place, name), (0, now))
        return count if now < since + PAUSE else 0


def _place(host: str) -> str:
    """The address, or the network of an IPv6 address: its first half, since everybody has all addresses of the other."""
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    return host if address.ipv4_mapped is not None else str(int(address) >> 64)

"""The PROXY protocol: what a load balancer says of the client before the client itself speaks (its versions 1 and 2). Pure.

1. Any bytes whatever give a route, None for "more is needed", or `ProxyError`; no more than `LONGEST` octets are waited for.
2. Octets after the header are the client's: `Route.size` says where they begin.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
FIXED: Final = 16
"""Octets of a version 2 header before its addresses."""
LINE: Final = 107
"""The longest version 1 header, its line end included."""
LONGEST: Final = FIXED + 4096
"""More than any known set of version 2 extensions takes."""

INET: Final = 1
INET6: Final = 2


class ProxyError(ValueError):
    """What came is no PROXY header."""


class Route:
    """Both ends of the client's connection to the proxy; no hosts if the proxy speaks for itself or does not know."""

    def __init__(self, size: int, source: tuple[str, int] | None, destination: tuple[str, int] | None) -> None:
        self.size: Final = size
        """Octets of the header."""
        self.source: Final = source
        self.destination: Final = destination


def parse(data: bytes) -> Route | None:
    """The route, if the header that data begins with is complete. Raises ProxyError."""
    if data[: len(SIGNATURE)] == SIGNATURE[: len(data)]:
        return _version_2(data) if len(data) >= FIXED else None
    if data[:6] == b"PROXY "[: len(data)]:
        return _version_1(data)
    raise ProxyError("no PROXY header")


def _version_1(data: bytes) -> Route | None:
    """`PROXY TCP4 source destination source-port destination-port` and a line end."""
    end = data.find(b"\r\n", 0, LINE)
    if end < 0:
        if len(data) >= LINE:
            raise ProxyError("PROXY line is too long")
        return None
    words = data[:end].decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return Route(end + 2, None, None)
    if len(words) != 6 or words[1] not in {"TCP4", "TCP6"}:
        raise ProxyError("PROXY line is malformed")
    make = _ipv4 if words[1] == "TCP4" else _ipv6
    return Route(end + 2, (make(words[2]), _port(words[4])), (make(words[3]), _port(words[5])))


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise ProxyError("PROXY line has a bad address") from None


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise ProxyError("PROXY line has a bad address") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 0xFFFF):
        raise ProxyError("PROXY line has a bad port")
    return int(text)


def _version_2(data: bytes) -> Route | None:
    """Signature, version and command, family and transport, length; then addresses, ports, and extensions (ignored)."""
    command, family = data[12], data[13]
    size = FIXED + int.from_bytes(data[14:16], "big")
    if command >> 4 != 2 or command & 0xF > 1:
        raise ProxyError(f"PROXY header of unknown version or command {command:#x}")
    if size > LONGEST:
        raise ProxyError(f"PROXY header of {size} octets is too long")
    if len(data) < size:
        return None
    addresses = data[FIXED:size]
    if command & 0xF == 0:
        return Route(size, None, None)
    if family >> 4 == INET:
        return _binary(size, addresses, 4)
    if family >> 4 == INET6:
        return _binary(size, addresses, 16)
    return Route(size, None, None)


def _binary(size: int, data: bytes, width: int) -> Route:
    """Two addresses of so many octets, and two ports."""
    if len(data) < 2 * width + 4:
        raise ProxyError("PROXY header has no room for its addresses")
    hosts = (data[:width], data[width : 2 * width])
    shown = [str(IPv4Address(host) if width == 4 else IPv6Address(host)) for host in hosts]
    ports = data[2 * width : 2 * width + 4]
    return Route(size, (shown[0], int.from_bytes(ports[:2], "big")), (shown[1], int.from_bytes(ports[2:], "big")))

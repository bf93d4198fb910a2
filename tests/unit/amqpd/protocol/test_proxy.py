import socket
import struct

import pytest

from amqpd.protocol.proxy import FIXED, LINE, LONGEST, SIGNATURE, ProxyError, parse


def version_2(command: int = 0x21, family: int = 0x11, addresses: bytes = b"", extensions: bytes = b"") -> bytes:
    """A header of version 2."""
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(addresses + extensions)) + addresses + extensions


IPV4 = socket.inet_aton("192.0.2.1") + socket.inet_aton("10.0.0.1") + struct.pack(">HH", 56324, 5672)
IPV6 = bytes(15) + b"\1" + bytes(15) + b"\2" + struct.pack(">HH", 1, 2)


@pytest.mark.parametrize(
    ("header", "source", "destination"),
    [
        (b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 5672\r\n", ("192.0.2.1", 56324), ("10.0.0.1", 5672)),
        (b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", ("2001:db8::1", 1), ("::1", 65535)),
        (b"PROXY UNKNOWN\r\n", None, None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None, None),
        (version_2(addresses=IPV4), ("192.0.2.1", 56324), ("10.0.0.1", 5672)),
        (version_2(addresses=IPV4, extensions=b"\x04\x00\x03abc"), ("192.0.2.1", 56324), ("10.0.0.1", 5672)),
        (version_2(family=0x21, addresses=IPV6), ("::1", 1), ("::2", 2)),
        (version_2(0x20, 0x00), None, None),
        (version_2(0x20, 0x11, IPV4), None, None),
        (version_2(family=0x31, addresses=bytes(216)), None, None),
    ],
)
def test_a_header(header: bytes, source: tuple[str, int] | None, destination: tuple[str, int] | None) -> None:
    """Both ends of the connection, and where the client's own octets begin; nothing before the header is complete."""
    for said in (header, header + b"AMQP"):
        route = parse(said)
        assert route is not None
        assert (len(header), source, destination) == (route.size, route.source, route.destination)
    assert {None} == {parse(header[:end]) for end in range(len(header))}


@pytest.mark.parametrize(
    "said",
    [
        b"AMQP\x00\x00\x09\x01",
        b"\x16\x03\x01",
        b"PROXZ",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 5672 7\r\n",
        b"PROXY TCP4 192.0.2.256 10.0.0.1 56324 5672\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 65536 1\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 -1 1\r\n",
        b"PROXY UDP4 192.0.2.1 10.0.0.1 1 1\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN".ljust(LINE, b" "),
        SIGNATURE[:5] + b"x",
        version_2(0x11, 0x11, IPV4),
        version_2(0x22, 0x11, IPV4),
        version_2(addresses=IPV4[:-1]),
        version_2(family=0x21, addresses=IPV4),
        SIGNATURE + b"\x21\x11" + struct.pack(">H", LONGEST - FIXED + 1),
    ],
)
def test_nonsense(said: bytes) -> None:
    """Whatever cannot become a header is refused at once."""
    with pytest.raises(ProxyError):
        parse(said)

"""Clients behind a proxy that tells who they are."""

import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from amqpd.protocol.proxy import SIGNATURE
from conformance.client.connection import plain
from conformance.wire.frames import PROTOCOL_HEADER
from helpers import traffic
from helpers.broker import BrokerProcess
from helpers.certificates import CertificateAuthority
from helpers.management import management

VERSION_1 = b"PROXY TCP4 127.0.0.9 127.0.0.8 1234 5678\r\n"
ADDRESSES = bytes([127, 0, 0, 9, 127, 0, 0, 8]) + (1234).to_bytes(2, "big") + (5678).to_bytes(2, "big")
VERSION_2 = SIGNATURE + b"\x21\x11\x00\x0f" + ADDRESSES + b"\x04\x00\x00"


@pytest.fixture
def broker(start_broker: Callable[..., BrokerProcess]) -> BrokerProcess:
    """A broker behind a proxy."""
    return start_broker("--proxy-protocol", "on", "--handshake-timeout", "1")


@pytest.mark.parametrize("header", [VERSION_1, VERSION_2])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_the_client_is_who_the_proxy_says(broker: BrokerProcess, header: bytes, in_pieces: bool) -> None:
    """Its address is shown, whether or not the header comes in one piece with what the client says."""
    connection = traffic.dial(broker)
    if in_pieces:
        for octet in header:
            connection.link.send_octets(bytes([octet]))
            time.sleep(0.002)
        header = b""
    connection.start(header + PROTOCOL_HEADER)
    connection.start_ok(plain("guest", "guest"))
    connection.tune_ok(connection.wait("connection.tune"))
    connection.open("/")
    names = [found["name"] for found in management(broker).get("connections")]
    connection.drop()

    assert ["127.0.0.9:1234 -> 127.0.0.8:5678"] == names


@pytest.mark.parametrize("said", [PROTOCOL_HEADER, b"PROXY TCP4 x\r\n", VERSION_1[:10], b""])
def test_without_a_header_nobody_is_served(broker: BrokerProcess, said: bytes) -> None:
    """What is no header ends the connection, and so does waiting for one too long."""
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as plain_socket:
        plain_socket.sendall(said)
        with suppress(ConnectionResetError):
            assert plain_socket.recv(100) == b""

    assert "connection refused" in broker.stderr


def test_the_header_comes_before_tls(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """A proxy does not have to know the certificate."""
    authority = CertificateAuthority(tmp_path)
    certificate = authority.issue("server", "/CN=localhost")
    broker = start_broker("--proxy-protocol", "on", "--tls-port", "0", "--tls-certificate", str(certificate))
    found = re.search(r"amqps://127\.0\.0\.1:(\d+)", broker.stdout)
    assert found is not None
    made = ssl.create_default_context(cafile=str(authority.file))
    with socket.create_connection(("127.0.0.1", int(found[1])), timeout=10) as plain_socket:
        plain_socket.sendall(VERSION_2)
        with made.wrap_socket(plain_socket, server_hostname="localhost") as tls:
            tls.sendall(PROTOCOL_HEADER)
            assert tls.recv(1) == b"\x01"

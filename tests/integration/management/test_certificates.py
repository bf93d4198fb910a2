"""The certificate of the management is renewed without a restart."""

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from helpers.broker import BrokerProcess
from helpers.certificates import CertificateAuthority

DEADLINE = 10.0


def serial_number(broker: BrokerProcess, authority: CertificateAuthority) -> object:
    """Which certificate the management shows."""
    context = ssl.create_default_context(cafile=str(authority.file))
    address = urlsplit(broker.http_url)
    with (
        socket.create_connection((address.hostname or "", address.port or 0), DEADLINE) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return (tls.getpeercert() or {})["serialNumber"]


def test_a_new_certificate_is_read_on_sighup(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """New connections see the new certificate; one that cannot be used changes nothing."""
    authority = CertificateAuthority(tmp_path)
    file = authority.issue("server", "/CN=localhost")
    broker = start_broker("--http-tls-certificate", str(file))
    before = serial_number(broker, authority)
    authority.issue("server", "/CN=localhost")
    os.kill(broker.pid, signal.SIGHUP)
    deadline = time.monotonic() + DEADLINE
    while serial_number(broker, authority) == before:
        assert time.monotonic() < deadline
    after = serial_number(broker, authority)
    file.write_text("nonsense")
    os.kill(broker.pid, signal.SIGHUP)
    while "certificates not loaded" not in broker.stderr:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert after == serial_number(broker, authority)

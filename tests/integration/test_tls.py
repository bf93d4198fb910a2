"""TLS as clients meet it: verification, names, client certificates, and new certificates without a restart."""

import os
import re
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pika
import pytest
from pika.credentials import ExternalCredentials

from conformance.client.connection import Connection
from conformance.client.link import Link
from conformance.client.transcript import Transcript
from helpers.broker import BrokerProcess
from helpers.certificates import CertificateAuthority
from helpers.users import give, refusal

ANNOUNCED = re.compile(r"amqps://127\.0\.0\.1:(\d+)")
DEADLINE = 10.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """One that signs for servers and clients alike."""
    return CertificateAuthority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def start(start_broker: Callable[..., BrokerProcess], authority: CertificateAuthority) -> Callable[..., BrokerProcess]:
    """Start a broker with a TLS port and these options."""

    def start(*options: str) -> BrokerProcess:
        certificate = authority.issue("server", "/CN=localhost")
        return start_broker("--tls-port", "0", "--tls-certificate", str(certificate), *options)

    return start


def tls_port(broker: BrokerProcess) -> int:
    """Where it listens with TLS."""
    found = ANNOUNCED.search(broker.stdout)
    assert found is not None
    return int(found[1])


def context(authority: CertificateAuthority, certificate: Path | None = None) -> ssl.SSLContext:
    """A client that trusts the authority and perhaps has a certificate."""
    made = ssl.create_default_context(cafile=str(authority.file))
    if certificate is not None:
        made.load_cert_chain(certificate)
    return made


def parameters(broker: BrokerProcess, made: ssl.SSLContext, **more: object) -> pika.ConnectionParameters:
    """How pika connects with TLS."""
    options = pika.SSLOptions(made, "localhost")
    return pika.ConnectionParameters("127.0.0.1", tls_port(broker), ssl_options=options, **more)


def served(broker: BrokerProcess, made: ssl.SSLContext, name: str = "localhost") -> dict[str, object]:
    """The certificate that the broker shows a client that asks for a name."""
    with dialled(broker, made, name) as tls:
        return dict(tls.getpeercert() or {})


@contextmanager
def dialled(broker: BrokerProcess, made: ssl.SSLContext, name: str = "localhost") -> Iterator[ssl.SSLSocket]:
    """A TLS connection to the broker."""
    with (
        socket.create_connection(("127.0.0.1", tls_port(broker)), timeout=DEADLINE) as plain,
        made.wrap_socket(plain, server_hostname=name) as tls,
    ):
        yield tls


def heard(broker: BrokerProcess, made: ssl.SSLContext) -> bytes:
    """What the broker says first; with TLS 1.3 it refuses a certificate then only."""
    with dialled(broker, made) as tls:
        tls.sendall(b"AMQP\x00\x00\x09\x01")
        return tls.recv(100)


def test_messages_of_all_sizes(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """Publishing, confirming and consuming work as without TLS, also across many records."""
    broker = start()
    connection = pika.BlockingConnection(parameters(broker, context(authority)))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("tls")
    sizes = [0, 1, 16_384, 1_000_000, 5_000_000]
    for size in sizes:
        channel.basic_publish("", "tls", bytes(size))
    bodies = [channel.basic_get("tls", auto_ack=True)[2] for _ in sizes]
    connection.close()

    assert [bytes(size) for size in sizes] == bodies


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(start: Callable[..., BrokerProcess], authority: CertificateAuthority, version: ssl.TLSVersion) -> None:
    """Both versions that are safe are spoken, with forward secrecy."""
    broker = start()
    made = context(authority)
    made.minimum_version = made.maximum_version = version
    with dialled(broker, made) as tls:
        cipher = tls.cipher()

    assert cipher is not None
    assert cipher[0].startswith(("ECDHE-", "TLS_"))


@pytest.mark.skipif(not ssl.HAS_TLSv1_1, reason="this OpenSSL cannot speak it")
@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated")
def test_unsafe_versions_are_not_spoken(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """TLS 1.1 is refused by the broker, which hangs up, whatever the client would put up with."""
    broker = start()
    made = context(authority)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"UNEXPECTED_EOF|ALERT_PROTOCOL_VERSION"):
        served(broker, made)


def test_an_old_version_can_be_refused(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """With tls-version 1.3 nothing older is spoken."""
    broker = start("--tls-version", "1.3")
    made = context(authority)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        served(broker, made)


def test_server_names(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """Each name gets its certificate, a wildcard one label; any other name gets the default (SNI)."""
    other = authority.issue("other", "/CN=other", "DNS:other.example")
    wild = authority.issue("wild", "/CN=wild", "DNS:*.wild.example")
    broker = start("--tls-hosts", f"other.example={other}, *.wild.example={wild}")
    made = context(authority)
    names = {"localhost": "localhost", "other.example": "other", "a.wild.example": "wild"}
    subjects = {name: served(broker, made, name)["subject"] for name in names}

    assert {name: ((("commonName", subject),),) for name, subject in names.items()} == subjects


def test_a_required_certificate(start: Callable[..., BrokerProcess], authority: CertificateAuthority, tmp_path: Path) -> None:
    """Nobody gets in without one that the authority signed."""
    broker = start("--tls-ca", str(authority.file), "--tls-verify", "require")
    stranger = CertificateAuthority(tmp_path, "stranger").issue("alice", "/CN=alice")
    known = authority.issue("alice", "/CN=alice")
    for certificate in (None, stranger):
        with suppress(ssl.SSLError, ConnectionResetError):
            assert heard(broker, context(authority, certificate)) == b""

    assert b"" != heard(broker, context(authority, known))
    pika.BlockingConnection(parameters(broker, context(authority, known))).close()


@pytest.mark.parametrize(
    ("source", "user"),
    [
        ("distinguished_name", "CN=alice,O=amqpd\\, Inc"),
        ("common_name", "alice"),
        ("subject_alternative_name", "alice.example"),
    ],
)
def test_the_certificate_is_the_user(
    start: Callable[..., BrokerProcess], authority: CertificateAuthority, source: str, user: str
) -> None:
    """With EXTERNAL the certificate says who it is, and no password is asked for."""
    broker = start(
        *("--tls-ca", str(authority.file), "--tls-verify", "peer", "--mechanisms", "PLAIN EXTERNAL"),
        *("--tls-login-from", source),
    )
    give(broker, user, "", write=".*")
    certificate = authority.issue("alice", "/O=amqpd, Inc/CN=alice", "DNS:alice.example")
    made = context(authority, certificate)
    connection = pika.BlockingConnection(parameters(broker, made, credentials=ExternalCredentials()))
    connection.channel().basic_publish("amq.fanout", "", b"", pika.BasicProperties(user_id=user))
    connection.close()


def test_without_a_certificate_nobody_is_external(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """EXTERNAL is not even offered, and an unknown user is refused."""
    broker = start(
        *("--tls-ca", str(authority.file), "--tls-verify", "peer", "--mechanisms", "PLAIN EXTERNAL"),
        *("--tls-login-from", "common_name"),
    )
    nobody = authority.issue("nobody", "/CN=nobody")
    anonymous, unknown = (
        Connection(Link(("127.0.0.1", tls_port(broker)), Transcript(), 1, context(authority, certificate)), DEADLINE)
        for certificate in (None, nobody)
    )

    assert anonymous.start().mechanisms == "PLAIN"
    assert "Login was refused using authentication mechanism EXTERNAL" in refusal(unknown, b"", "EXTERNAL")
    anonymous.drop()
    unknown.drop()


def test_new_certificates_are_read_on_sighup(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """New connections see the new certificate, open ones go on; one that cannot be used changes nothing."""
    broker = start()
    made = context(authority)
    connection = pika.BlockingConnection(parameters(broker, made))
    before = served(broker, made)["serialNumber"]
    file = authority.issue("server", "/CN=localhost")
    os.kill(broker.pid, signal.SIGHUP)
    after = changed(broker, made, before)
    file.write_text("nonsense")
    os.kill(broker.pid, signal.SIGHUP)
    wait_for(lambda: "certificates not loaded" in broker.stderr)

    assert after == served(broker, made)["serialNumber"]
    assert connection.channel().is_open
    connection.close()


def changed(broker: BrokerProcess, made: ssl.SSLContext, before: object) -> object:
    """The serial number of the served certificate, once it is another one."""
    wait_for(lambda: served(broker, made)["serialNumber"] != before)
    return served(broker, made)["serialNumber"]


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when it holds; fail if it never does."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_plain_amqp_on_the_tls_port(start: Callable[..., BrokerProcess], authority: CertificateAuthority) -> None:
    """Whoever does not speak TLS is dropped, and the broker serves on."""
    broker = start()
    with socket.create_connection(("127.0.0.1", tls_port(broker))) as plain:
        plain.sendall(b"AMQP\x00\x00\x09\x01")
        plain.settimeout(DEADLINE)
        assert b"AMQP" not in plain.recv(100)

    pika.BlockingConnection(parameters(broker, context(authority))).close()


def test_unusable_certificates_are_told_at_start(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """A broker that could not serve TLS does not start."""
    with pytest.raises(RuntimeError, match="cannot use the certificates in"):
        start_broker("--tls-port", "0", "--tls-certificate", str(tmp_path / "none.pem"))
    with pytest.raises(RuntimeError, match="tls-port needs tls-certificate"):
        start_broker("--tls-port", "0")

import socket
from pathlib import Path

import pytest

from amqpd import systemd


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_notice_arrives(tmp_path: Path, kind: str) -> None:
    """The service manager gets the state as one datagram, on a path and in the abstract namespace."""
    name = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name if kind == "path" else "\0" + name)
        manager.settimeout(5)
        systemd.notify(systemd.READY, {"NOTIFY_SOCKET": name if kind == "path" else "@" + name})
        assert b"READY=1" == manager.recv(100)


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_broker_runs_without_a_service_manager(environ: dict[str, str]) -> None:
    """Nobody to notify is no error."""
    systemd.notify(systemd.STOPPING, environ)

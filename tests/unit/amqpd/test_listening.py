import socket
from collections.abc import Iterator

import pytest

from amqpd.errors import StartError
from amqpd.listening import EVERYWHERE, address_of, listening_sockets


@pytest.fixture
def listening(request: pytest.FixtureRequest) -> Iterator[list[socket.socket]]:
    """Sockets that listen on a host."""
    sockets = listening_sockets(request.param, 0)
    yield sockets
    for one in sockets:
        one.close()


@pytest.mark.parametrize("listening", [EVERYWHERE], indirect=True)
@pytest.mark.parametrize(("number", "host"), [(0, "::1"), (1, "127.0.0.1")])
def test_everywhere(listening: list[socket.socket], number: int, host: str) -> None:
    """`::` is reached by IPv6 and by IPv4, on one port, and knows a client by the address that it has."""
    _, port = address_of(listening)
    with socket.create_connection((host, port)):
        client, address = listening[number].accept()
        client.close()

    assert host == address[0]


@pytest.mark.parametrize("listening", ["127.0.0.1"], indirect=True)
def test_a_port_in_use(listening: list[socket.socket]) -> None:
    """It is named."""
    host, port = address_of(listening)
    with pytest.raises(StartError, match=rf"^cannot listen on {host}:{port}: Address already in use$"):
        listening_sockets(host, port)

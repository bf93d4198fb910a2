"""Sockets that listen on an address, for AMQP and for HTTP alike."""

from __future__ import annotations

import socket
from typing import Final

from amqpd.errors import StartError, reason_of

BACKLOG: Final = 1024
EVERYWHERE: Final = "::"
"""As a host: every address of the machine, those of IPv4 as well."""
ANY_IPV4: Final = "0.0.0.0"  # noqa: S104  # Bound only where the operator asked for every address.


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """One listening socket for each address of the host, all on one port; 0 takes a free one. Raises StartError."""
    listening: list[socket.socket] = []
    # Two sockets, for one that takes both kinds would call the clients of IPv4 ::ffff:127.0.0.1.
    names = (EVERYWHERE, ANY_IPV4) if host == EVERYWHERE else (host,)
    try:
        for name in names:
            for family, _, _, _, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
                there = (address[0], port, *address[2:])
                listening.append(socket.create_server(there, family=family, backlog=BACKLOG))
                port = listening[0].getsockname()[1]
    except (OSError, UnicodeError, OverflowError) as error:
        for one in listening:
            one.close()
        raise StartError(f"cannot listen on {host}:{port}: {reason_of(error)}") from error
    return listening


def address_of(listening: list[socket.socket]) -> tuple[str, int]:
    """Host and port of the first of them."""
    name = listening[0].getsockname()
    return str(name[0]), int(name[1])

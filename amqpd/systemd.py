"""Readiness notices to the service manager: the protocol of sd_notify(3)."""

import contextlib
import socket
from collections.abc import Mapping
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Send `state` to the socket that `NOTIFY_SOCKET` names; do nothing if there is none or nobody listens on it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # The abstract namespace of Linux, whose names begin with a zero byte.
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state.encode(), address)

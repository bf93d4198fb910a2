"""A broker in a network namespace of its own, and the only wire to it, whose packets pass through our hands."""

import contextlib
import fcntl
import os
import random
import select
import struct
import subprocess
import threading
import uuid
from types import TracebackType
from typing import Final, Self

import pytest

_SET_NAME: Final = 0x400454CA
"""TUNSETIFF of Linux."""
_PACKETS: Final = 0x1001
"""IFF_TUN and IFF_NO_PI: packets as they are, nothing else."""
_PACKET_BYTES: Final = 65536
_POLL: Final = 0.05


class Wire:
    """A network of two, until the end of the context. Skips the test where none can be made."""

    def __init__(self, chance: random.Random) -> None:
        self._chance: Final = chance
        unique = uuid.uuid4()
        name = f"amqpd{unique.hex[:8]}"
        self._namespace: Final = name
        network = f"10.{200 + unique.bytes[0] % 50}.{unique.bytes[1]}"
        self.address: Final = f"{network}.2"
        """Where the broker is."""
        self.within: Final = ("ip", "netns", "exec", name)
        """Begins the command of a process that is to be at the other end."""
        self.loss: float = 0.0
        """The share of packets that get lost, from 0 to 1."""
        self._over = False
        try:
            self._ends: Final = [_device(f"{name}{end}") for end in "ab"]
            _ip("netns", "add", name)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"network namespaces take root: {error}")
        _ip("link", "set", f"{name}b", "netns", name)
        _ip("address", "add", f"{network}.1", "peer", self.address, "dev", f"{name}a")
        _ip("-n", name, "address", "add", self.address, "peer", f"{network}.1", "dev", f"{name}b")
        _ip("link", "set", f"{name}a", "up")
        _ip("-n", name, "link", "set", f"{name}b", "up")
        self._thread: Final = threading.Thread(target=self._relay)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over = True
        self._thread.join()
        for end in self._ends:
            os.close(end)
        _ip("netns", "delete", self._namespace)

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self.loss = 1.0

    def mend(self) -> None:
        """Everything comes through again."""
        self.loss = 0.0

    def reset(self, port: int) -> None:
        """End all connections of the broker at this port by RST."""
        subprocess.run([*self.within, "ss", "-K", "sport", "=", f":{port}"], capture_output=True, check=True)

    def _relay(self) -> None:
        other = dict(zip(self._ends, reversed(self._ends), strict=True))
        while not self._over:
            for end in select.select(self._ends, [], [], _POLL)[0]:
                packet = os.read(end, _PACKET_BYTES)
                if self._chance.random() >= self.loss:
                    with contextlib.suppress(OSError):
                        os.write(other[end], packet)


def _device(name: str) -> int:
    """The descriptor of a new network device that lives as long as it is open."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _SET_NAME, struct.pack("16sH22x", name.encode(), _PACKETS))
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], capture_output=True, check=True)

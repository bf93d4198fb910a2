"""An AMQP connection of the suite: the handshake step by step or at once, channels, and how connections end."""

import time
from typing import Any

from conformance.client.channel import Channel
from conformance.client.events import Event
from conformance.client.link import Disconnected, Link
from conformance.client.stream import Stream, check_close
from conformance.mismatch import Mismatch
from conformance.wire.frames import PROTOCOL_HEADER
from conformance.wire.values import Table, encode_field, encode_shortstr

CAPABILITIES: Table = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "exchange_exchange_bindings": True,
    "publisher_confirms": True,
}


def plain(user: str, password: str) -> bytes:
    """The response of the PLAIN mechanism."""
    return b"\0" + user.encode() + b"\0" + password.encode()


def amqplain(user: str, password: str) -> bytes:
    """The response of the AMQPLAIN mechanism: a field table without its length."""
    pairs = {"LOGIN": user, "PASSWORD": password}
    return b"".join(encode_shortstr(key) + encode_field(value) for key, value in pairs.items())


class Connection(Stream):
    """One connection of a client to the broker."""

    def __init__(self, link: Link, timeout: float) -> None:
        super().__init__(link, timeout)
        self.channel_max = 0
        self.server: Table = {}
        self.is_open = False
        self._next_channel = 1

    # The handshake (specification 2.2.4)

    def start(self, header: bytes = PROTOCOL_HEADER) -> Event:
        """Sends the protocol header and returns connection.start."""
        self.link.send_octets(header, f"protocol header {header!r}")
        start = self.wait("connection.start")
        self.server = start.server_properties
        return start

    def start_ok(
        self,
        response: bytes | str,
        mechanism: str = "PLAIN",
        capabilities: Table = CAPABILITIES,
        locale: str = "en_US",
        **properties: Any,
    ) -> None:
        """Sends connection.start-ok."""
        client = {"product": "conformance", **properties, "capabilities": capabilities}
        self.send("connection.start-ok", client_properties=client, mechanism=mechanism, response=response, locale=locale)

    def tune_ok(self, tune: Event, **overrides: int) -> None:
        """Answers connection.tune with the broker's own limits, except for those given."""
        agreed = {"channel_max": tune.channel_max, "frame_max": tune.frame_max, "heartbeat": 0, **overrides}
        self.send("connection.tune-ok", **agreed)
        self.frame_max = agreed["frame_max"] or 131072
        self.channel_max = agreed["channel_max"]

    def open(self, virtual_host: str) -> Event:
        """Opens the virtual host."""
        opened = self.call("connection.open", virtual_host=virtual_host)
        self.is_open = True
        return opened

    def call(self, name: str, **arguments: Any) -> Event:
        """Sends a method of the connection class and returns its reply."""
        self.send(name, **arguments)
        return self.wait(f"{name}-ok")

    # Channels

    def channel(self, number: int | None = None) -> Channel:
        """Opens a channel."""
        channel = self.bare_channel(number)
        channel.call("channel.open")
        return channel

    def bare_channel(self, number: int | None = None) -> Channel:
        """A channel that was not opened."""
        if number is None:
            number = self._next_channel
        self._next_channel = max(self._next_channel, number) + 1
        return Channel(self, number)

    # The end

    def must_close(self, code: int, by: str | None = None, timeout: float | None = None) -> Event:
        """Waits for connection.close with this reply code, caused by this method; answers it and sees TCP closed."""
        close = self.wait("connection.close", timeout=timeout)
        self.is_open = False
        self.send("connection.close-ok")
        check_close(close, code, by)
        self.must_drop()
        return close

    def must_drop(self, timeout: float | None = None) -> None:
        """Waits for the broker to close TCP; raises Mismatch when it sends an AMQP method instead, or nothing."""
        within = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + within
        try:
            while True:
                self.pump(deadline)
                if self.inbox(0):
                    raise Mismatch("the TCP connection closed", repr(self.inbox(0)[0]))
        except TimeoutError:
            raise Mismatch("the TCP connection closed", f"still open after {within:g} seconds") from None
        except Disconnected:
            self.is_open = False

    def must_end(self, *codes: int, timeout: float | None = None) -> None:
        """Waits for the connection's end: by connection.close with one of these codes, or by TCP alone."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        try:
            while not (closes := [event for event in self.inbox(0) if event.name == "connection.close"]):
                self.pump(deadline)
        except TimeoutError:
            raise Mismatch(f"the connection closed with {codes} or dropped", "still open") from None
        except Disconnected:
            self.is_open = False
            return
        code = closes[0].reply_code
        self.must_close(code if code in codes else codes[0])

    def must_end_by_close(self, code: int) -> Event:
        """Waits for connection.close with this code and for the end of TCP; more close methods may follow the first."""
        close = self.wait("connection.close")
        check_close(close, code, None)
        self.send("connection.close-ok")
        self.read_to_end()
        return close

    def read_to_end(self, timeout: float | None = None) -> bytes:
        """All octets until the broker closes TCP; Mismatch when it does not."""
        deadline, octets = time.monotonic() + (self.timeout if timeout is None else timeout), b""
        try:
            while True:
                octets += self.link.receive_octets(deadline)
        except TimeoutError:
            raise Mismatch("the TCP connection closed", f"still open after {octets!r}") from None
        except Disconnected:
            self.is_open = False
            return octets

    def must_live(self) -> None:
        """Proves that the connection still works, by opening and closing a channel."""
        self.channel().call("channel.close", reply_code=200)

    def close(self) -> None:
        """Closes the connection in order."""
        self.call("connection.close", reply_code=200, reply_text="Goodbye")
        self.is_open = False
        self.link.drop()

    def drop(self) -> None:
        """Closes TCP without connection.close."""
        self.is_open = False
        self.link.drop()

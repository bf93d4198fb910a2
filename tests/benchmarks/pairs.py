"""Throughput against the number of connections: publishers and consumers side by side, each pair with a queue of its own."""

import selectors
import time
from typing import Final

from benchmarks.client import TIMEOUT_SECONDS, Client, consume, declare_queue, delete_queue, delivery_size, publish
from benchmarks.contestants import Contestant, Failed
from benchmarks.workload import Measured, scaled

PAIRS: Final = (1, 2, 5, 20, 100, 500)
MESSAGES: Final = 200_000
BODY: Final = b"x" * 100
AT_ONCE: Final = 200
"""Messages to a write at most."""

CONSUMER_TAG: Final = "c"
BUFFER: Final = bytearray(1 << 18)


class Stream:
    """One way of a pair: octets that are still to be sent or to come."""

    def __init__(self, client: Client, octets: int, repeated: bytes = b"") -> None:
        self.socket = client.socket
        self.left = octets
        self._sent = 0
        self._repeated = memoryview(repeated)

    def send(self) -> None:
        """Write what the broker takes of the repeated messages."""
        at = self._sent % len(self._repeated)
        sent = self.socket.send(self._repeated[at : at + self.left])
        self._sent += sent
        self.left -= sent

    def receive(self) -> None:
        """Read what there is."""
        got = self.socket.recv_into(BUFFER)
        if not got:
            raise Failed("the broker closed the connection")
        self.left -= got


class Pair:
    """A publisher, a consumer without acknowledgements, and their queue."""

    def __init__(self, contestant: Contestant, number: int, messages: int) -> None:
        self.queue = f"bench-pair-{number}"
        self.publisher, self.consumer = Client(contestant), Client(contestant)
        self.publisher.call(declare_queue(self.queue), (50, 11))
        self.consumer.call(consume(1, self.queue, CONSUMER_TAG), (60, 21))
        message = publish("", self.queue, BODY)
        repeated = message * min(AT_ONCE, messages)
        self.outgoing = Stream(self.publisher, len(message) * messages, repeated)
        self.incoming = Stream(self.consumer, delivery_size(CONSUMER_TAG, "", self.queue, BODY) * messages)

    def close(self) -> None:
        """Delete the queue and end both connections."""
        self.consumer.close()
        self.publisher.call(delete_queue(self.queue), (50, 41))
        self.publisher.close()


def connections(contestant: Contestant, scale: float) -> Measured:
    """Pairs that share the messages; the points are connections, two for each pair."""
    total = scaled(MESSAGES, scale * contestant.pace, least=1000)
    for count in sorted({scaled(pairs, scale if pairs > 1 else 1, least=1) for pairs in PAIRS}):
        each = max(1, total // count)
        there = [Pair(contestant, number, each) for number in range(count)]
        seconds = carry([pair.outgoing for pair in there], [pair.incoming for pair in there])
        for pair in there:
            pair.close()
        yield "connections", str(2 * count), {"rate": each * count / seconds}


def carry(outgoing: list[Stream], incoming: list[Stream]) -> float:
    """Send and receive until nothing is left; the seconds that took."""
    before = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for stream in outgoing:
            stream.socket.setblocking(False)
            selector.register(stream.socket, selectors.EVENT_WRITE, stream)
        for stream in incoming:
            selector.register(stream.socket, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise Failed(f"nothing came for {TIMEOUT_SECONDS:.0f} s")
            for key, events in ready:
                stream = key.data
                if events & selectors.EVENT_WRITE:
                    stream.send()
                else:
                    stream.receive()
                if not stream.left:
                    selector.unregister(stream.socket)
    for stream in outgoing:
        stream.socket.settimeout(TIMEOUT_SECONDS)
    return time.monotonic() - before

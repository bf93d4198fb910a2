"""What ends is freed at once: nothing waits for the collection of garbage, which would keep everybody waiting."""

import gc
from collections import Counter
from collections.abc import Callable

import pytest

from amqpd.wire import tables
from helpers.client import method, publish
from helpers.pair import ConnectionPair, Hall, opened

OURS = {"amqpd", "exchanges", "persistence"}


def leave(pair: ConnectionPair) -> None:
    """Close a connection as clients do."""
    pair.send(method(0, "connection.close", 200, "", 0, 0))
    pair.socket.close()
    pair.hall.commit()


def connection(hall: Hall, *, is_cut: bool) -> None:
    """A client that opens two channels, makes a mistake on one, consumes on the other, and goes."""
    pair = opened(hall, 1, 2, connection_blocked=True)
    pair.call("queue.declare", 0, "own", False, False, True, False, False, b"")
    pair.send(method(1, "basic.consume", 0, "own", "tag", False, False, False, True, b""))
    pair.send(publish(1, "", "own", b"body"))
    pair.send(method(2, "queue.declare", 0, "missing", True, False, False, False, False, b""))
    assert pair.heard()
    if is_cut:
        pair.socket.abort()
        hall.commit()
    else:
        leave(pair)


def closed_connection(hall: Hall) -> None:
    """It says good-bye."""
    connection(hall, is_cut=False)


def cut_connection(hall: Hall) -> None:
    """It does not."""
    connection(hall, is_cut=True)


def durable_queue(hall: Hall) -> None:
    """A queue with limits and messages, deleted while a client holds some of them."""
    pair = opened(hall, 1)
    arguments = tables.encode({"x-message-ttl": 60_000, "x-expires": 60_000, "x-max-priority": 2})
    pair.call("queue.declare", 0, "kept", False, True, False, False, False, arguments)
    pair.send(*[publish(1, "", "kept", b"body", delivery_mode=2, priority=number % 3) for number in range(9)])
    hall.commit()
    pair.call("basic.get", 0, "kept", False)
    pair.call("queue.delete", 0, "kept", False, False, False)
    leave(pair)


def exchange(hall: Hall) -> None:
    """An exchange with bindings."""
    pair = opened(hall, 1)
    pair.call("exchange.declare", 0, "x", "topic", False, True, False, False, False, b"")
    pair.call("queue.declare", 0, "bound", False, False, True, False, False, b"")
    pair.call("queue.bind", 0, "bound", "x", "a.#", False, b"")
    pair.send(publish(1, "x", "a.b", b"body"))
    pair.call("exchange.delete", 0, "x", False, False)
    leave(pair)


def census(hall: Hall) -> Counter[str]:
    """How many there are of each class of ours."""
    hall.loop.timers = [timer for timer in hall.loop.timers if not timer.is_cancelled]
    names = [f"{type(found).__module__}.{type(found).__qualname__}" for found in gc.get_objects()]
    return Counter(name for name in names if name.partition(".")[0] in OURS)


@pytest.mark.parametrize("visit", [closed_connection, cut_connection, durable_queue, exchange])
def test_nothing_is_left(visit: Callable[[Hall], None]) -> None:
    """After a visit there are as many objects of each class as before it, though nobody looked for garbage."""
    hall = Hall()
    visit(hall)  # What is made once and kept is there now.
    gc.collect()
    gc.disable()
    try:
        before = census(hall)
        assert before["amqpd.broker.broker.Broker"]
        visit(hall)
        assert {} == census(hall) - before
    finally:
        gc.enable()

"""Channels of a real connection: every method answered, every error of the server's own told."""

import pytest

from amqpd.wire import tables
from amqpd.wire.methods import METHODS
from helpers.client import Heard, content_header, method, publish
from helpers.pair import ConnectionPair, Hall, opened

CALLS: list[tuple[str, tuple[object, ...], str, list[object]]] = [
    ("access.request", ("/data", False, True, True, True, True), "access.request-ok", [1]),
    ("channel.flow", (True,), "channel.flow-ok", [True]),
    ("exchange.declare", (0, "e", "fanout", False, True, False, False, False, b""), "exchange.declare-ok", []),
    ("exchange.declare", (0, "x", "", True, False, False, False, False, b""), "exchange.declare-ok", []),
    ("exchange.delete", (0, "x", False, False), "exchange.delete-ok", []),
    ("exchange.bind", (0, "x", "amq.direct", "k", False, b""), "exchange.bind-ok", []),
    ("exchange.unbind", (0, "x", "amq.direct", "k", False, b""), "exchange.unbind-ok", []),
    ("queue.declare", (0, "q", False, True, False, False, False, b""), "queue.declare-ok", ["q", 1, 0]),
    ("queue.declare", (0, "q", True, False, False, False, False, b""), "queue.declare-ok", ["q", 1, 0]),
    ("queue.bind", (0, "q", "x", "k", False, b""), "queue.bind-ok", []),
    ("queue.bind", (0, "", "x", "", False, b""), "queue.bind-ok", []),
    ("queue.unbind", (0, "q", "x", "k", b""), "queue.unbind-ok", []),
    ("queue.purge", (0, "q", False), "queue.purge-ok", [1]),
    ("queue.delete", (0, "q", False, False, False), "queue.delete-ok", [1]),
    ("basic.qos", (0, 10, False), "basic.qos-ok", []),
    ("basic.get", (0, "empty", False), "basic.get-empty", [""]),
    ("basic.get", (0, "q", True), "basic.get-ok", [1, False, "", "q", 0]),
    ("basic.cancel", ("unknown", False), "basic.cancel-ok", ["unknown"]),
    ("basic.consume", (0, "empty", "tag", False, False, False, False, b""), "basic.consume-ok", ["tag"]),
    ("basic.recover", (True,), "basic.recover-ok", []),
    ("confirm.select", (False,), "confirm.select-ok", []),
    ("tx.select", (), "tx.select-ok", []),
]


def setting() -> ConnectionPair:
    """An open channel in a broker with an exchange x, a queue with one message, and an empty one, declared last before it."""
    pair = opened(None, 1)
    pair.send(
        method(1, "exchange.declare", 0, "x", "direct", False, True, False, False, False, b""),
        method(1, "queue.declare", 0, "empty", False, True, False, False, False, b""),
        method(1, "queue.declare", 0, "q", False, True, False, False, False, b""),
        publish(1, "", "q", b"body"),
    )
    pair.hall.commit()
    pair.heard()
    return pair


@pytest.mark.parametrize(("name", "values", "answer", "expected"), CALLS)
def test_calls(name: str, values: tuple[object, ...], answer: str, expected: list[object]) -> None:
    """Each is answered by its own method."""
    heard = setting().call(name, *values)

    assert (answer, expected) == (heard.name, heard.values)


@pytest.mark.parametrize("name", [name for name, _, _, _ in CALLS if "no_wait" in METHODS[name].names])
def test_no_wait_is_not_answered(name: str) -> None:
    """But it is done."""
    pair = setting()
    values = next(values for called, values, _, _ in CALLS if called == name)
    names = METHODS[name].names
    silent = tuple([True if argument == "no_wait" else value for argument, value in zip(names, values, strict=True)])
    pair.send(method(1, name, *silent))
    pair.hall.commit()

    assert [] == pair.heard()


ERRORS: list[tuple[bytes, str, list[object]]] = [
    (
        method(1, "basic.publish", 0, "", "q", False, True) + b"\x02\x00\x01\x00\x00\x00\x0e" + content_header(0) + b"\xce",
        "connection.close",
        [540, "NOT_IMPLEMENTED - immediate=true", 60, 40],
    ),
    (method(1, "basic.qos", 5, 0, False), "connection.close", [540, "NOT_IMPLEMENTED - prefetch_size!=0 (5)", 60, 10]),
    (method(1, "basic.recover", False), "connection.close", [540, "NOT_IMPLEMENTED - requeue=false", 60, 110]),
    (method(1, "basic.recover-async", False), "connection.close", [540, "NOT_IMPLEMENTED - requeue=false", 60, 100]),
    (method(1, "channel.flow", False), "connection.close", [540, "NOT_IMPLEMENTED - active=false", 20, 20]),
    (method(1, "basic.qos-ok"), "connection.close", [503, "COMMAND_INVALID - unimplemented method", 60, 11]),
    (
        method(2048, "channel.open", ""),
        "connection.close",
        [530, "NOT_ALLOWED - number of channels opened (1) has reached the negotiated channel_max (2047)", 20, 10],
    ),
    (publish(1, "none", "", b""), "channel.close", [404, "NOT_FOUND - no exchange 'none' in vhost '/'", 60, 40]),
    (method(1, "basic.ack", 9, False), "channel.close", [406, "PRECONDITION_FAILED - unknown delivery tag 9", 60, 80]),
    (method(1, "tx.commit"), "channel.close", [406, "PRECONDITION_FAILED - channel is not transactional", 90, 20]),
    (
        method(1, "basic.consume", 0, "q", "", False, False, False, False, tables.encode({"x-priority": "high"})),
        "channel.close",
        [
            406,
            "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 'q' in vhost '/': \"expected integer, got longstr\"",
            60,
            20,
        ],
    ),
]


@pytest.mark.parametrize(("data", "name", "values"), ERRORS)
def test_errors(data: bytes, name: str, values: list[object]) -> None:
    """Code, text, class and method (2.2, 2.3)."""
    pair = setting()
    pair.send(data)
    (heard,) = pair.heard()

    assert (name, values) == (heard.name, heard.values)


def test_no_queue_was_declared() -> None:
    """An empty name means the last one of this channel."""
    pair = opened(None, 1)

    assert [404, "NOT_FOUND - no previously declared queue", 60, 70] == pair.call("basic.get", 0, "", False).values


def test_exclusive_consumers_are_alone() -> None:
    """403 for whoever comes second, and for who wants to be alone too late (2.2)."""
    for first, second in ((True, False), (False, True)):
        pair = setting()
        pair.call("basic.consume", 0, "empty", "a", False, False, first, False, b"")
        heard = pair.call("basic.consume", 0, "empty", "b", False, False, second, False, b"")
        assert [403, "ACCESS_REFUSED - queue 'empty' in vhost '/' in exclusive use", 60, 20] == heard.values


def test_consume_ok_comes_before_deliveries() -> None:
    """The client learns of its tag first."""
    pair = setting()
    pair.send(method(1, "basic.consume", 0, "q", "", False, False, False, False, b""))
    started, delivered = pair.heard()

    assert ("basic.consume-ok", "basic.deliver", b"body") == (started.name, delivered.name, delivered.body)
    assert started.values[0] == delivered.values[0]
    assert str(started.values[0]).startswith("amq.ctag-")


def test_a_closed_channel_gives_back_what_it_held() -> None:
    """Before close-ok, so that a get on another channel finds it, marked as redelivered."""
    pair = setting()
    pair.send(method(1, "basic.get", 0, "q", False), method(2, "channel.open", ""))
    pair.heard()
    pair.send(method(1, "channel.close", 200, "", 0, 0), method(2, "basic.get", 0, "q", False))
    closed, got = pair.heard()

    assert ("channel.close-ok", "basic.get-ok", True) == (closed.name, got.name, got.values[1])


def test_exclusive_queues_end_with_their_connection() -> None:
    """They are gone when close-ok is sent (2.4)."""
    hall = Hall()
    pair, other = opened(hall, 1), opened(hall, 1)
    pair.call("queue.declare", 0, "mine", False, False, True, False, False, b"")
    assert other.call("queue.purge", 0, "mine", False).values[0] == 405
    pair.send(method(0, "connection.close", 200, "", 0, 0))
    other.send(method(1, "channel.close-ok"), method(1, "channel.open", ""))
    other.heard()

    assert Heard(1, "queue.declare-ok", ["mine", 0, 0]) == other.call(
        "queue.declare", 0, "mine", False, False, True, False, False, b""
    )


def test_many_addresses() -> None:
    """A publisher may use more addresses than a channel remembers."""
    pair = setting()
    for number in range(1100):
        pair.send(publish(1, "amq.topic", f"key.{number}", b""))
    pair.send(publish(1, "", "q", b"last", mandatory=True))

    assert [] == pair.heard()
    assert pair.hall.core.vhost.queues["q"].ready.count == 2


def test_large_bodies_are_cut() -> None:
    """A delivery obeys the frame limit that the consumer agreed to."""
    pair = setting()
    pair.send(method(1, "basic.consume", 0, "empty", "c", False, True, False, False, b""))
    pair.heard()
    body = bytes(range(256)) * 2000
    pair.send(publish(1, "", "empty", body, parts=10))

    assert [body] == [heard.body for heard in pair.heard()]

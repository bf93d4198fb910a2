"""Strategies for what a peer may send: methods that make sense, methods that make none, and octets at random."""

from hypothesis import strategies as st

from amqpd.wire import frames, tables
from amqpd.wire.methods import METHODS, Method
from helpers.client import body_frame, content_header, header_frame, method

CHANNELS = st.sampled_from([1, 1, 1, 2, 3, 0])
NAMES = st.sampled_from(["q", "r", "x", "", "amq.fanout", "amq.topic", "amq.headers", "a.b", "#", "c", "\udcff", "ü" * 127])
TYPES = st.sampled_from(["direct", "fanout", "topic", "headers", "x-consistent-hash", "x-random", "x-modulus-hash", "none"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 5),
    st.floats(),
    st.sampled_from(["", "x", "q", "1", "classic", "quorum", "drop-head", "all", "any"]),
    st.lists(st.sampled_from(["q", "", 1, None]), max_size=3),
    st.dictionaries(st.just("k"), st.integers(-5, 5), max_size=1),
)
KEYS = st.sampled_from([
    "x-max-length", "x-message-ttl", "x-expires", "x-max-priority", "x-dead-letter-exchange", "x-dead-letter-routing-key",
    "x-overflow", "x-queue-type", "x-single-active-consumer", "x-priority", "alternate-exchange", "x-match", "CC", "BCC",
    "hash-header", "hash-property", "x-death", "x-unknown", "\udcfe",
])  # fmt: skip
TABLES = st.one_of(
    st.just(b""),
    st.dictionaries(KEYS, VALUES, max_size=3).map(tables.encode),
    st.binary(max_size=20),
)
KINDS: dict[str, st.SearchStrategy[object]] = {
    "u8": st.integers(0, 255),
    "u16": st.sampled_from([0, 1, 5, 65535]),
    "u32": st.sampled_from([0, 0, 0, 1, 2**32 - 1]),
    "u64": st.sampled_from([0, 1, 2, 3, 2**64 - 1]),
    "bit": st.sampled_from([False, False, True]),
    "longstr": st.binary(max_size=10),
    "table": TABLES,
}


def _call(found: Method) -> st.SearchStrategy[bytes]:
    values = [
        TYPES if name == "type" else NAMES if kind == "shortstr" else KINDS[kind]
        for name, kind in zip(found.names, found.types, strict=True)
    ]
    return st.builds(lambda channel, *given: method(channel, found.name, *given), CHANNELS, *values)


COMMON = [found for name, found in METHODS.items() if name.startswith(("exchange.", "queue.", "basic.", "tx.", "confirm."))]
CALLS = st.sampled_from([*COMMON, *COMMON, *COMMON, *METHODS.values()]).flatmap(_call)
HEADERS = st.builds(
    lambda size, headers, expiration, priority, mode: content_header(
        size, headers=headers, expiration=expiration, priority=priority, delivery_mode=mode
    ),
    st.sampled_from([0, 1, 5, 5000, 2**40]),
    st.one_of(st.none(), TABLES),
    st.sampled_from([None, None, "0", "60000", "x", "9" * 40]),
    st.sampled_from([None, 0, 3, 255]),
    st.sampled_from([None, 1, 2, 7]),
)
MESSAGES = st.builds(
    lambda channel, exchange, key, header, mandatory: _message(channel, exchange, key, header, mandatory=mandatory),
    CHANNELS, NAMES, NAMES, HEADERS, st.booleans(),
)  # fmt: skip


def _message(channel: int, exchange: str, routing_key: str, header: bytes, *, mandatory: bool) -> bytes:
    size = int.from_bytes(header[4:12], "big")
    data = method(channel, "basic.publish", 0, exchange, routing_key, mandatory, False) + header_frame(channel, header)
    return data + (body_frame(channel, bytes(size)) if 0 < size < 2**20 else b"")


RAW_FRAMES = st.builds(
    frames.frame, st.sampled_from([1, 1, 2, 3, 8, 4, 0]), CHANNELS, st.one_of(st.binary(max_size=30), HEADERS)
)
PIECES = st.one_of(CALLS, CALLS, CALLS, MESSAGES, MESSAGES, MESSAGES.map(lambda data: data * 3), RAW_FRAMES)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Frames, some octets of which were changed, taken out or put in."""
    data = bytearray(b"".join(draw(st.lists(PIECES, min_size=1, max_size=4))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        stop = at + draw(st.sampled_from([0, 1, 1, 1, 4]))
        data[at:stop] = draw(st.binary(max_size=4))
    return bytes(data)

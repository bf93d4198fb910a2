"""Methods: whatever values they hold come back, and whatever octets come in are read or refused."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from amqpd.errors import BadSyntax, FrameError, Unimplemented
from amqpd.message import envelope_of
from amqpd.wire import methods, properties
from amqpd.wire.methods import METHODS, Method

SHORT = st.binary(max_size=255).map(lambda octets: octets.decode("utf-8", "ignore"))
KINDS: dict[str, st.SearchStrategy[object]] = {
    "u8": st.integers(0, 2**8 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "u32": st.integers(0, 2**32 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "bit": st.booleans(),
    "shortstr": SHORT,
    "longstr": st.binary(max_size=300),
    "table": st.binary(max_size=300),
}
CALLS = st.sampled_from(list(METHODS.values())).flatmap(
    lambda method: st.tuples(st.just(method), st.tuples(*[KINDS[kind] for kind in method.types]))
)


@given(CALLS)
def test_methods_come_back(call: tuple[Method, tuple[object, ...]]) -> None:
    """Any values, octet for octet."""
    method, values = call

    assert (method, list(values)) == methods.decode(methods.encode(method, values))


@given(st.sampled_from(list(METHODS.values())), st.binary(max_size=60))
def test_any_arguments(method: Method, octets: bytes) -> None:
    """Arguments of arbitrary octets are read, or refused as what they are not; what is read is written as it was."""
    payload = struct.pack(">HH", method.class_id, method.method_id) + octets
    try:
        found, values = methods.decode(payload)
    except (BadSyntax, FrameError):
        return
    assert (found, values) == methods.decode(methods.encode(found, tuple(values)))


@given(st.binary(max_size=12))
def test_any_payload(payload: bytes) -> None:
    """Nothing else than BadSyntax, FrameError and Unimplemented comes of arbitrary octets."""
    try:
        methods.decode(payload)
    except (BadSyntax, FrameError, Unimplemented):
        return
    assert payload[:4] in {struct.pack(">HH", method.class_id, method.method_id) for method in METHODS.values()}


@given(st.integers(0, 2**16 - 1), st.binary(max_size=80))
def test_any_content_header(flags: int, octets: bytes) -> None:
    """A content header of arbitrary octets is read, or refused with BadSyntax; what is read is written as it was."""
    header = struct.pack(">HHQH", 60, 0, 5, flags & 0xFFFC) + octets
    try:
        found = properties.parse(header)
    except BadSyntax:
        return
    assert header == properties.encode(found, 5)


@given(st.binary(max_size=40))
def test_stored_messages_are_checked_again(header: bytes) -> None:
    """A damaged message on disk is BadSyntax, and nothing else."""
    try:
        envelope_of(b"\0\0", header)
    except BadSyntax:
        return
    assert len(header) >= properties.FIXED_SIZE

"""Our method codec against pamqp's."""

import struct

import pytest
from pamqp import base, commands
from pamqp import frame as pamqp_frame

from amqpd.errors import BadSyntax, Unimplemented
from amqpd.wire import frames, methods, tables
from amqpd.wire.methods import METHODS, Method

SAMPLES = {
    "u8": 200, "u16": 40_000, "u32": 3_000_000_000, "u64": 1 << 40, "shortstr": "name", "longstr": b"long", "table": b"",
}  # fmt: skip
RESERVED: dict[str, object] = {
    "ticket": 0,
    "reserved_1": "",
    "reserved_2": False,
    "channel.open reserved_1": "0",
    "channel.open-ok reserved_1": b"0",
}
"""Arguments without a meaning, which pamqp takes with no other value."""
SHARED = [method for method in METHODS.values() if method.key in commands.INDEX_MAPPING]
TABLE = {"text": "x", "number": 5, "flag": True, "nested": {"list": ["a", 1]}}


def values(method: Method, *, bit: int = -1) -> tuple[object, ...]:
    """A value for each argument; of the bits only this one is true."""
    bits = iter(range(len(method.types)))
    return tuple(
        [
            reserved(method, name, next(bits) == bit if kind == "bit" else SAMPLES[kind])
            for name, kind in zip(method.names, method.types, strict=True)
        ]
    )


def reserved(method: Method, name: str, value: object) -> object:
    """The only value that pamqp takes for an argument without a meaning; value for any other argument."""
    return RESERVED.get(f"{method.name} {name}", RESERVED.get(name, value))


def test_pamqp_knows_nearly_all() -> None:
    """The oracle covers every method but those that it does not have."""
    assert set() == {name for name in METHODS if METHODS[name] not in SHARED} - {"access.request", "access.request-ok"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pamqp's view of basic.recover-async
@pytest.mark.parametrize("method", SHARED, ids=lambda method: method.name)
def test_methods_are_what_pamqp_makes_of_them(method: Method) -> None:
    """Each method, with each bit alone: pamqp reads what was written, and writes the same octets."""
    for bit in range(method.types.count("bit") + 1):
        given = values(method, bit=bit)
        data = frames.frame(frames.METHOD, 5, methods.encode(method, given))
        size, channel, found = pamqp_frame.unmarshal(data)

        assert (len(data), 5) == (size, channel)
        assert isinstance(found, base.Frame)
        assert type(found) is commands.INDEX_MAPPING[method.key]
        assert [as_seen(value, kind) for value, kind in zip(given, method.types, strict=True)] == [value for _, value in found]
        assert data == pamqp_frame.marshal(found, 5)


def as_seen(value: object, kind: str) -> object:
    """A value as pamqp gives it: long strings as text, tables decoded."""
    if kind == "table":
        return {}
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_methods_come_back(method: Method) -> None:
    """Decode is the inverse of encode."""
    given = values(method, bit=0)
    found, got = methods.decode(methods.encode(method, given))

    assert (method, list(given)) == (found, got)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_cut_short_is_a_syntax_error(method: Method) -> None:
    """At every octet, and nothing else happens."""
    payload = methods.encode(method, values(method))
    for stop in range(len(payload)):
        with pytest.raises(BadSyntax, match="cut short"):
            methods.decode(payload[:stop])


def test_tables_in_methods() -> None:
    """An argument table arrives as its bytes, without length; pamqp reads the same values."""
    payload = methods.encode(METHODS["queue.bind"], (0, "q", "x", "k", True, tables.encode(TABLE)))

    assert TABLE == tables.decode(last(payload))
    _, _, found = pamqp_frame.unmarshal(frames.frame(frames.METHOD, 1, payload))
    assert isinstance(found, commands.Queue.Bind)
    assert found.arguments == TABLE


def last(payload: bytes) -> bytes:
    """The last argument of a method, which is a table."""
    table = methods.decode(payload)[1][-1]
    assert isinstance(table, bytes)
    return table


@pytest.mark.parametrize("ids", [(10, 99), (60, 999), (0, 0), (65535, 65535)])
def test_unknown_methods(ids: tuple[int, int]) -> None:
    """They are told apart from malformed ones."""
    with pytest.raises(Unimplemented, match=f"unknown method {ids[0]}.{ids[1]}"):
        methods.decode(struct.pack(">HH", *ids))


def test_short_strings_are_octets() -> None:
    """What is not UTF-8 survives; more than 255 octets are refused."""
    assert methods.short_string(b"\xff\xfe".decode("utf-8", "surrogateescape")) == b"\x02\xff\xfe"
    assert methods.short_string("ä" * 127) == b"\xfe" + "ä".encode() * 127
    with pytest.raises(BadSyntax):
        methods.short_string("ä" * 128)


def test_methods_show_their_names() -> None:
    """For whoever reads a failure."""
    assert repr(METHODS["basic.qos"]) == "<Method basic.qos>"

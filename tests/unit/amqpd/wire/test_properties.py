"""Our content headers against pamqp's."""

import datetime as dt

import pytest
from pamqp import commands
from pamqp.header import ContentHeader

from amqpd.errors import BadSyntax
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties

NAMES = (
    "content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
    "expiration", "message_id", "timestamp", "type", "user_id", "app_id", "cluster_id",
)  # fmt: skip
HEADERS = {"a": 1, "b": ["x", {"c": True}]}
VALUES: dict[str, object] = {
    **{name: f"the {name}" for name in NAMES},
    "headers": tables.encode(HEADERS),
    "delivery_mode": 2,
    "priority": 9,
    "timestamp": 1_600_000_000,
}


def made(*names: str) -> bytes:
    """A content header with these properties."""
    found = Properties()
    for name in names:
        setattr(found, name, VALUES[name])
    return properties.encode(found, 1 << 33)


def told(found: Properties) -> dict[str, object]:
    """The properties that are there."""
    return {name: getattr(found, name) for name in NAMES if getattr(found, name) is not None}


SETS = [(), *[(name,) for name in NAMES], NAMES[::2], NAMES[1::2], NAMES]
PAMQP_SETS = [names for names in SETS if "cluster_id" not in names] + [NAMES[:-1]]
"""pamqp refuses the property that the specification reserves."""


@pytest.mark.parametrize("names", SETS)
def test_headers_come_back(names: tuple[str, ...]) -> None:
    """Parse is the inverse of encode, for each property alone and for many."""
    header = made(*names)

    assert {name: VALUES[name] for name in names} == told(properties.parse(header))
    assert properties.body_size(header) == 1 << 33


@pytest.mark.parametrize("names", PAMQP_SETS)
def test_pamqp_reads_the_same(names: tuple[str, ...]) -> None:
    """Pamqp finds the same properties in a header."""
    header = ContentHeader()
    header.unmarshal(made(*names))
    expected = {name: VALUES[name] for name in names}
    found = {name: value for name, value in header.properties if value not in (None, "")}
    if "headers" in expected:
        expected["headers"] = HEADERS
    if "timestamp" in expected:
        expected["timestamp"] = dt.datetime.fromtimestamp(1_600_000_000, tz=dt.UTC)
    if "type" in expected:
        expected["message_type"] = expected.pop("type")

    assert expected == found
    assert header.body_size == 1 << 33


@pytest.mark.parametrize("names", PAMQP_SETS)
def test_pamqp_writes_the_same(names: tuple[str, ...]) -> None:
    """The same octets for the same properties."""
    given = {("message_type" if name == "type" else name): VALUES[name] for name in names}
    if "timestamp" in given:
        given["timestamp"] = dt.datetime.fromtimestamp(1_600_000_000, tz=dt.UTC)
    if "headers" in given:
        given["headers"] = HEADERS
    header = ContentHeader(0, 1 << 33, commands.Basic.Properties(**given))  # type: ignore[arg-type]  # each has its type
    made_by_us = properties.parse(made(*names))
    if made_by_us.headers is not None:
        made_by_pamqp = properties.parse(header.marshal())
        assert made_by_pamqp.headers is not None
        assert tables.decode(made_by_pamqp.headers) == HEADERS
        made_by_us.headers = made_by_pamqp.headers

    assert header.marshal() == properties.encode(made_by_us, 1 << 33)


def test_a_header_cut_short_is_a_syntax_error() -> None:
    """At every octet; and so is one that goes on after its last property."""
    header = made(*NAMES)
    for stop in range(len(header)):
        with pytest.raises(BadSyntax):
            properties.parse(header[:stop])
    with pytest.raises(BadSyntax, match="does not match its flags"):
        properties.parse(header + b"\0")


def test_one_word_of_flags() -> None:
    """No property needs a second one, so it is refused."""
    header = bytearray(made())
    header[13] |= 1

    with pytest.raises(BadSyntax, match="more than one word of flags"):
        properties.parse(bytes(header) + bytes(2))


def test_octets_survive() -> None:
    """Short strings need not be UTF-8."""
    found = properties.parse(made("type").replace(b"the type", b"the \xff\xfe\xfd!"))

    assert properties.encode(found, 0).endswith(b"\x08the \xff\xfe\xfd!")


def test_long_texts_are_refused() -> None:
    """A short string holds 255 octets."""
    found = Properties()
    found.reply_to = "x" * 256

    with pytest.raises(BadSyntax):
        properties.encode(found, 0)


def test_decoded_headers() -> None:
    """A message without headers has none."""
    assert HEADERS == properties.decoded_headers(properties.parse(made("headers")))
    assert {} == properties.decoded_headers(Properties())


@pytest.mark.parametrize("others", [(), ("content_type",), ("content_encoding",), ("content_type", "content_encoding", "type")])
def test_headers_are_replaced(others: tuple[str, ...]) -> None:
    """Another table stands where the first one stood, and every other octet stays."""
    header = made("headers", *others)
    table = tables.encode({"n": "another"})
    found = properties.parse(header)
    assert found.headers == properties.headers_of(header)
    found.headers = table

    assert properties.encode(found, properties.body_size(header)) == properties.with_headers(header, table)


def test_no_headers() -> None:
    """They are as good as an empty table."""
    assert b"" == properties.headers_of(made("content_type"))

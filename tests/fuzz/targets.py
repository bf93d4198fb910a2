"""What is fuzzed: a function for each kind of input, which takes any octets and raises if the broker would fail at them."""

import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from amqpd.broker.arguments import QueueArguments
from amqpd.config import ConfigError, load
from amqpd.errors import AmqpError, BadSyntax
from amqpd.options import OPTIONS
from amqpd.protocol import handshake, proxy
from amqpd.protocol.proxy import ProxyError
from amqpd.wire import methods, properties, tables
from amqpd.wire.frames import FRAME_OVERHEAD
from amqpd.wire.methods import METHODS
from helpers import client
from helpers.choices import Choices, words
from helpers.pair import ConnectionPair, Hall, opened
from helpers.recorder import opened as recording
from helpers.stores import Note, Owner
from persistence import records
from persistence.memory import memory_store
from persistence.store import Chunk, Corrupt, Log
from persistence.tables import NAMES as NAMES_OF_TABLES
from persistence.write_ahead_log import BLOCK_BYTES, BLOCKS, understood

Target = Callable[[bytes], None]

MESSAGE_LIMIT = 100_000
NAMES = ("", *words("q x r amq.direct amq.fanout amq.topic amq.headers a.b # *.b c amq.rabbitmq.trace"))
KEYS = words("""
    x-max-length x-message-ttl x-expires x-max-priority x-dead-letter-exchange x-dead-letter-routing-key x-overflow
    x-queue-type x-single-active-consumer x-priority alternate-exchange x-match CC BCC hash-header hash-property x-death
    x-delay x-delayed-type x-max-length-bytes x-message-deduplication x-cache-size x-recent-history-length
    x-consumer-timeout x-stream-offset k
""")
WORDS = words("""
    q x classic quorum drop-head reject-publish all any direct topic fanout headers x-consistent-hash x-delayed-message
    x-message-deduplication x-recent-history x-random 1 -1 999999999999999999999999999999 correlation_id timestamp \udcff
""")


# --- the wire --------------------------------------------------------------------------------------------------------


def frame_octets(data: bytes) -> None:
    """Octets on a connection with two open channels, in two pieces: nothing is raised, and what is kept is bounded."""
    recorder = recording(1, 2)
    cut = data[0] if data else 0
    for piece in (data[1 : 1 + cut], data[1 + cut :]):
        recorder.feed(piece)
        assert len(recorder.connection._rest) <= recorder.connection.limits.frame_max + FRAME_OVERHEAD
        for channel in recorder.connection.channels.values():
            assert sum(map(len, channel.parts)) <= MESSAGE_LIMIT
    assert not [event for event in recorder.events if event[0] == "crashed"], recorder.events
    recorder.heard()


def method_payloads(data: bytes) -> None:
    """A payload is a method, whose encoding decodes to the same values, or an AmqpError."""
    try:
        method, values = methods.decode(data)
    except AmqpError:
        return
    if "table" in method.types:
        return  # Tables travel as they came; `field_tables` reads them.
    again, same = methods.decode(methods.encode(method, tuple(values)))
    assert (method.name, values) == (again.name, same)


def field_tables(data: bytes) -> None:
    """A table is a BadSyntax, or values that come back from their encoding, and arguments of a queue or an AmqpError."""
    try:
        decoded = tables.decode(data)
    except BadSyntax:
        return
    for name in list(decoded)[:3]:
        assert name not in tables.decode(tables.without(data, name))
    try:
        encoded = tables.encode(decoded)
    except BadSyntax:
        return  # What the widest types hold does not fit the narrower ones that are written.
    assert _shown(decoded) == _shown(tables.decode(encoded))
    try:
        QueueArguments(data, "q", "/")
    except AmqpError:
        return


def _shown(value: object) -> str:
    """The value as a text in which not-a-number equals itself, and decimals are told by their value."""
    if isinstance(value, dict):
        return str({name: _shown(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return str([_shown(inner) for inner in value])
    return repr(+value.normalize()) if isinstance(value, Decimal) else repr(value)


def _fields(found: properties.Properties) -> dict[str, object]:
    return {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}


def content_headers(data: bytes) -> None:
    """A content header is a BadSyntax, or properties that come back from their encoding."""
    try:
        found = properties.parse(data)
    except BadSyntax:
        return
    again = properties.parse(properties.encode(found, properties.body_size(data)))
    assert _fields(found) == _fields(again)


def sasl_responses(data: bytes) -> None:
    """A response names a user and a password, or is a BadSyntax; all of it goes through a login, too."""
    choices = Choices(data)
    mechanism = choices.pick(("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS", ""))
    response = choices.rest()
    try:
        user, password = handshake.credentials(mechanism, response)
    except BadSyntax:
        return
    assert isinstance(user, str)
    assert isinstance(password, str)


def greetings(data: bytes) -> None:
    """Octets from the first one on, and after the protocol header: a login, a farewell, or silence."""
    pair = ConnectionPair(Hall())
    choices = Choices(data)
    if choices.flag():
        pair.send(client.HEADER)
        if choices.flag():
            mechanism = choices.text(("PLAIN", "AMQPLAIN", "EXTERNAL", ""))[:255]
            response = choices.octets(choices.octet() % 64)
            pair.send(client.method(0, "connection.start-ok", choices.octets(choices.octet() % 64), mechanism, response, ""))
    if not pair.socket.closed_by:
        pair.send(choices.rest())
    pair.hall.commit()
    pair.socket.abort()
    pair.loop.run()


def proxy_headers(data: bytes) -> None:
    """A header is a route, an error, or unfinished; every beginning of a route is unfinished."""
    try:
        route = proxy.parse(data)
    except ProxyError:
        return
    if route is None:
        assert len(data) <= proxy.LONGEST
        return
    assert 0 < route.size <= len(data)
    assert proxy.parse(data[: route.size - 1]) is None


# --- the whole broker ------------------------------------------------------------------------------------------------


def commands(data: bytes) -> None:
    """Commands with arguments that make sense now and then, on a connection with real channels and queues behind it."""
    pair = opened(Hall(max_message_size=str(MESSAGE_LIMIT)), 1, 2)
    choices = Choices(data)
    pair.send(
        client.method(1, "queue.declare", 0, "q", False, True, False, False, False, b""),
        client.method(1, "queue.bind", 0, "q", "amq.topic", "#", False, b""),
        client.method(2, "basic.consume", 0, "q", "c", False, False, False, False, b""),
    )
    while choices.are_left and not pair.socket.closed_by:
        pair.send(_command(choices))
        if choices.flag():
            pair.hall.commit()
            pair.hall.core.pages.read()
    pair.hall.commit()
    pair.heard()
    pair.socket.abort()
    pair.loop.run()
    assert {} == pair.connection.channels


_SENT = tuple(name for name in METHODS if name.partition(".")[0] in {"exchange", "queue", "basic", "tx", "confirm", "channel"})


def _command(choices: Choices) -> bytes:
    channel = choices.pick((1, 2, 1, 3))
    if choices.octet() % 3 == 0:
        body = bytes(choices.pick((0, 1, 5, 5000)))
        given: dict[str, Any] = {"headers": _table(choices)} if choices.flag() else {}
        if choices.flag():
            given["expiration"] = choices.pick(("0", "1", "60000", "x", "9" * 40))
            given["delivery_mode"] = choices.pick((1, 2, 7))
            given["priority"] = choices.octet()
        name, key = choices.pick(NAMES), choices.pick(NAMES)
        return client.publish(channel, name, key, body, mandatory=choices.flag(), parts=1, **given)
    method = METHODS[choices.pick(_SENT)]
    values = [_argument(choices, name, kind) for name, kind in zip(method.names, method.types, strict=True)]
    return client.method(channel, method.name, *values)


def _argument(choices: Choices, name: str, kind: str) -> object:
    if kind == "table":
        return _table(choices)
    if kind == "bit":
        return choices.flag()
    if kind == "longstr":
        return choices.octets(3)
    if kind == "shortstr":
        return choices.pick(WORDS if name == "type" else NAMES)
    return choices.pick((0, 0, 1, 2, 3)) if choices.octet() < 250 else (1 << int(kind[1:])) - 1


def _table(choices: Choices) -> bytes:
    if choices.octet() % 8 == 0:
        return choices.octets(20)
    table = {choices.pick(KEYS): choices.value(WORDS, 2) for _ in range(choices.octet() % 4)}
    try:
        return tables.encode(table)
    except BadSyntax:
        return b""


# --- what lies on disk -----------------------------------------------------------------------------------------------


def stored_chunks(data: bytes) -> None:
    """A stored chunk is records in order or Corrupt, also if its checksum is right."""
    choices = Choices(data)
    marks = choices.octets(choices.octet() % 8)
    first = choices.octet()
    value = bytearray(choices.rest())
    if len(value) >= records.CHUNK_HEADER_BYTES and first % 4:
        begun = crc32(value[:27], crc32(records.key(1, 0, first)))
        value[27:31] = begun.to_bytes(4, "big")
        value[31:35] = crc32(value[35:], begun).to_bytes(4, "big")
    chunk = Chunk(_log(), first, bytearray(marks), False)
    try:
        found = records.decode(bytes(value), chunk)
    except Corrupt:
        return
    sequences = [record.sequence for record in found]
    assert sequences == sorted(set(sequences))


@cache
def _log() -> Log:
    return Log(memory_store(), 1, 0, Owner())


def stored_values(data: bytes) -> None:
    """Keys, numbers and protected values are what was stored, or Corrupt."""
    for read in (records.split_key, records.split_calendar_key, records.unpack_id):
        try:
            read(data)
        except Corrupt:
            continue
    try:
        records.unprotect(b"key", data)
    except Corrupt:
        assert data == records.unprotect(b"key", records.protect(b"key", data))


def logs(data: bytes) -> None:
    """Blocks of a write-ahead log whose checksums are right: changes of the tables that there are, or a word on the damage."""
    blocks = bytearray()
    choices = Choices(data)
    while choices.are_left and len(blocks) < BLOCKS * BLOCK_BYTES:
        head = (choices.octet() % 3).to_bytes(12, "big") + choices.octets(2).rjust(2, b"\0") + choices.octets(1)
        content = (head + choices.octets(choices.octet())).ljust(BLOCK_BYTES - 4, b"\0")
        used = int.from_bytes(head[12:14], "big")
        checksum = crc32(content[: len(head) + used], crc32((len(blocks) // BLOCK_BYTES).to_bytes(4, "big")))
        blocks += checksum.to_bytes(4, "big") + content
    changes, damages = understood(bytes(blocks), generation=1)
    assert damages or len(blocks) == BLOCKS * BLOCK_BYTES, "a log that is cut off is damaged"
    assert all(table < len(NAMES_OF_TABLES) for table, _, _ in changes)
    understood(data, generation=1)


# --- what an operator writes -----------------------------------------------------------------------------------------


def configurations(data: bytes) -> None:
    """A configuration file is a Config or a ConfigError, and so is any value of any option."""
    choices = Choices(data)
    if choices.octet() < 16:
        text = choices.rest()
    else:
        option = choices.pick(OPTIONS)
        text = f"{option.key} = {json.dumps(choices.rest().decode('utf-8', 'replace'))}\n".encode()
    _file().write_bytes(text)
    try:
        load({"config": str(_file())}, {})
    except ConfigError:
        return


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108 - in memory


def _file() -> Path:
    return Path(_folder().name) / "amqpd.toml"


def _chunk() -> bytes:
    """A sound chunk of two records."""
    pieces: list[bytes] = []
    notes = [Note(1, b"one"), Note(3, b"two")]
    size = sum(note.pieces(pieces) for note in notes)
    return records.encode_chunk(records.key(1, 0, 1), pieces, 2, 3, size)


def _seed_tables() -> list[bytes]:
    nested: dict[str, object] = {"a": {"b": [1, 1.5, None, True, "x", b"y", {"c": Decimal("1.23")}]}, "T": tables.Timestamp(1)}
    return [b"", tables.encode(nested), tables.encode({"x-max-length": 1, "x-queue-type": "classic"})]


def seeds() -> dict[str, list[bytes]]:
    """Sound inputs for each target to begin with, by its name."""
    message = client.publish(1, "x", "k", b"body", headers=tables.encode({"h": 1}), expiration="5", delivery_mode=2)
    declare = client.method(1, "queue.declare", 0, "q", False, True, False, False, False, b"")
    amqplain = tables.encode({"LOGIN": "guest", "PASSWORD": "guest"})
    start_ok = client.method(0, "connection.start-ok", b"", "PLAIN", b"\0guest\0guest", "en_US")
    tune_ok = client.method(0, "connection.tune-ok", 2047, 131072, 0)
    opening = client.method(0, "connection.open", "/", "", False)
    version_2 = proxy.SIGNATURE + b"\x21\x11\x00\x0c" + bytes(12)
    return {
        "frames": [b"\x09" + message * 3, b"\x00" + declare + message, b"\x40" + message + declare],
        "methods": [frame[7:-1] for frame in (declare, start_ok, tune_ok, opening)],
        "tables": _seed_tables(),
        "properties": [client.content_header(4, content_type="t", headers=b"", timestamp=1, priority=2, user_id="u")],
        "sasl": [b"\x00\0guest\0guest", b"\x01" + amqplain],
        "greetings": [b"\x00" + client.HEADER + start_ok + tune_ok + opening, b"\x01\x00" + start_ok + tune_ok + opening],
        "proxy": [b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"PROXY TCP6 ::1 ::2 1 2\r\nAMQP", b"PROXY UNKNOWN\r\n", version_2],
        "commands": [bytes(range(120)), bytes(range(255, 100, -1))],
        "chunks": [b"\x02\x00\x00\x01" + _chunk(), b"\x02\xff\x07\x05" + _chunk()],
        "logs": [b"\x01\x00\x0b\x03\x0b\x00\x00\x01\x00\x00\x00\x03kabc", b"\x01\x00\x08\x01\x08\x80\x00\x01\x00\x00\x00\x00k"],
        "values": [bytes(13), bytes(21), bytes(8), records.protect(b"key", b"marks")],
        "config": [b"\x00port = 5672\nhost = '::1'\n", *[bytes((255, at)) + b"1" for at in range(len(OPTIONS))]],
    }


TARGETS: dict[str, Target] = {
    "frames": frame_octets,
    "methods": method_payloads,
    "tables": field_tables,
    "properties": content_headers,
    "sasl": sasl_responses,
    "greetings": greetings,
    "proxy": proxy_headers,
    "commands": commands,
    "chunks": stored_chunks,
    "values": stored_values,
    "logs": logs,
    "config": configurations,
}

"""Every method of AMQP 0-9-1 and of RabbitMQ's extensions, one row each; encode and decode from the rows.

Publish, deliver and ack travel past this module (`protocol.connection`, `wire.content`); all others are rare enough for a
table. A method's arguments are handled in the order of its row. Short strings are str, long strings and field tables bytes.
What is published under octets that are not UTF-8 is returned under them, as surrogate escapes; decoded, they are an error.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from amqpd.errors import BadSyntax, FrameError, Unimplemented

_ROWS: Final = """
connection.start        10 10 version_major:u8 version_minor:u8 server_properties:table mechanisms:longstr locales:longstr
connection.start-ok     10 11 client_properties:table mechanism:shortstr response:longstr locale:shortstr
connection.secure       10 20 challenge:longstr
connection.secure-ok    10 21 response:longstr
connection.tune         10 30 channel_max:u16 frame_max:u32 heartbeat:u16
connection.tune-ok      10 31 channel_max:u16 frame_max:u32 heartbeat:u16
connection.open         10 40 virtual_host:shortstr reserved_1:shortstr reserved_2:bit
connection.open-ok      10 41 reserved_1:shortstr
connection.close        10 50 reply_code:u16 reply_text:shortstr class_id:u16 method_id:u16
connection.close-ok     10 51
connection.blocked      10 60 reason:shortstr
connection.unblocked    10 61
connection.update-secret    10 70 new_secret:longstr reason:shortstr
connection.update-secret-ok 10 71
channel.open            20 10 reserved_1:shortstr
channel.open-ok         20 11 reserved_1:longstr
channel.flow            20 20 active:bit
channel.flow-ok         20 21 active:bit
channel.close           20 40 reply_code:u16 reply_text:shortstr class_id:u16 method_id:u16
channel.close-ok        20 41
access.request          30 10 realm:shortstr exclusive:bit passive:bit active:bit write:bit read:bit
access.request-ok       30 11 ticket:u16
exchange.declare        40 10 ticket:u16 exchange:shortstr type:shortstr passive:bit durable:bit auto_delete:bit internal:bit no_wait:bit arguments:table
exchange.declare-ok     40 11
exchange.delete         40 20 ticket:u16 exchange:shortstr if_unused:bit no_wait:bit
exchange.delete-ok      40 21
exchange.bind           40 30 ticket:u16 destination:shortstr source:shortstr routing_key:shortstr no_wait:bit arguments:table
exchange.bind-ok        40 31
exchange.unbind         40 40 ticket:u16 destination:shortstr source:shortstr routing_key:shortstr no_wait:bit arguments:table
exchange.unbind-ok      40 51
queue.declare           50 10 ticket:u16 queue:shortstr passive:bit durable:bit exclusive:bit auto_delete:bit no_wait:bit arguments:table
queue.declare-ok        50 11 queue:shortstr message_count:u32 consumer_count:u32
queue.bind              50 20 ticket:u16 queue:shortstr exchange:shortstr routing_key:shortstr no_wait:bit arguments:table
queue.bind-ok           50 21
queue.purge             50 30 ticket:u16 queue:shortstr no_wait:bit
queue.purge-ok          50 31 message_count:u32
queue.delete            50 40 ticket:u16 queue:shortstr if_unused:bit if_empty:bit no_wait:bit
queue.delete-ok         50 41 message_count:u32
queue.unbind            50 50 ticket:u16 queue:shortstr exchange:shortstr routing_key:shortstr arguments:table
queue.unbind-ok         50 51
basic.qos               60 10 prefetch_size:u32 prefetch_count:u16 global_:bit
basic.qos-ok            60 11
basic.consume           60 20 ticket:u16 queue:shortstr consumer_tag:shortstr no_local:bit no_ack:bit exclusive:bit no_wait:bit arguments:table
basic.consume-ok        60 21 consumer_tag:shortstr
basic.cancel            60 30 consumer_tag:shortstr no_wait:bit
basic.cancel-ok         60 31 consumer_tag:shortstr
basic.publish           60 40 ticket:u16 exchange:shortstr routing_key:shortstr mandatory:bit immediate:bit
basic.return            60 50 reply_code:u16 reply_text:shortstr exchange:shortstr routing_key:shortstr
basic.deliver           60 60 consumer_tag:shortstr delivery_tag:u64 redelivered:bit exchange:shortstr routing_key:shortstr
basic.get               60 70 ticket:u16 queue:shortstr no_ack:bit
basic.get-ok            60 71 delivery_tag:u64 redelivered:bit exchange:shortstr routing_key:shortstr message_count:u32
basic.get-empty         60 72 reserved_1:shortstr
basic.ack               60 80 delivery_tag:u64 multiple:bit
basic.reject            60 90 delivery_tag:u64 requeue:bit
basic.recover-async     60 100 requeue:bit
basic.recover           60 110 requeue:bit
basic.recover-ok        60 111
basic.nack              60 120 delivery_tag:u64 multiple:bit requeue:bit
confirm.select          85 10 no_wait:bit
confirm.select-ok       85 11
tx.select               90 10
tx.select-ok            90 11
tx.commit               90 20
tx.commit-ok            90 21
tx.rollback             90 30
tx.rollback-ok          90 31
"""  # noqa: E501

_INTEGERS: Final = {"u8": Struct(">B"), "u16": Struct(">H"), "u32": Struct(">I"), "u64": Struct(">Q")}
_IDS: Final = Struct(">HH")
_U32: Final = Struct(">I")


class Method:
    """One row: a method's name, ids, and the names and types of its arguments."""

    def __init__(self, row: str) -> None:
        name, class_id, method_id, *arguments = row.split()
        self.name: Final = name
        self.class_id: Final = int(class_id)
        self.method_id: Final = int(method_id)
        self.key: Final = self.class_id << 16 | self.method_id
        self.names: Final = [argument.partition(":")[0] for argument in arguments]
        self.types: Final = [argument.partition(":")[2] for argument in arguments]

    def __repr__(self) -> str:
        return f"<Method {self.name}>"


METHODS: Final = {method.name: method for method in map(Method, _ROWS.strip().splitlines())}
_BY_KEY: Final = {method.key: method for method in METHODS.values()}


def decode(payload: bytes) -> tuple[Method, list[object]]:
    """The method and its arguments. Raises BadSyntax and FrameError if they do not parse, Unimplemented for unknown ids."""
    if len(payload) < 4:
        raise BadSyntax("method frame is cut short")
    class_id, method_id = _IDS.unpack_from(payload)
    method = _BY_KEY.get(class_id << 16 | method_id)
    if method is None:
        raise Unimplemented(f"unknown method {class_id}.{method_id}")
    return method, arguments(method, payload)


def arguments(method: Method, payload: bytes) -> list[object]:
    """The arguments in the payload of a frame of this method. Raises BadSyntax, FrameError."""
    values: list[object] = []
    position, bit = 4, 0
    for kind in method.types:
        if kind == "bit":
            values.append(bool(_octet(payload, position, method) >> bit & 1))
            bit += 1
            continue
        if bit:
            position, bit = position + 1, 0
        value, position = _argument(payload, position, kind, method)
        values.append(value)
    return values


def _argument(payload: bytes, position: int, kind: str, method: Method) -> tuple[object, int]:
    integer = _INTEGERS.get(kind)
    if integer is not None:
        stop = position + integer.size
        _check(payload, stop, method)
        return integer.unpack_from(payload, position)[0], stop
    if kind == "shortstr":
        stop = position + 1 + _octet(payload, position, method)
        _check(payload, stop, method)
        try:
            return payload[position + 1 : stop].decode(), stop
        except UnicodeDecodeError:
            raise FrameError("Malformed UTF-8 in shortstr") from None
    start = position + 4
    _check(payload, start, method)
    stop = start + _U32.unpack_from(payload, position)[0]
    _check(payload, stop, method)
    return payload[start:stop], stop


def _octet(payload: bytes, position: int, method: Method) -> int:
    _check(payload, position + 1, method)
    return payload[position]


def _check(payload: bytes, stop: int, method: Method) -> None:
    if stop > len(payload):
        raise BadSyntax(f"{method.name} is cut short")


def encode(method: Method, values: tuple[object, ...]) -> bytes:
    """The payload of a frame of this method; values in the order of its row."""
    pieces = [_IDS.pack(method.class_id, method.method_id)]
    bits, count = 0, 0
    for kind, value in zip(method.types, values, strict=True):
        if kind == "bit":
            bits |= bool(value) << count
            count += 1
            continue
        if count:
            pieces.append(bytes((bits,)))
            bits, count = 0, 0
        pieces.append(_encoded(kind, value))
    if count:
        pieces.append(bytes((bits,)))
    return b"".join(pieces)


def _encoded(kind: str, value: object) -> bytes:
    if kind == "shortstr":
        return short_string(str(value))
    integer = _INTEGERS.get(kind)
    if integer is not None:
        return bytes(integer.pack(value))
    assert isinstance(value, bytes)
    return _U32.pack(len(value)) + value


def short_string(text: str) -> bytes:
    """A short string on the wire: its length octet and up to 255 octets. Raises BadSyntax if it is longer."""
    octets = text.encode("utf-8", "surrogateescape")
    if len(octets) > 255:
        raise BadSyntax("short string is longer than 255 octets")
    return bytes((len(octets),)) + octets

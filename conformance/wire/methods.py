"""The methods of AMQP 0-9-1 and of RabbitMQ's extensions, as one table that codec and trace are driven by."""

import struct
from typing import Any, Final

from conformance.wire.values import Reader, encode_longstr, encode_shortstr, encode_table

# name, class id, method id, then the arguments in wire order; consecutive bits share octets, first bit lowest.
_SPECIFICATION: Final = """
connection.start         10  10  version_major:octet version_minor:octet server_properties:table mechanisms:longstr locales:longstr
connection.start-ok      10  11  client_properties:table mechanism:shortstr response:longstr locale:shortstr
connection.secure        10  20  challenge:longstr
connection.secure-ok     10  21  response:longstr
connection.tune          10  30  channel_max:short frame_max:long heartbeat:short
connection.tune-ok       10  31  channel_max:short frame_max:long heartbeat:short
connection.open          10  40  virtual_host:shortstr reserved_1:shortstr reserved_2:bit
connection.open-ok       10  41  reserved_1:shortstr
connection.close         10  50  reply_code:short reply_text:shortstr class_id:short method_id:short
connection.close-ok      10  51
connection.blocked       10  60  reason:shortstr
connection.unblocked     10  61
connection.update-secret 10  70  new_secret:longstr reason:shortstr
connection.update-secret-ok 10 71
channel.open             20  10  reserved_1:shortstr
channel.open-ok          20  11  reserved_1:longstr
channel.flow             20  20  active:bit
channel.flow-ok          20  21  active:bit
channel.close            20  40  reply_code:short reply_text:shortstr class_id:short method_id:short
channel.close-ok         20  41
access.request           30  10  realm:shortstr exclusive:bit passive:bit active:bit write:bit read:bit
access.request-ok        30  11  ticket:short
exchange.declare         40  10  ticket:short exchange:shortstr type:shortstr passive:bit durable:bit auto_delete:bit internal:bit nowait:bit arguments:table
exchange.declare-ok      40  11
exchange.delete          40  20  ticket:short exchange:shortstr if_unused:bit nowait:bit
exchange.delete-ok       40  21
exchange.bind            40  30  ticket:short destination:shortstr source:shortstr routing_key:shortstr nowait:bit arguments:table
exchange.bind-ok         40  31
exchange.unbind          40  40  ticket:short destination:shortstr source:shortstr routing_key:shortstr nowait:bit arguments:table
exchange.unbind-ok       40  51
queue.declare            50  10  ticket:short queue:shortstr passive:bit durable:bit exclusive:bit auto_delete:bit nowait:bit arguments:table
queue.declare-ok         50  11  queue:shortstr message_count:long consumer_count:long
queue.bind               50  20  ticket:short queue:shortstr exchange:shortstr routing_key:shortstr nowait:bit arguments:table
queue.bind-ok            50  21
queue.purge              50  30  ticket:short queue:shortstr nowait:bit
queue.purge-ok           50  31  message_count:long
queue.delete             50  40  ticket:short queue:shortstr if_unused:bit if_empty:bit nowait:bit
queue.delete-ok          50  41  message_count:long
queue.unbind             50  50  ticket:short queue:shortstr exchange:shortstr routing_key:shortstr arguments:table
queue.unbind-ok          50  51
basic.qos                60  10  prefetch_size:long prefetch_count:short global_:bit
basic.qos-ok             60  11
basic.consume            60  20  ticket:short queue:shortstr consumer_tag:shortstr no_local:bit no_ack:bit exclusive:bit nowait:bit arguments:table
basic.consume-ok         60  21  consumer_tag:shortstr
basic.cancel             60  30  consumer_tag:shortstr nowait:bit
basic.cancel-ok          60  31  consumer_tag:shortstr
basic.publish            60  40  ticket:short exchange:shortstr routing_key:shortstr mandatory:bit immediate:bit
basic.return             60  50  reply_code:short reply_text:shortstr exchange:shortstr routing_key:shortstr
basic.deliver            60  60  consumer_tag:shortstr delivery_tag:longlong redelivered:bit exchange:shortstr routing_key:shortstr
basic.get                60  70  ticket:short queue:shortstr no_ack:bit
basic.get-ok             60  71  delivery_tag:longlong redelivered:bit exchange:shortstr routing_key:shortstr message_count:long
basic.get-empty          60  72  reserved_1:shortstr
basic.ack                60  80  delivery_tag:longlong multiple:bit
basic.reject             60  90  delivery_tag:longlong requeue:bit
basic.recover-async      60 100  requeue:bit
basic.recover            60 110  requeue:bit
basic.recover-ok         60 111
basic.nack               60 120  delivery_tag:longlong multiple:bit requeue:bit
confirm.select           85  10  nowait:bit
confirm.select-ok        85  11
tx.select                90  10
tx.select-ok             90  11
tx.commit                90  20
tx.commit-ok             90  21
tx.rollback              90  30
tx.rollback-ok           90  31
"""  # noqa: E501 - one method a line
_LAYOUTS: Final = {"octet": "B", "short": "H", "long": "I", "longlong": "Q"}
CONTENT_METHODS: Final = frozenset({"basic.publish", "basic.return", "basic.deliver", "basic.get-ok"})


class Signature:
    """A method's name, ids and arguments."""

    def __init__(self, line: str) -> None:
        self.name, class_id, method_id, *arguments = line.split()
        self.ids = int(class_id), int(method_id)
        self.arguments = [(argument.partition(":")[0], argument.partition(":")[2]) for argument in arguments]


BY_NAME: Final = {(signature := Signature(line)).name: signature for line in _SPECIFICATION.strip().splitlines()}
BY_IDS: Final = {signature.ids: signature for signature in BY_NAME.values()}


class Method:
    """One method with its arguments, which are read as attributes."""

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self.name = name
        self.arguments = arguments

    def __getattr__(self, argument: str) -> Any:
        try:
            return self.__dict__["arguments"][argument]
        except KeyError:
            raise AttributeError(argument) from None

    def __repr__(self) -> str:
        shown = [f"{key}={value!r}" for key, value in self.arguments.items() if value not in (0, "", b"", {}, False)]
        return " ".join([self.name, *shown])


def encode_method(name: str, arguments: dict[str, Any]) -> bytes:
    """A method frame's payload; arguments not given are zero, false or empty. Raises KeyError for one unknown."""
    signature, given = BY_NAME[name], dict(arguments)
    payload = bytearray(struct.pack(">HH", *signature.ids))
    bit = 8
    for argument, kind in signature.arguments:
        if kind != "bit":
            payload += _encode_argument(kind, given.pop(argument, None))
            bit = 8
            continue
        if bit == 8:
            payload.append(0)
            bit = 0
        payload[-1] |= bool(given.pop(argument, False)) << bit
        bit += 1
    if given:
        raise KeyError(f"{name} has no arguments {sorted(given)}")
    return bytes(payload)


def _encode_argument(kind: str, value: Any) -> bytes:
    if kind == "table":
        return encode_table(value or {})
    if kind == "shortstr":
        return encode_shortstr(value or "")
    if kind == "longstr":
        return encode_longstr(value or "")
    return struct.pack(">" + _LAYOUTS[kind], value or 0)


def decode_method(payload: bytes) -> Method:
    """The method in a method frame's payload; raises KeyError for ids that do not exist."""
    reader = Reader(payload)
    signature = BY_IDS[reader.number("H"), reader.number("H")]
    arguments: dict[str, Any] = {}
    bits, bit = 0, 8
    for argument, kind in signature.arguments:
        if kind != "bit":
            arguments[argument] = _decode_argument(reader, kind)
            bit = 8
            continue
        if bit == 8:
            bits, bit = reader.number("B"), 0
        arguments[argument] = bool(bits >> bit & 1)
        bit += 1
    return Method(signature.name, arguments)


def _decode_argument(reader: Reader, kind: str) -> Any:
    if kind == "table":
        return reader.table()
    if kind == "shortstr":
        return reader.shortstr()
    if kind == "longstr":
        return reader.longstr().decode(errors="backslashreplace")
    return reader.number(_LAYOUTS[kind])

"""Lies: what a broker would have to say for a case to fail."""

from collections.abc import Callable
from typing import Any, Final

from conformance.wire import frames
from conformance.wire.content import encode_header
from conformance.wire.frames import Frame
from conformance.wire.methods import BY_NAME, Method, decode_method, encode_method

REFUSAL: Final[dict[str, Any]] = {"reply_code": 406, "reply_text": "PRECONDITION_FAILED - corrupted"}
OPPOSITES: Final = {"basic.ack": "basic.nack", "basic.nack": "basic.ack"}


def twist(frame: Frame) -> list[Frame]:
    """The same method with every argument wrong, or its opposite."""
    method = decode_method(frame.payload)
    if method.name == "basic.get-empty":
        return ghost(frame.channel, "basic.get-ok", {"delivery_tag": 1})
    if method.name in OPPOSITES:
        return [_method(frame.channel, OPPOSITES[method.name], {"delivery_tag": method.delivery_tag})]
    return [_method(frame.channel, method.name, twisted(method))]


def intrude(frame: Frame) -> list[Frame]:
    """The method behind messages that nobody is to get."""
    if not frame.channel:
        return [frame]
    returned = ghost(frame.channel, "basic.return", {"reply_code": 312})
    return [*returned, *ghost(frame.channel, "basic.deliver", {"consumer_tag": "ghost", "delivery_tag": 9999}), frame]


def refuse(frame: Frame) -> list[Frame]:
    """An error instead of the method."""
    return [_method(frame.channel, "channel.close" if frame.channel else "connection.close", REFUSAL)]


Lie = Callable[[Frame], list[Frame]]
LIES: Final[tuple[Lie, ...]] = (twist, intrude, refuse)


def corrupted_content(frame: Frame) -> list[Frame]:
    """A header or body frame of a message with other properties or octets."""
    if frame.type == frames.BODY:
        return [frame._replace(payload=bytes(octet ^ 0x55 for octet in frame.payload))]
    size = int.from_bytes(frame.payload[4:12], "big")
    return [frame._replace(payload=encode_header(size, {"app_id": "corrupted"}))]


def ghost(channel: int, name: str, arguments: dict[str, Any]) -> list[Frame]:
    """A message that nobody published."""
    header = Frame(frames.HEADER, channel, encode_header(5, {}))
    return [_method(channel, name, arguments), header, Frame(frames.BODY, channel, b"ghost")]


def twisted(method: Method) -> dict[str, Any]:
    """The arguments of a method, each of them wrong."""
    kinds = dict(BY_NAME[method.name].arguments)
    return {name: _twisted(kinds[name], value) for name, value in method.arguments.items()}


def _twisted(kind: str, value: Any) -> Any:
    if kind == "bit":
        return not value
    if kind in ("octet", "short", "long", "longlong"):
        return value + 1 if value < 255 else value - 1
    return {} if kind == "table" else f"corrupted {value}"[:255]


def _method(channel: int, name: str, arguments: dict[str, Any]) -> Frame:
    return Frame(frames.METHOD, channel, encode_method(name, arguments))

"""Opening a connection (specification 2.2.4): credentials out of SASL responses, and the negotiation of limits. Pure."""

from __future__ import annotations

from typing import Final

from amqpd.errors import BadSyntax, NotAllowed
from amqpd.wire import tables
from amqpd.wire.frames import FRAME_MIN

LOCALES: Final = b"en_US"
CAPABILITIES: Final = (
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
)
"""What clients look for in server_properties.capabilities, in RabbitMQ's words; each is a promise that is kept."""


class Limits:
    """What both sides agreed on; 0 means no limit, and no heartbeats."""

    def __init__(self, channel_max: int, frame_max: int, heartbeat: int) -> None:
        self.channel_max: Final = channel_max
        self.frame_max: Final = frame_max
        self.heartbeat: Final = heartbeat


def credentials(mechanism: str, response: bytes) -> tuple[str, str]:
    """User name and password of a start-ok. Raises BadSyntax for an unknown mechanism or a malformed response."""
    if mechanism == "PLAIN":
        return _plain(response)
    if mechanism == "AMQPLAIN":
        return _amqplain(response)
    raise BadSyntax(f"unknown authentication mechanism '{mechanism}'")


def _plain(response: bytes) -> tuple[str, str]:
    """RFC 4616: authorization identity (ignored), NUL, user name, NUL, password."""
    parts = response.split(b"\x00")
    if len(parts) != 3:
        raise BadSyntax("PLAIN response is invalid")
    return parts[1].decode("utf-8", "surrogateescape"), parts[2].decode("utf-8", "surrogateescape")


def _amqplain(response: bytes) -> tuple[str, str]:
    """A field table without its length, holding LOGIN and PASSWORD."""
    table = tables.decode(response)
    user, password = table.get("LOGIN"), table.get("PASSWORD")
    if not isinstance(user, str) or not isinstance(password, str):
        raise BadSyntax("AMQPLAIN response is invalid")
    return user, password


def agree(offered: Limits, channel_max: int, frame_max: int, heartbeat: int) -> Limits:
    """The limits after the peer's tune-ok (specification 1.4.2.6). Raises NotAllowed, worded as RabbitMQ does."""
    _within("channel_max", channel_max, offered.channel_max, 1)
    _within("frame_max", frame_max, offered.frame_max, FRAME_MIN)
    return Limits(channel_max, frame_max, heartbeat)


def _within(name: str, value: int, offered: int, least: int) -> None:
    shown = f"{name} = {value}" if value else f"{name} = 0 (no limit)"
    if value and value < least:
        raise NotAllowed(f"negotiated {shown} is lower than the minimum allowed value ({least})")
    if offered and (value == 0 or value > offered):
        raise NotAllowed(f"negotiated {shown} is higher than the maximum allowed value ({offered})")

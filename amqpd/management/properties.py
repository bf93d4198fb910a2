"""Message properties between JSON and the content header."""

from __future__ import annotations

from typing import Any, Final

from amqpd.errors import BadSyntax
from amqpd.management.call import integer, string
from amqpd.management.refusal import bad_request
from amqpd.management.tables import encoded, shown, shown_table
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties

TEXTS: Final = (
    "content_type", "content_encoding", "correlation_id", "reply_to", "expiration", "message_id", "type", "user_id",
    "app_id", "cluster_id",
)  # fmt: skip
NUMBERS: Final = {"delivery_mode": 255, "priority": 255, "timestamp": 2**64 - 1}
"""Each with its largest value."""


def header_of(given: dict[str, Any], size: int) -> bytes:
    """The content header of a message of size octets with these properties. Raises Refusal."""
    found = Properties()
    for name in TEXTS:
        if given.get(name) is not None:
            setattr(found, name, string(given[name], ["not_string", name]))
    for name, largest in NUMBERS.items():
        if given.get(name) is not None:
            setattr(found, name, _number(given[name], name, largest))
    try:
        if given.get("headers"):
            found.headers = encoded(given["headers"])
        return properties.encode(found, size)
    except BadSyntax as error:
        raise bad_request(error.explanation) from None


def _number(value: object, name: str, largest: int) -> int:
    if isinstance(value, str) and not value.isdecimal():
        raise bad_request(["not_int", name])
    number = integer(value)
    if not 0 <= number <= largest:
        raise bad_request(["not_int", name])
    return number


def shown_properties(header: bytes) -> dict[str, object]:
    """The properties in a content header; only those that are set."""
    found = properties.parse(header)
    shape = {
        name: shown(value)
        for name in (*NUMBERS, *TEXTS)
        if (value := getattr(found, name)) is not None
    }  # fmt: skip
    if found.headers is not None:
        shape["headers"] = shown_table(tables.decode(found.headers))
    return shape

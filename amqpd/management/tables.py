"""Argument tables and properties between JSON and AMQP.

JSON knows fewer types than AMQP: integers become `long`, floats `double`, and what has no JSON form is shown as text.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from amqpd.management.refusal import bad_request
from amqpd.wire import tables

LONG_MAX: Final = 2**63 - 1


def shown(value: object) -> object:  # noqa: PLR0911 - one way for each type
    """A decoded AMQP value as JSON can hold it."""
    if isinstance(value, dict):
        return {text(name): shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def text(value: str) -> str:
    """A text without what is no Unicode: those octets become replacement characters."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def shown_table(table: Mapping[str, object]) -> dict[str, object]:
    """A table as a JSON object."""
    return {text(name): shown(item) for name, item in table.items()}


def table_of(value: object) -> dict[str, object]:
    """A JSON object as a table. Raises Refusal for what AMQP cannot hold."""
    if not isinstance(value, dict):
        raise bad_request("arguments must be an object")
    _check(value)
    return value


def _check(value: object) -> None:
    if value is None:
        raise bad_request("null_not_allowed")
    if isinstance(value, dict):
        for item in value.values():
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, int) and not -LONG_MAX - 1 <= value <= LONG_MAX:
        raise bad_request("integer_out_of_range")


def encoded(value: object) -> bytes:
    """A JSON object as an encoded table. Raises Refusal, BadSyntax."""
    return tables.encode(table_of(value))

"""Values of AMQP field tables: comparing them, and naming them as RabbitMQ's error texts do."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from decimal import Decimal
from typing import Final

_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    bytearray: "binary",
    bytes: "binary",
    datetime: "timestamp",
    Decimal: "decimal",
    dict: "table",
    float: "double",
    list: "array",
    str: "longstr",
    type(None): "void",
}


def canonical(value: object) -> Hashable:  # noqa: PLR0911 - one for each type
    """A hashable value; two field values have equal ones exactly if they are the same to an exchange.

    Numbers of any width are the same if they are equal, a table is the same in any order, and true is not 1.
    """
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Decimal):
        return ("decimal", str(value.normalize()))
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, list):
        return ("array", *[canonical(item) for item in value])
    if isinstance(value, dict):
        return ("table", *canonical_table(value))
    raise TypeError(f"no field table holds {type(value)}")


def canonical_table(table: dict[str, object]) -> tuple[Hashable, ...]:
    """The canonical fields of a table, sorted by name."""
    if not table:
        return ()
    return tuple([(name, canonical(table[name])) for name in sorted(table)])


def identity(table: dict[str, object]) -> str:
    """A text that two tables share exactly if their canonical fields are equal.

    Unlike a number's, a text's hash is secret: nobody can choose tables that share one and fill a dictionary with them.
    """
    return repr(canonical_table(table)) if table else ""


def type_name(value: object) -> str:
    """The name that RabbitMQ gives to the type of a field value; of a plain integer, to its narrowest usual one.

    An integer of a class of its own has that class's name: a Timestamp is a timestamp, a Long a long.
    """
    if type(value) is int:
        return "signedint" if -(2**31) <= value < 2**31 else "long"
    kind = type(value)
    return _TYPE_NAMES.get(kind) or kind.__name__.lower()


def term(value: object) -> str:  # noqa: PLR0911 - one for each type
    """A field value written as an Erlang term, as it stands in RabbitMQ's error texts."""
    if value is None:
        return "undefined"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'<<"{value}">>' if value else "<<>>"
    if isinstance(value, (bytes, bytearray)):
        return term(value.decode("utf-8", "surrogateescape"))
    if isinstance(value, list):
        return "[" + ",".join(["{" + type_name(item) + "," + term(item) + "}" for item in value]) + "]"
    if isinstance(value, dict):
        fields = ["{" + ",".join([term(name), type_name(item), term(item)]) + "}" for name, item in value.items()]
        return "[" + ",".join(fields) + "]"
    return str(value)

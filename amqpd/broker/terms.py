"""Values in words that operators know: RabbitMQ's texts show them as Erlang terms."""

from __future__ import annotations


def term(value: object) -> str:
    """A JSON value as an Erlang term: `<<"text">>`, `12`, `true`, `null`, `[1,2]`, `[{<<"key">>,1}]`."""
    if isinstance(value, str):
        return f'<<"{value}">>'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return pairs(value)
    if isinstance(value, list):
        return "[" + ",".join([term(item) for item in value]) + "]"
    return str(value)


def pairs(values: dict[str, object]) -> str:
    """Keys with their values, in the order of the keys."""
    return "[" + ",".join([f"{{{term(key)},{term(values[key])}}}" for key in sorted(values)]) + "]"


def is_text(value: object, most: int) -> bool:
    """True for a string that is no longer than so many octets of UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        return len(value.encode()) <= most
    except UnicodeEncodeError:
        return False


class Invalid(ValueError):
    """What an operator sent cannot be; the text is RabbitMQ's."""


def validation_failed(problems: list[str]) -> Invalid:
    """The error that lists these problems, a line each."""
    return Invalid("Validation failed\n\n" + "".join([f"{problem}\n" for problem in problems]))

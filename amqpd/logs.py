"""Log lines on standard error: an event, then its fields.

Whatever a peer puts into a name, it cannot forge a line: a line begins with a time, every character that is not
printable is escaped, and the lines of a traceback are indented.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Final, TextIO

DEBUG: Final = logging.DEBUG
INFO: Final = logging.INFO
WARNING: Final = logging.WARNING
ERROR: Final = logging.ERROR

NOT_BARE: Final = frozenset("\"'=\\ ")
"""Printable characters that make a value need quotes."""


def log(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log an event, a constant phrase such as `connection opened`, with its fields."""
    logger.log(level, "%s", event, extra={"fields": fields})


def configure(level: str, line_format: str, stream: TextIO) -> None:
    """Send everything that is at least as severe as `level` to `stream`, as `text` or `json` lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if line_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


class TextFormatter(logging.Formatter):
    """Lines such as `2026-01-01T12:00:00.123Z info  connection opened user=guest`."""

    def format(self, record: logging.LogRecord) -> str:
        words = [time_of(record), f"{record.levelname.lower():<5}", escape(record.getMessage())]
        words += [f"{name}={quote(value)}" for name, value in fields_of(record).items()]
        lines = [" ".join(words)]
        if record.exc_info:
            lines += ["    " + escape(line) for line in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `event`, the fields, and `traceback` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(fields_of(record))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def time_of(record: logging.LogRecord) -> str:
    """When the record was made: UTC, in milliseconds."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields given to `log`; none for records of other libraries."""
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def quote(value: object) -> str:
    """A field's value as one word: bare if that is clear, otherwise a JSON string."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if text and text.isprintable() and NOT_BARE.isdisjoint(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def escape(text: str) -> str:
    """The text with every character that is not printable written as in a JSON string."""
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd import logs

NAME = "amqpd.test"


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def record(event: str, **fields: object) -> logging.LogRecord:
    """A record made at 2026-01-01T12:00:00.123Z."""
    made = logging.makeLogRecord({"name": NAME, "levelname": "INFO", "msg": "%s", "args": (event,), "fields": fields})
    made.created = 1767268800.123456
    return made


def text_line(event: str, **fields: object) -> str:
    """The event in text format, without its time."""
    return logs.TextFormatter().format(record(event, **fields)).partition(" ")[2]


def test_text_line() -> None:
    """A line has the time in UTC, the level, the event, and the fields in order."""
    line = logs.TextFormatter().format(record("connection opened", peer="127.0.0.1:1234", user="guest", channels=2))
    assert "2026-01-01T12:00:00.123Z info  connection opened peer=127.0.0.1:1234 user=guest channels=2" == line


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("orders", "orders"),
        ("größe", "größe"),
        ("", '""'),
        ("two words", '"two words"'),
        ('a"b', '"a\\"b"'),
        ("a=b", '"a=b"'),
        ("a\\b", '"a\\\\b"'),
        ("a\nb", '"a\\nb"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("\u202eabc", '"\\u202eabc"'),
        ("\udcff", '"\\udcff"'),
        (5, "5"),
        (True, "true"),
        (None, "null"),
        (b"x", '"\\"b\'x\'\\""'),
    ],
)
def test_quote(value: object, expected: str) -> None:
    """A value is one word: bare where that is clear, else quoted, with what cannot be seen escaped."""
    assert expected == logs.quote(value)


@given(st.text(), st.text())
def test_no_value_can_forge_a_line(event: str, value: str) -> None:
    """Whatever stands in event and fields, text is one printable line and JSON one ASCII line with the same values."""
    assert text_line(event, name=value).isprintable()
    line = logs.JsonFormatter().format(record(event, name=value))
    assert line.isascii()
    assert line.isprintable()
    assert (event, value) == (json.loads(line)["event"], json.loads(line)["name"])


@given(st.text(), st.text())
def test_values_can_be_told_apart(one: str, other: str) -> None:
    """Different values never look the same."""
    assert (one == other) == (logs.quote(one) == logs.quote(other))


def test_json_line() -> None:
    """A line is one object with time, level, logger, event and the fields."""
    line = logs.JsonFormatter().format(record("queue declared", queue="orders", messages=3))
    assert {
        "time": "2026-01-01T12:00:00.123Z",
        "level": "info",
        "logger": NAME,
        "event": "queue declared",
        "queue": "orders",
        "messages": 3,
    } == json.loads(line)


def logged(level: str, line_format: str) -> str:
    """What arrives on the stream when one event is logged with a traceback and one without."""
    stream = io.StringIO()
    logs.configure(level, line_format, stream)
    logger = logging.getLogger(NAME)
    logs.log(logger, logs.INFO, "started", port=5672)
    try:
        raise ValueError("first\n2026-01-01T00:00:00.000Z info  forged")
    except ValueError:
        logger.exception("a task failed")
    return stream.getvalue()


def test_traceback_is_indented() -> None:
    """A traceback follows its line indented, so that no line of it can pass for an event."""
    started, failed, *traceback = logged("info", "text").splitlines()
    assert started.endswith("Z info  started port=5672")
    assert failed.endswith("Z error a task failed")
    assert "    Traceback (most recent call last):" == traceback[0]
    assert "    2026-01-01T00:00:00.000Z info  forged" == traceback[-1]
    assert all(line.startswith("    ") for line in traceback)


def test_traceback_is_a_json_field() -> None:
    """In JSON a traceback stays on its line."""
    started, failed = logged("info", "json").splitlines()
    assert 5672 == json.loads(started)["port"]
    assert json.loads(failed)["traceback"].startswith("Traceback")


def test_level_leaves_out_the_less_severe() -> None:
    """With level error an info is not written."""
    assert "started" not in logged("error", "text")

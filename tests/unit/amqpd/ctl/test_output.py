"""What amqpctl shows."""

import io
import json

import pytest
from rich.console import Console

from amqpd.ctl.output import Output, shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""), (True, "true"), (False, "false"), (1.5, "1.5"), ("x", "x"), ([], "[]"), (["a", "b"], "[a, b]"),
        ({"k": "v", "n": {"deep": True}}, '[{"k","v"},{"n",[{"deep",true}]}]'),
    ],
)  # fmt: skip
def test_values_are_written_as_rabbitmqctl_does(value: object, expected: str) -> None:
    """Tables as Erlang's lists of pairs."""
    assert expected == shown(value)


HOSTILE = "q\x1b]0;pwn\x07\r\n\tz\x7f\x9b31m\u2028\u202e\u2066\u200f"
HARMLESS = r"q\u001b]0;pwn\u0007\u000d\u000a\u0009z\u007f\u009b31m\u2028\u202e\u2066\u200f"


@pytest.mark.parametrize("value", [HOSTILE, [HOSTILE], {HOSTILE: HOSTILE}, {"x": [HOSTILE]}])
def test_controls_in_values_are_written_out(value: object) -> None:
    """They do nothing to the terminal, and begin no other column or row; letters of any script stay."""
    assert shown(value).isprintable()
    assert r"\u009b31m\u2028\u202e\u2066\u200f" in shown(value)
    assert "é✓\u05d0" == shown("é✓\u05d0")


@pytest.mark.parametrize(
    ("formatter", "expected"),
    [
        ("table", f"name\n{HARMLESS}\n"), ("csv", f'"name"\n"{HARMLESS}"\n'),
        ("json", '[{"name": "' + HARMLESS.replace("u000d", "r").replace("u000a", "n").replace("u0009", "t") + '"}]\n'),
    ],
)  # fmt: skip
def test_a_hostile_name_is_one_harmless_row(capsys: pytest.CaptureFixture[str], formatter: str, expected: str) -> None:
    """In every format; in JSON it is still the name."""
    Output(formatter, has_headers=True, is_quiet=True).rows(("name",), [{"name": HOSTILE}])
    written = capsys.readouterr().out
    assert expected == written
    assert formatter != "json" or [{"name": HOSTILE}] == json.loads(written)


def test_a_hostile_name_on_a_terminal() -> None:
    """A drawn table has no controls but its own, and so have remarks."""
    output = Output("table", has_headers=True, is_quiet=False)
    screen = io.StringIO()
    for name in ("screen", "remarks"):
        setattr(output, name, Console(file=screen, force_terminal=True, width=200, color_system=None))
    output.remark(HOSTILE)
    output.rows(("name",), [{"name": HOSTILE}])
    lines = screen.getvalue().splitlines()
    assert 6 == len(lines)
    assert all(line.isprintable() for line in lines)
    assert HARMLESS == lines[0]


def test_a_table_is_drawn_on_a_terminal() -> None:
    """With a frame, numbers to the right; brackets in values are no markup."""
    output = Output("table", has_headers=True, is_quiet=False)
    screen = io.StringIO()
    output.screen = Console(file=screen, force_terminal=True, width=40, no_color=True)  # type: ignore[misc]  # a terminal
    output.rows(("name", "messages"), [{"name": "[bold]q", "messages": 5}])
    drawn = screen.getvalue().splitlines()
    assert ("╭", "╰") == (drawn[0].lstrip("\x1b[0123456789m")[0], drawn[-1].lstrip("\x1b[0123456789m")[0])
    assert "[bold]q" in screen.getvalue()

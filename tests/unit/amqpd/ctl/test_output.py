"""What amqpctl shows."""

import io

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


def test_a_table_is_drawn_on_a_terminal() -> None:
    """With a frame, numbers to the right; brackets in values are no markup."""
    output = Output("table", has_headers=True, is_quiet=False)
    screen = io.StringIO()
    output.screen = Console(file=screen, force_terminal=True, width=40, no_color=True)  # type: ignore[misc]  # a terminal
    output.rows(("name", "messages"), [{"name": "[bold]q", "messages": 5}])
    drawn = screen.getvalue().splitlines()
    assert ("╭", "╰") == (drawn[0].lstrip("\x1b[0123456789m")[0], drawn[-1].lstrip("\x1b[0123456789m")[0])
    assert "[bold]q" in screen.getvalue()

"""One command as a row of the table of commands, and one call of it."""

import argparse
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NamedTuple

from amqpd.ctl.api import Api
from amqpd.ctl.output import Output


class Argument(NamedTuple):
    """An argument, or an option if its name begins with `--`."""

    name: str
    help: str
    shape: str = ""
    """Empty: one value; `?`: it may be left out; `*`: any number; `switch`: an option without a value."""
    choices: tuple[str, ...] = ()


class Invocation:
    """A command that is carried out."""

    def __init__(self, api: Api, output: Output, values: argparse.Namespace) -> None:
        self.api: Final = api
        self.output: Final = output
        self.vhost: Final[str] = values.vhost
        self.is_confirmed: Final[bool] = values.yes
        self._values: Final = values

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a text, a list or a truth value, as the argument's shape says
        return getattr(self._values, name.replace("-", "_"))

    @cached_property
    def node(self) -> str:
        """The name of the node that answers. Raises Failure."""
        name: str = self.api.get("overview")["node"]
        return name

    def confirm(self, what: str) -> None:
        """On a terminal, ask before something is lost for good, unless `--yes` was said. Raises Failure."""
        if not self.is_confirmed:
            self.output.confirm(what)


Run = Callable[[Invocation], None]


class Command(NamedTuple):
    """What can be asked for."""

    name: str
    help: str
    run: Run
    arguments: tuple[Argument, ...] = ()

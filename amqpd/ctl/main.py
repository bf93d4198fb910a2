"""The command line of amqpctl: rabbitmqctl's commands over the HTTP API of amqpd or RabbitMQ."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NoReturn

from amqpd.ctl import completion
from amqpd.ctl.api import Api
from amqpd.ctl.command import Argument, Command, Invocation
from amqpd.ctl.commands import access, lists, maintenance, node, queues, scheduled, vhosts, watermarks
from amqpd.ctl.failure import DATA, USAGE, Failure
from amqpd.ctl.output import FORMATTERS, Output, harmless

INTERRUPTED: Final = 130
UNKNOWN: Final = "argument COMMAND: invalid choice: "
"""How argparse begins to list all commands, of which there are too many."""
DEFAULTS: Final = {"URL": "http://localhost:15672", "USERNAME": "guest", "PASSWORD": "guest", "VHOST": "/"}
"""Settings that the environment gives with AMQPCTL_ before their names."""


def _complete(invocation: Invocation) -> None:
    sys.stdout.write(completion.script(invocation["shell"], COMMANDS, OPTIONS))


SHELL: Final = Argument("shell", "the shell that will read it", choices=completion.SHELLS)
COMPLETION: Final = Command("completion", "print a script that completes commands", _complete, (SHELL,))
COMMANDS: Final = (
    *lists.COMMANDS, *access.COMMANDS, *vhosts.COMMANDS, *queues.COMMANDS, *scheduled.COMMANDS, *node.COMMANDS,
    *watermarks.COMMANDS, *maintenance.COMMANDS, COMPLETION,
)  # fmt: skip
OPTIONS: Final = (
    "--url", "--username", "--password", "--vhost", "--formatter", "--quiet", "--silent", "--no-table-headers",
    "--timeout", "--yes", "--help",
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    """A parser that raises Failure where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        if message.startswith(UNKNOWN):
            name = message.removeprefix(UNKNOWN).split("'")[1]
            close = get_close_matches(name, [command.name for command in COMMANDS])
            message = f"there is no command {name}{'; there is ' + ', '.join(close) if close else ''}"
        raise Failure(USAGE, f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; the exit code is 0, or one of `amqpd.ctl.failure`."""
    try:
        run(argv, os.environ)
    except Failure as failure:
        print(f"Error: {harmless(failure.text)}", file=sys.stderr)  # noqa: T201 - for people
        return failure.exit_code
    except BrokenPipeError:  # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (KeyboardInterrupt, EOFError):
        return INTERRUPTED
    return 0


def run(argv: Sequence[str] | None, environ: Mapping[str, str]) -> None:
    """Understand and carry out a command. Raises Failure."""
    values = parser(environ).parse_args(argv)
    try:
        timeout = float(values.timeout)
    except ValueError:
        raise Failure(DATA, "--timeout must be a number of seconds") from None
    output = Output(
        values.formatter,
        has_headers=not (values.no_table_headers or values.silent),
        is_quiet=values.quiet or values.silent,
    )
    values.command.run(Invocation(Api(values.url, values.username_, values.password_, timeout), output, values))
    sys.stdout.flush()


def parser(environ: Mapping[str, str]) -> Parser:
    """The parser of the command line; options may stand before and behind the command."""
    result = Parser(prog="amqpctl", description="Controls amqpd or RabbitMQ over the HTTP API.", allow_abbrev=False)
    _add_options(result, {name: environ.get(f"AMQPCTL_{name}") or default for name, default in DEFAULTS.items()})
    found = result.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        sub = found.add_parser(command.name, help=command.help, description=f"{command.help.capitalize()}.", allow_abbrev=False)
        sub.set_defaults(command=command)
        _add_options(sub, None)
        for argument in command.arguments:
            _add_argument(sub, argument)
    return result


def _add_options(to: Parser, defaults: Mapping[str, str] | None) -> None:
    """The options that every command takes; without defaults, what was given before the command stays."""

    def default(name: str, value: object = None) -> object:
        return argparse.SUPPRESS if defaults is None else defaults.get(name, value)

    group = to.add_argument_group("options of all commands")
    group.add_argument("--url", default=default("URL"), help="URL of the management API (AMQPCTL_URL)")
    group.add_argument("--username", "-u", default=default("USERNAME"), help="who asks (AMQPCTL_USERNAME)", dest="username_")
    group.add_argument("--password", default=default("PASSWORD"), help="his password (AMQPCTL_PASSWORD)", dest="password_")
    group.add_argument("--vhost", "-p", default=default("VHOST"), help="virtual host (AMQPCTL_VHOST)")
    group.add_argument("--formatter", choices=FORMATTERS, default=default("", "table"), help="how lists are written")
    group.add_argument("--timeout", "-t", default=default("", "60"), help="seconds that an answer may take")
    group.add_argument("--quiet", "-q", action="store_true", default=default("", False), help="do not say what is done")
    group.add_argument("--silent", "-s", action="store_true", default=default("", False), help="the same, and no headers")
    group.add_argument("--no-table-headers", action="store_true", default=default("", False), help="no headers")
    group.add_argument("--yes", "-y", action="store_true", default=default("", False), help="do not ask for confirmation")


def _add_argument(to: Parser, argument: Argument) -> None:
    name = argument.name.removeprefix("--").replace("-", "_")
    choices = argument.choices or None
    if argument.shape == "switch":
        to.add_argument(argument.name, dest=name, action="store_true", help=argument.help)
    elif argument.name.startswith("--"):
        to.add_argument(argument.name, dest=name, choices=choices, help=argument.help)
    elif argument.shape:
        to.add_argument(name, nargs=argument.shape, metavar=argument.name.upper(), help=argument.help)
    else:
        to.add_argument(name, choices=choices, metavar=argument.name.upper(), help=argument.help)


if __name__ == "__main__":
    sys.exit(main())

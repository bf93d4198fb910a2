"""The command line.

What a command needs beyond the configuration is imported when the command runs, so that `amqpd --version` is quick.
"""
# ruff: noqa: PLC0415, T201  (imports on demand, see above; answers are printed)

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from amqpd.config import Config, ConfigError, load
from amqpd.options import OPTIONS
from amqpd.version import describe


class Parser(argparse.ArgumentParser):
    """A parser that raises ConfigError where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see amqpd --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 well, 1 failed, 2 not understood."""
    try:
        arguments = vars(parser().parse_intermixed_args(argv))
        command: str = arguments.pop("command")
        if command == "version":
            print(describe())
            return 0
        config = load(arguments, os.environ)
    except ConfigError as error:
        return complain(error, 2)
    return serve(config) if command == "serve" else check(config)


def parser() -> Parser:
    """The parser of the command line; options come out as texts, keyed by name, and None where absent."""
    result = Parser(prog="amqpd", description="AMQP 0-9-1 broker.", allow_abbrev=False)
    result.add_argument("--version", action="version", version=describe())
    result.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=("serve", "check", "version"),
        help="serve (default): run the broker; check: verify the data folder of a stopped broker; version: print it",
    )
    for option in OPTIONS:
        sources = " or ".join(option.variables)
        result.add_argument(
            option.flag,
            dest=option.name,
            metavar=option.name.rpartition("_")[2].upper(),
            help=f"{option.help} (default: {option.default or 'none'}; environment: {sources})",
        )
    return result


def serve(config: Config) -> int:
    """Run the broker until it is told to stop."""
    from amqpd.app import serve as run_broker
    from amqpd.errors import StartError

    try:
        return run_broker(config)
    except StartError as error:
        return complain(error, 1)


def check(config: Config) -> int:
    """Print what is wrong in the data folder, or `ok` and what it holds."""
    from persistence.check import check as check_data
    from persistence.store import StoreError

    try:
        report = check_data(config.data_dir)
    except StoreError as error:
        return complain(error, 1)
    for problem in report.problems:
        print(problem)
    if report.problems:
        return 1
    print("ok", *(f"{name}={count}" for name, count in report.counts.items()))
    return 0


def complain(error: Exception, exit_code: int) -> int:
    """Say on standard error why there is no more to do."""
    print(f"amqpd: {error}", file=sys.stderr)
    return exit_code

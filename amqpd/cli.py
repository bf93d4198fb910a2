"""The command line.

What a command needs beyond the configuration is imported when the command runs, so that `amqpd --version` is quick.
"""
# ruff: noqa: PLC0415, T201  (imports on demand, see above; answers are printed)

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from amqpd.config import Config, ConfigError, load
from amqpd.options import OPTIONS
from amqpd.version import describe

COMMANDS: Final = {
    "serve": "run the broker (default)",
    "check": "verify the data folder of a stopped broker",
    "backup": "copy the data folder, of a running broker or not, into an empty FOLDER",
    "restore": "copy a backup, FOLDER, into an empty data folder, and check it",
    "compact": "give the disk space that a stopped broker's data folder does not need back",
    "version": "print the version",
}
WITH_FOLDER: Final = frozenset(("backup", "restore"))


class Parser(argparse.ArgumentParser):
    """A parser that raises ConfigError where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        refuse(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 well, 1 failed, 2 not understood."""
    os.umask(0o077)  # Password hashes and messages are for nobody else, also in a folder that others may enter.
    try:
        arguments = vars(parser().parse_intermixed_args(argv))
        command, folder = chosen(arguments.pop("command"), arguments.pop("folder"), repair=arguments.pop("repair"))
        if command == "version":
            print(describe())
            return 0
        config = load(arguments, os.environ)
    except ConfigError as error:
        return complain(error, 2)
    return serve(config) if command == "serve" else look_after(command, config.data_dir, folder)


def chosen(command: str, folder: str | None, *, repair: bool) -> tuple[str, Path]:
    """What to do, and the folder that it is about next to the data folder. Raises ConfigError if they do not fit."""
    if repair and command != "check":
        refuse("only check takes --repair")
    if (folder is not None) != (command in WITH_FOLDER):
        refuse(f"{command} {'needs a folder' if folder is None else 'takes no folder'}")
    return "repair" if repair else command, Path(folder or "")


def refuse(message: str) -> NoReturn:
    """Raise ConfigError for a command line that makes no sense."""
    raise ConfigError(f"{message} (see amqpd --help)")


def parser() -> Parser:
    """The parser of the command line; options come out as texts, keyed by name, and None where absent."""
    result = Parser(prog="amqpd", description="AMQP 0-9-1 broker.", allow_abbrev=False)
    result.add_argument("--version", action="version", version=describe())
    result.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=tuple(COMMANDS),
        help="; ".join(f"{name}: {meaning}" for name, meaning in COMMANDS.items()),
    )
    result.add_argument("folder", nargs="?", help="backup: where to; restore: where from")
    result.add_argument("--repair", action="store_true", help="check: mend what can be mended, move aside what cannot be")
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


def look_after(command: str, data_dir: Path, folder: Path) -> int:
    """Do what a command does with the data folder."""
    from amqpd import upkeep
    from persistence.store import StoreError

    try:
        if command == "backup":
            return upkeep.backup(data_dir, folder)
        if command == "restore":
            return upkeep.restore(folder, data_dir)
        if command == "compact":
            return upkeep.compact(data_dir)
        return upkeep.repair(data_dir) if command == "repair" else upkeep.check(data_dir)
    except StoreError as error:
        return complain(error, 1)


def complain(error: Exception, exit_code: int) -> int:
    """Say on standard error why there is no more to do."""
    print(f"amqpd: {error}", file=sys.stderr)
    return exit_code

"""Runs the client programs and compares their lines: `python -m conformance.clients --url … --restart-command …`."""

import argparse
import sys
import time
from collections.abc import Sequence

from conformance.cli import run_parser
from conformance.clients.client import ALL, Client
from conformance.clients.scenario import differences
from conformance.runner import restart
from conformance.target import Target


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the clients named on the command line, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m conformance.clients", parents=[run_parser()], add_help=False)
    parser.add_argument("--build", action="store_true", help="fetch and compile what they need, and run nothing")
    parser.add_argument("clients", nargs="*", default=ALL, help=", ".join(ALL))
    options = parser.parse_args(arguments)
    clients = [Client(name) for name in options.clients]
    if options.build:
        for client in clients:
            client.build()
        return 0
    target = Target(options)
    return 1 if sum(not conforms(client, target) for client in clients) else 0


def conforms(client: Client, target: Target) -> bool:
    """Whether a client prints what it should; says so."""
    started = time.monotonic()
    wrong = differences(client.walk(target.amqp, lambda: restart(target, "restart")))
    verdict = f"{client.name:10} {'FAILED' if wrong else 'ok'} in {time.monotonic() - started:.0f} s"
    print("\n".join([verdict, *(f"    {line}" for line in wrong)]), flush=True)
    return not wrong


if __name__ == "__main__":
    sys.exit(main())

"""Programs that run one scenario with Node's amqplib, Go's amqp091-go, the Java client and Ruby's Bunny."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL

PROGRAMS = Path(__file__).parent / "programs"
RUN_SECONDS = 50

COMMANDS = {
    "go": ["{build}/scenario"],
    "java": ["java", "-cp", "{build}/classes:{build}/dependency/*", "Scenario"],
    "node": ["node", "{build}/scenario.js"],
    "ruby": ["ruby", f"{PROGRAMS}/ruby/scenario.rb"],
}


def expected_steps(client: str, name: str) -> list[dict[str, Any]]:
    """What a client's program must print when it is given this name for its queue."""
    transaction = {"step": "transaction", "before_commit": 0, "after_commit": 1, "body": "committed"}
    knows_transactions = client != "node"
    return [
        {"step": "declare", "messages": 0, "consumers": 0},
        {"step": "publish", "confirmed": TOTAL, "ready": TOTAL},
        {"step": "prefetch", "held": 10, "ready": TOTAL - 10},
        {"step": "settle", "ready": 0} | SETTLED,
        {"step": "return", "code": 312, "text": "NO_ROUTE", "body": "lost"},
        {"step": "headers", "equal": True},
        {"step": "large", "bytes": 2**20, "equal": True},
        *([transaction] if knows_transactions else []),
        {"step": "missing", "code": 404, "text": f"NOT_FOUND - no queue '{name}-missing' in vhost '/'"},
        {"step": "survive", "messages": 0},
        {"step": "close", "clean": True},
    ]


@pytest.mark.parametrize("client", COMMANDS)
def test_a_program_runs_the_scenario(client: str, broker: Broker, unique_name: str, installed: Callable[[str], Path]) -> None:
    """Each step of the scenario has the outcome that the specification and RabbitMQ give it."""
    command = [part.format(build=installed(client)) for part in COMMANDS[client]]
    run = subprocess.run([*command, broker.url, unique_name], capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    printed = [json.loads(line) for line in run.stdout.splitlines()]
    assert expected_steps(client, unique_name) == printed, run.stderr
    assert 0 == run.returncode, run.stderr

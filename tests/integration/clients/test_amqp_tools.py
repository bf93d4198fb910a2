"""amqp-tools: rabbitmq-c's command-line programs."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.broker import Broker

RUN_SECONDS = 30
QUEUE_EMPTY = 2

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run(broker: Broker, installed: Callable[[str], Path]) -> Run:
    """A function that runs `amqp-VERB ARGUMENTS` with the bytes of `stdin`."""
    installed("amqp_tools")

    def run_tool(verb: str, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        command = [f"amqp-{verb}", f"--url={broker.url}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=RUN_SECONDS, check=False)

    return run_tool


@pytest.fixture
def queue(run: Run, unique_name: str) -> Iterator[str]:
    """A queue that is deleted in the end."""
    assert unique_name == run("declare-queue", "--durable", f"--queue={unique_name}").stdout.decode().strip()
    yield unique_name
    assert 0 == run("delete-queue", f"--queue={unique_name}").returncode


def test_lines_are_published_and_consumed_in_order(run: Run, queue: str) -> None:
    """A thousand messages published by one program are got and consumed, in order, by others."""
    lines = [b"line %d\n" % number for number in range(1000)]
    published = run("publish", f"--routing-key={queue}", "--persistent", "--line-buffered", stdin=b"".join(lines))
    assert 0 == published.returncode
    assert lines[0] == run("get", f"--queue={queue}").stdout
    consumed = run("consume", f"--queue={queue}", "--prefetch-count=10", "--count=50", "cat")
    assert b"".join(lines[1:51]) == consumed.stdout
    assert b"949\n" == run("delete-queue", f"--queue={queue}").stdout


def test_a_message_comes_back_when_its_command_fails(run: Run, queue: str) -> None:
    """What a consumer does not ack is there again for the next one; then the queue is empty."""
    run("publish", f"--routing-key={queue}", "--body=again")
    run("consume", f"--queue={queue}", "--count=1", "sh", "-c", "cat >/dev/null; exit 1")
    assert b"again" == run("consume", f"--queue={queue}", "--count=1", "cat").stdout
    assert QUEUE_EMPTY == run("get", f"--queue={queue}").returncode


def test_a_body_of_a_mebibyte_arrives_whole(run: Run, queue: str) -> None:
    """A body that spans many frames is put together again."""
    body = bytes(range(256)) * 4096
    run("publish", f"--routing-key={queue}", "--header=kind: large", "--content-type=application/data", stdin=body)
    assert body == run("get", f"--queue={queue}").stdout


def test_a_missing_queue_gives_404(run: Run, unique_name: str) -> None:
    """The error that the broker sends is what the user reads."""
    failed = run("get", f"--queue={unique_name}")
    assert 1 == failed.returncode
    assert f"404, message: NOT_FOUND - no queue '{unique_name}' in vhost '/'".encode() in failed.stderr

"""Celery: a worker in a process of its own, retries, results over AMQP, and remote control."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery, chain, signature

from helpers.broker import Broker

PROGRAM = Path(__file__).parent / "programs" / "celery"
RESULT_SECONDS = 30


@pytest.fixture
def app(broker: Broker) -> Iterator[Celery]:
    """The application as a caller sees it: it knows the tasks by name alone."""
    with Celery("caller", broker=broker.url, backend="rpc://") as app:
        yield app


@pytest.fixture
def queue(broker: Broker, app: Celery, unique_name: str, tmp_path: Path) -> Iterator[str]:
    """The queue of a running worker, which must end with exit code 0 when told to."""
    command = [sys.executable, "-m", "celery", "--app", "tasks", "worker"]
    command += ["--queues", unique_name, "--hostname", f"worker@{unique_name}", "--pool", "solo"]
    log = tmp_path / "worker.txt"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, cwd=PROGRAM, env=os.environ | {"AMQP_URL": broker.url}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield unique_name
        worker.send_signal(signal.SIGTERM)
        assert 0 == worker.wait(RESULT_SECONDS), log.read_text()
    finally:
        worker.kill()
        worker.wait()
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(unique_name)
            connection.default_channel.exchange_delete(unique_name)


def test_a_worker_runs_tasks_retries_and_chains(app: Celery, queue: str) -> None:
    """Results come back over rpc://, a task that fails twice succeeds the third time, and the worker answers a ping."""
    added = app.send_task("tasks.add", (2, 3), queue=queue)
    retried = app.send_task("tasks.fail_twice", queue=queue)
    first, second = (signature("tasks.add", (number,), app=app, queue=queue) for number in (10, 20))
    chained = chain(first.clone((1,)), second).apply_async()
    assert 5 == added.get(timeout=RESULT_SECONDS)
    assert 3 == retried.get(timeout=RESULT_SECONDS)
    assert 31 == chained.get(timeout=RESULT_SECONDS)
    worker = f"worker@{queue}"
    assert [{worker: {"ok": "pong"}}] == app.control.ping([worker], timeout=RESULT_SECONDS, limit=1)

"""A data folder is copied while its broker works, and a broker that starts on the copy holds what was certain before."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess, environment
from helpers.lives import put_to_work
from helpers.traffic import PERSISTENT, connect, contents
from helpers.workloads import Fanout, Priorities, Workload

pytestmark = pytest.mark.timeout(120)

LOAD_SECONDS = 0.4


def amqpd(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of amqpd to its end."""
    command = [sys.executable, "-m", "amqpd", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def backed_up(broker: BrokerProcess, target: Path) -> None:
    """Back up the data folder of a broker; AssertionError if that fails."""
    result = amqpd("backup", str(target), "--data-dir", str(broker.data_folder))
    assert (0, "") == (result.returncode, result.stderr)


def keep_and_kill(broker: BrokerProcess) -> None:
    """Have a message confirmed in a queue named kept, and kill the broker."""
    connection = connect(broker)
    channel = connection.channel()
    channel.call("queue.declare", queue="kept", durable=True)
    channel.call("confirm.select")
    channel.publish(b"body", routing_key="kept", delivery_mode=PERSISTENT)
    channel.wait("basic.ack")
    broker.kill()
    connection.drop()


@pytest.mark.parametrize("kind", [Fanout, Priorities])
def test_a_backup_under_load_holds_what_was_confirmed(
    start_broker: Callable[..., BrokerProcess], tmp_path: Path, kind: type[Workload]
) -> None:
    """Whatever was confirmed before the backup began is in it, whatever was settled is not, and nothing is there twice."""
    broker = start_broker()
    workload = kind(random.Random(1))
    workload.declare(broker)
    clients = put_to_work(broker, workload)
    time.sleep(LOAD_SECONDS)
    then = {queue: fates.now() for queue, fates in workload.fates.items()}
    backed_up(broker, tmp_path / "backup")
    broker.kill()
    for client in clients:
        client.join()
    for queue, fates in workload.fates.items():
        fates.copied_since(then[queue])
    restored = tmp_path / "restored"
    restored.mkdir()
    result = amqpd("restore", str(tmp_path / "backup"), "--data-dir", str(restored / "data"))
    assert (0, "ok") == (result.returncode, result.stdout[:2]), result.stdout + result.stderr
    copy = BrokerProcess(restored)
    try:
        workload.check(copy, ended_well=False)
    finally:
        copy.stop()


def test_messages_without_definitions_are_not_given_up(start_broker: Callable[..., BrokerProcess]) -> None:
    """A broker does not start without its definitions, since it would delete all messages; repaired, it has them."""
    broker = start_broker()
    keep_and_kill(broker)
    for path in broker.data_folder.glob("definitions.sqlite*"):
        path.unlink()
    with pytest.raises(RuntimeError, match="is missing, but there are messages"):
        broker.restart()
    repaired = amqpd("check", "--repair", "--data-dir", str(broker.data_folder))
    assert (0, "") == (repaired.returncode, repaired.stderr)
    shown = amqpd("check", "--data-dir", str(broker.data_folder))
    assert "messages=1" in shown.stdout


def test_a_stopped_broker_is_backed_up_too(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """A broker may start on the backup itself; nothing in it is for others to read."""
    broker = start_broker()
    keep_and_kill(broker)
    target = tmp_path / "copy" / "data"
    backed_up(broker, target)
    modes = {path.relative_to(target).as_posix(): path.stat().st_mode & 0o777 for path in target.rglob("*")}
    files = ("amqpd.lock", "definitions.sqlite", "messages/ahead.log", "messages/data.mdb")
    assert {"messages": 0o700, **dict.fromkeys(files, 0o600)} == modes
    assert 0o700 == target.stat().st_mode & 0o777
    copy = BrokerProcess(target.parent)
    try:
        assert [b"body"] == [message.body for message in contents(copy, "kept")]
    finally:
        copy.stop()

"""What a broker needs for starting, and what it says when it lacks that."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pika
import pytest
from pika.exceptions import ProbableAccessDeniedError, ProbableAuthenticationError

from helpers.broker import BrokerProcess, environment


def refusal(*arguments: str) -> tuple[int, str]:
    """Exit code and standard error of an amqpd that cannot start."""
    command = [sys.executable, "-m", "amqpd", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=20, check=False)
    assert "" == done.stdout
    return done.returncode, done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """One line names address and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = refusal("--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert (1, 1) == (code, text.count("\n"))
    assert text.startswith(f"amqpd: cannot listen on 127.0.0.1:{port}: ")
    assert "address already in use" in text.lower()


def test_a_host_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """An address that is none of this machine's is one line too."""
    code, text = refusal("--host", "192.0.2.1", "--data-dir", str(tmp_path / "data"))
    assert (1, 1) == (code, text.count("\n"))
    assert text.startswith("amqpd: cannot listen on 192.0.2.1:0: ")


def test_a_folder_of_a_running_broker_is_locked(start_broker: Callable[..., BrokerProcess]) -> None:
    """A second broker on the same folder names the first one's process, which goes on."""
    broker = start_broker()
    folder = broker.data_folder
    assert (1, f"amqpd: {folder} is in use by another amqpd (pid {broker.pid})\n") == refusal("--data-dir", str(folder))
    pika.BlockingConnection(pika.URLParameters(broker.url)).close()


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds something else is refused, and nothing is written into it."""
    (tmp_path / "precious.txt").write_text("")
    code, text = refusal("--data-dir", str(tmp_path))
    assert (1, f"amqpd: {tmp_path} is not an amqpd data folder and not empty\n") == (code, text)
    assert [tmp_path / "precious.txt"] == list(tmp_path.iterdir())


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    """A path that cannot be a folder is one line."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "data"
    assert (1, f"amqpd: cannot open the data folder {folder}: Not a directory\n") == refusal("--data-dir", str(folder))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    """A folder without the right to write is one line."""
    tmp_path.chmod(0o500)
    folder = tmp_path / "data"
    code, text = refusal("--data-dir", str(folder))
    tmp_path.chmod(0o700)
    assert (1, f"amqpd: cannot open the data folder {folder}: Permission denied\n") == (code, text)


@pytest.mark.parametrize("file", ["definitions.sqlite", "messages/data.mdb"])
def test_a_damaged_folder_is_named(start_broker: Callable[..., BrokerProcess], file: str) -> None:
    """A file that is not what it should be is one line without a traceback, and the file is left as it is."""
    broker = start_broker()
    broker.stop()
    damaged = broker.data_folder / file
    damaged.write_bytes(b"this is no database" * 1000)
    code, text = refusal("--data-dir", str(broker.data_folder))
    assert (1, 1, "amqpd: ") == (code, text.count("\n"), text[:7])
    assert b"this is no database" * 1000 == damaged.read_bytes()


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("--frame-max", "4095", "--frame-max: must be a size between 4096 and 2147483647 bytes, not '4095'"),
        ("--memory-limit", "much", "--memory-limit: must be a size such as 4096, 50MB or 64MiB, not 'much'"),
        ("--heartbeat", "-1", "--heartbeat: must be a whole number between 0 and 65535, not '-1'"),
    ],
)
def test_a_bad_option_is_named(option: str, value: str, text: str) -> None:
    """Misuse is exit code 2 and one line."""
    code, said = refusal(option, value)
    assert 2 == code
    assert f"amqpd: {text}\n" == said


def test_the_first_user_and_virtual_host_come_from_the_environment(start_broker: Callable[..., BrokerProcess]) -> None:
    """RabbitMQ's variables for containers name them; nobody else gets in, not even guest."""
    variables = {"RABBITMQ_DEFAULT_USER": "ada", "RABBITMQ_DEFAULT_PASS": "s3cret", "RABBITMQ_DEFAULT_VHOST": "engine"}
    broker = start_broker(variables=variables)
    pika.BlockingConnection(parameters(broker, "ada", "s3cret", "engine")).close()
    for user, password in (("guest", "guest"), ("ada", "guest")):
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(parameters(broker, user, password, "engine"))
    with pytest.raises(ProbableAccessDeniedError):
        pika.BlockingConnection(parameters(broker, "ada", "s3cret", "/"))


def test_a_folder_that_has_users_gets_no_new_one(start_broker: Callable[..., BrokerProcess]) -> None:
    """The variables count at the first start alone."""
    broker = start_broker(variables={"RABBITMQ_DEFAULT_PASS": "first"})
    broker.stop()
    again = start_broker(variables={"RABBITMQ_DEFAULT_PASS": "second"})
    pika.BlockingConnection(parameters(again, "guest", "first", "/")).close()


def parameters(broker: BrokerProcess, user: str, password: str, virtual_host: str) -> pika.ConnectionParameters:
    """How pika connects as this user."""
    credentials = pika.PlainCredentials(user, password)
    return pika.ConnectionParameters(broker.host, broker.port, virtual_host, credentials)

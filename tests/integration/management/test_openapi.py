"""The API keeps to its own description, whatever it is sent."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from helpers.broker import BrokerProcess

CONFIGURATION: Final = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]  # 503: a health check failed

[phases.coverage]
unexpected-methods = []
"""
PASSED_OVER: Final = (
    "positive_data_acceptance",  # RabbitMQ answers 400 for users, virtual hosts and pages that are not there
    "ignored_auth",  # after so many wrong passwords come 429s instead of 401s
)


@pytest.mark.timeout(300)
def test_responses_are_as_described(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """Every route, with data at the limits of its schema and beyond: statuses, types, bodies; bad data is refused."""
    broker = start_broker()
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration), "--no-color", "run"]
    command += [f"{broker.http_url}/api/openapi.json", "--auth", "guest:guest", "--phases", "coverage", "--checks", "all"]
    command += ["--exclude-checks", ",".join(PASSED_OVER), "--continue-on-failure"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert 0 == run.returncode, run.stdout + run.stderr

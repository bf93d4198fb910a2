"""The conformance suite against amqpd: every case is a test."""

import os

import pytest

from conformance.catalogue import BEYOND, Case, load
from conformance.cli import run_parser
from conformance.outcome import DEVIATION, PASSED, SKIPPED
from conformance.target import Target
from conformance.verdict import Verdict
from helpers.broker import Broker

# amqpd announces itself as RabbitMQ, whose deviations it must not share; another broker goes by its own name.
NAME = [] if "AMQPD_TEST_URL" in os.environ else ["--name", "amqpd"]
CASES = [case for case in load() if not case.needs and case.level is not BEYOND]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.id))
def test_broker_conforms(broker: Broker, case: Case) -> None:
    """The broker does what the case's rule says."""
    options = run_parser().parse_args(["--url", broker.url, *NAME])
    outcome = Verdict(Target(options)).of(case)
    if outcome.status == SKIPPED:
        pytest.skip(outcome.observed)
    assert outcome.status in (PASSED, DEVIATION), "\n".join([outcome.expected, outcome.observed, *outcome.frames])

"""The conformance suite against amqpd: every case is a test."""

import pytest

from conformance.catalogue import BEYOND, Case, load
from conformance.cli import run_parser
from conformance.outcome import DEVIATION, PASSED, SKIPPED
from conformance.target import Target
from conformance.verdict import Verdict
from helpers.broker import Broker

CASES = [case for case in load() if not case.needs and case.level is not BEYOND]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.id))
def test_broker_conforms(broker: Broker, case: Case) -> None:
    """The broker does what the case's rule says."""
    outcome = Verdict(Target(run_parser().parse_args(["--url", broker.url]))).of(case)
    if outcome.status == SKIPPED:
        pytest.skip(outcome.observed)
    assert outcome.status in (PASSED, DEVIATION), "\n".join([outcome.expected, outcome.observed, *outcome.frames])

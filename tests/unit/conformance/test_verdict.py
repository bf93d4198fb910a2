"""The verdict on a case, and what is left behind."""

import pytest

from conformance.broker import Broker
from conformance.catalogue import MUST, Area, Body, Case
from conformance.cli import run_parser
from conformance.clients.scenario import EXPECTED, differences
from conformance.mismatch import Unsupported, equal
from conformance.outcome import DEVIATION, FAILED, PASSED, SKIPPED
from conformance.target import Target
from conformance.verdict import Verdict
from helpers.broker import Broker as Subject

AREA = Area("judged", "Judged")


def passing(broker: Broker) -> None:
    """Leaves a queue and an exchange behind."""
    channel = broker.channel()
    channel.queue("judged.queue", exclusive=False)
    channel.exchange("fanout", "judged.exchange")


def failing(broker: Broker) -> None:
    """Expects what is not so."""
    equal("name", "expected", broker.channel().queue("judged.exclusive"))


def unsupported(broker: Broker) -> None:
    """Needs what the broker lacks."""
    del broker
    raise Unsupported("no such thing")


def stumbling(broker: Broker) -> None:
    """Raises something of its own."""
    raise ZeroDivisionError(str(broker))


def case_of(body: Body, deviations: dict[str, str] | None = None) -> Case:
    """A case with this body."""
    case = Case("judged", "the rule", "reference", MUST, body, AREA)
    case.deviations = deviations or {}
    return case


@pytest.fixture
def target(broker: Subject) -> Target:
    """The broker under test, called by a name."""
    url = f"amqp://{broker.host}:{broker.port}"
    return Target(run_parser().parse_args(["--url", url, "--name", "tested 1.0"]))


@pytest.mark.parametrize(
    ("body", "status"), [(passing, PASSED), (failing, FAILED), (unsupported, SKIPPED), (stumbling, FAILED)]
)
def test_statuses(target: Target, body: Body, status: str) -> None:
    """A body that returns has passed; a mismatch and any other error is a failure; a lack is a reason to skip."""
    assert status == Verdict(target).of(case_of(body)).status


def test_failures_say_what_was_seen(target: Target) -> None:
    """A failure tells rule, expectation, observation and frames."""
    outcome = Verdict(target).of(case_of(failing))
    assert "the rule — expected name 'expected'" == outcome.expected
    assert "'judged.exclusive'" == outcome.observed
    assert "queue.declare-ok queue='judged.exclusive'" in outcome.frames[-1]


@pytest.mark.parametrize(("name", "status"), [("tested 1", DEVIATION), ("tested 2", FAILED)])
def test_known_failures_are_deviations(target: Target, name: str, status: str) -> None:
    """A failure recorded for this product and version is a deviation, with its reason."""
    outcome = Verdict(target).of(case_of(failing, {name: "why"}))
    assert status == outcome.status
    assert ("why" if status == DEVIATION else "") == outcome.remark


def test_nothing_is_left_behind(target: Target) -> None:
    """What a case declared is deleted when it is over."""
    Verdict(target).of(case_of(passing))
    broker = Broker(target)
    broker.channel().refuses(404, "queue.declare", queue="judged.queue", passive=True)
    broker.channel().refuses(404, "exchange.declare", exchange="judged.exchange", passive=True)
    broker.clean()


def test_lines_of_clients_are_compared() -> None:
    """Lines that differ and lines that are missing are told; equal ones are not."""
    assert [] == differences(list(EXPECTED))
    assert ["expected 'confirmed 100', printed 'confirmed 99'"] == differences([EXPECTED[0], "confirmed 99", *EXPECTED[2:]])
    assert len(EXPECTED) == len(differences([]))

"""The programs of the conformance suite: one scenario, written with the client libraries of many languages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.clients.client import ALL, Client
from conformance.clients.scenario import differences
from conformance.target import Address
from helpers.broker import BrokerProcess

PROGRAMS = Path(__file__).parents[3] / "conformance" / "clients"
"""Those of the checkout: they are no part of the installed suite."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ALL)
def test_a_program_walks_the_scenario(name: str, start_broker: Callable[..., BrokerProcess]) -> None:
    """Every step has the outcome that the specification and RabbitMQ give it, also the return after a restart."""
    client = Client(name, PROGRAMS)
    if not client.is_built:
        pytest.skip(f"the client {name} is not built: run tests/integration/clients/install")
    broker = start_broker()
    assert [] == differences(client.walk(Address.parse(broker.url, 5672), broker.restart))

"""In maintenance a broker serves its operators alone."""

import random
import time
from collections.abc import Callable

import pytest

from amqpd.ctl.main import main
from helpers.api import Api
from helpers.broker import BrokerProcess
from helpers.lives import put_to_work
from helpers.traffic import connect
from helpers.workloads import ByName

LOAD_SECONDS = 0.3
REASON = "CONNECTION_FORCED - Node was put into maintenance mode"


def test_clients_are_drained_under_load(start_broker: Callable[..., BrokerProcess]) -> None:
    """Clients are told and nobody else gets in; whatever happens then, what they were promised is on the disk."""
    broker = start_broker()
    workload = ByName(random.Random(1))
    workload.declare(broker)
    clients = put_to_work(broker, workload)
    time.sleep(LOAD_SECONDS)
    assert 0 == main(["--url", broker.http_url, "--quiet", "drain"])
    for client in clients:
        client.join()
    assert [True] * len(clients) == [REASON in str(client.end) for client in clients]
    with pytest.raises(ConnectionRefusedError):
        connect(broker)
    broker.kill()
    broker.restart()
    workload.check(broker, ended_well=True)


def test_a_drained_broker_says_so_and_comes_back(start_broker: Callable[..., BrokerProcess]) -> None:
    """Load balancers and operators can see it; after revive, or a restart, clients find it where it was."""
    broker = start_broker()
    api = Api(broker.http_url)
    node = api.get("/api/overview")["node"]
    assert 0 == main(["--url", broker.http_url, "--quiet", "drain"])
    assert 503 == api.call("GET", "/api/health/checks/is-in-service").status
    assert api.get(f"/api/nodes/{node}")["being_drained"]
    assert 0 == main(["--url", broker.http_url, "--quiet", "revive"])
    assert 200 == api.call("GET", "/api/health/checks/is-in-service").status
    assert not api.get(f"/api/nodes/{node}")["being_drained"]
    connect(broker).close()
    assert 0 == main(["--url", broker.http_url, "--quiet", "drain"])
    assert 0 == broker.stop()
    broker.restart()
    connect(broker).close()

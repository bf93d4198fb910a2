"""The management API of a broker under test."""

import re
import time
from typing import Final

from conformance.client.transcript import Transcript
from conformance.management import Management
from conformance.target import Address
from helpers.broker import START_SECONDS, Broker, BrokerProcess

HTTP_PORT: Final = 15672
REQUEST_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.02
ANNOUNCEMENT: Final = re.compile(r"management on http://127\.0\.0\.1:(\d+)")


class InService:
    """Clients are served, whatever is said."""

    is_drained: Final = False

    async def drain(self) -> None:
        """See `Service.drain`."""

    def revive(self) -> None:
        """See `Service.revive`."""


def management(broker: Broker) -> Management:
    """Requests to the broker as its administrator."""
    return Management(Address(broker.host, _port(broker), "guest", "guest", ""), Transcript(), REQUEST_SECONDS)


def _port(broker: Broker) -> int:
    """The port, which is announced some time after the one for AMQP."""
    if not isinstance(broker, BrokerProcess):
        return HTTP_PORT
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        announcement = ANNOUNCEMENT.search(broker.stdout)
        if announcement is not None:
            return int(announcement[1])
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"amqpd did not announce its management:\n{broker.stdout}{broker.stderr}")

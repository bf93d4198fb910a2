"""How many connections, channels and queues an operator allows a virtual host or a user."""

from __future__ import annotations

from typing import Final

from amqpd.broker.limits import NONE

MAX_CONNECTIONS: Final = "max-connections"
MAX_QUEUES: Final = "max-queues"
MAX_CHANNELS: Final = "max-channels"

MAX_PUBLISH_RATE: Final = "max-publish-rate"
"""Messages a second, which RabbitMQ does not limit."""

OF_VHOST: Final = (MAX_CONNECTIONS, MAX_QUEUES, MAX_PUBLISH_RATE)
OF_USER: Final = (MAX_CONNECTIONS, MAX_CHANNELS, MAX_PUBLISH_RATE)


class Quota:
    """The limits of one virtual host or user."""

    def __init__(self) -> None:
        self.limits: dict[str, int] = {}
        """As they were set; a negative number is no limit."""

    def limit(self, name: str) -> int:
        """The largest allowed number; NONE if there is no limit."""
        return max(self.limits.get(name, NONE), NONE)

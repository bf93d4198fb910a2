"""What went through one exchange."""

from __future__ import annotations


class Traffic:
    """Messages that clients published to the exchange, and the copies that queues got of them."""

    def __init__(self) -> None:
        self.published: int = 0
        self.routed: int = 0

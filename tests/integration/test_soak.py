"""The load of a soak, for a moment: how long it can go on is what `make soak` is for."""

from collections.abc import Callable
from pathlib import Path

from torture.soak import LIMITS, QUEUES, Soak

from helpers.broker import BrokerProcess

SECONDS = 4.0


def test_a_bit_of_everything_is_accounted_for(start_broker: Callable[..., BrokerProcess], tmp_path: Path) -> None:
    """Nobody fails, everything that is judged is sampled, and what was confirmed is read by somebody before the end."""
    soak = Soak(start_broker())
    samples = soak.run(SECONDS, tmp_path / "samples.jsonl")
    assert [] == soak.failures()
    assert set() == LIMITS.keys() - samples[0].keys()
    assert soak.settle() > len(QUEUES)

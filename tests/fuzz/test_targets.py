"""The short form of fuzzing: sound inputs and seeded changes of them go through every target; `fuzz.run` is the long form."""

import random

import pytest
from fuzz.documents import SEEDS, definitions, requests
from fuzz.targets import TARGETS, Target, seeds

RUNS = {"commands": 60, "greetings": 60, "requests": 60, "config": 150, "definitions": 300, "frames": 300}
"""How often the slower ones are run."""
USUAL_RUNS = 2000


@pytest.mark.parametrize("name", [*TARGETS, "requests", "definitions"])
def test_nothing_unexpected_is_raised(name: str) -> None:
    """What each target promises of any octets holds for these."""
    target: Target = {**TARGETS, "requests": requests, "definitions": definitions}[name]
    inputs = {**seeds(), **SEEDS}[name]
    for sound in inputs:
        target(sound)
    chance = random.Random(name)
    for _ in range(RUNS.get(name, USUAL_RUNS)):
        target(_changed(chance, chance.choice(inputs)))


def _changed(chance: random.Random, sound: bytes) -> bytes:
    data = bytearray(sound) + chance.randbytes(chance.choice((0, 0, 20)))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.choice((0, 1, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 4)))
    return bytes(data)

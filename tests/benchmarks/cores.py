"""One broker against two that share the load: what a second core is worth."""

from typing import Final

from benchmarks import loadgen
from benchmarks.contestants import Amqpd, Contestant
from benchmarks.workload import Measured, scaled

MESSAGES: Final = 300_000


def cores(contestant: Contestant, scale: float) -> Measured:
    """Two pairs at once, through one broker, then through one each if brokers can be started."""
    count = scaled(MESSAGES, scale, least=1000)
    yield "cores", "one", {"rate": together([contestant, contestant], count)}
    if isinstance(contestant, Amqpd):
        twin = contestant.twin()
        try:
            yield "cores", "two", {"rate": together([contestant, twin], count)}
        finally:
            twin.discard()


def together(contestants: list[Contestant], count: int) -> float:
    """The sum of the rates of a pair for each broker, all running at once."""
    pairs = [loadgen.begin(contestant, f"pair --size 1024 --count {count}") for contestant in contestants]
    return sum(float(loadgen.end(pair)["sub"]["rate"]) for pair in pairs)

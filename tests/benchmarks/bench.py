"""Measures amqpd, compiled and interpreted, beside RabbitMQ, and writes docs/performance.md.

Rounds alternate between the brokers, so that a machine whose speed drifts favours none; the median of the rounds counts.
"""
# ruff: noqa: T201  (progress is printed)

import argparse
import contextlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import backlog, life, loadgen, machine, objects, report
from benchmarks.cells import CELLS, CellWorkload
from benchmarks.contestants import Amqpd, Contestant, Failed
from benchmarks.cores import cores
from benchmarks.deadlines import deadlines
from benchmarks.governing import governing
from benchmarks.pairs import connections
from benchmarks.results import AMQPD, INTERPRETED, OURS, RABBITMQ, Results
from benchmarks.watching import watching
from benchmarks.workload import Workload

ROOT: Final = Path(__file__).parents[2]
QUICK_SCALE: Final = 0.2
QUICK_ROUNDS: Final = 2
INTERPRETED_PACE: Final = 0.5
COMPILED: Final = (AMQPD,)
"""Who is measured where it takes minutes and the other build would show nothing new."""

WORKLOADS: Final = (
    *(Workload(name, CellWorkload(name), ("cells",)) for name in CELLS),
    Workload("size", backlog.sizes, ("size",), rounds=3),
    Workload("connections", connections, ("connections",), rounds=3),
    Workload("depth", backlog.depth, ("depth", "depth-drain"), rounds=1),
    Workload("queues", objects.queues, ("queues", "queues-restart", "queues-delete"), rounds=1),
    Workload("bindings", objects.bindings, ("bindings",), rounds=1),
    Workload("consumers", objects.consumers, ("consumers",), rounds=1),
    Workload("idle", objects.idle, ("idle",), rounds=1),
    Workload("cores", cores, ("cores",), rounds=3),
    Workload("start-empty", life.start_empty, ("life",), rounds=1, brokers=OURS),
    Workload("pause", life.pause, ("life",), rounds=1, brokers=COMPILED),
    Workload("stop", life.stop, ("life",), rounds=3, brokers=OURS),
    Workload("files", life.files, ("life",), rounds=1, brokers=COMPILED),
    Workload("start-full", life.start_full, ("life",), rounds=1, brokers=COMPILED),
    Workload("time", deadlines, ("time",), rounds=1, brokers=COMPILED),
    Workload("policies", governing, ("policies",), rounds=1),
    Workload("watching", watching, ("watching",), rounds=1, brokers=COMPILED),
)
DEEP: Final = (
    Workload("deepest", backlog.deepest, ("deepest", "deepest-drain"), rounds=1, brokers=COMPILED),
    Workload("files-deep", life.files_deep, ("life",), rounds=1, brokers=COMPILED),
)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    result = argparse.ArgumentParser(prog="bench.py", description=__doc__)
    result.add_argument("--compiled", type=Path, default=ROOT / "build/compiled/bin/amqpd", help="amqpd with compiled modules")
    result.add_argument("--interpreted", type=Path, default=ROOT / ".venv/bin/amqpd", help="amqpd without")
    result.add_argument("--rabbitmq", metavar="HOST:PORT:PID", help="a RabbitMQ that runs on this machine, to compare with")
    result.add_argument("--rounds", type=int, help="how often each cell is measured; its median counts (default: 5)")
    result.add_argument("--scale", type=float, help="multiplies messages and objects (default: 1)")
    result.add_argument(
        "--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds at scale {QUICK_SCALE}; the whole takes about an hour"
    )
    result.add_argument(
        "--deep",
        action="store_true",
        help="also 10,000,000 messages in one queue, and through one: 12 GB of disk, 5 minutes more",
    )
    result.add_argument("--only", metavar="NAMES", help="measure these alone, keep the other figures of the last run")
    result.add_argument("--figures", type=Path, default=report.FIGURES, help="where the figures are kept")
    result.add_argument("--docs", type=Path, default=report.DOCS, help="where the page is written")
    return result


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; 1 if something came to no figure."""
    options = parser().parse_args(arguments)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else 5)
    scale = options.scale or (QUICK_SCALE if options.quick else 1.0)
    workloads = chosen((*WORKLOADS, *(DEEP if options.deep else ())), options.only)
    results = Results.load(options.figures) if options.only and options.figures.exists() else Results()
    loadgen.build()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with running(options) as contestants:
        results.facts |= machine.facts(contestants)
        run = f"Run of {options.only}" if options.only else "Run"
        beside = " beside RabbitMQ" if options.rabbitmq else ""
        results.facts[run] = f"{rounds} rounds, scale {scale:g}{beside}"
        for workload in workloads:
            before = time.monotonic()
            results.forget(workload.name, workload.groups)
            measure(workload, contestants, rounds, scale, results)
            results.save(options.figures)
            print(f"{workload.name} took {time.monotonic() - before:.0f} s", flush=True)
    report.write(results, options.docs)
    return 1 if results.failures else 0


def chosen(workloads: Sequence[Workload], names: str | None) -> list[Workload]:
    """The workloads that --only names, all without it; ValueError for a name that there is not."""
    wanted = names.split(",") if names else [workload.name for workload in workloads]
    if unknown := set(wanted) - {workload.name for workload in workloads}:
        raise ValueError(f"no workload {', '.join(sorted(unknown))}")
    return [workload for workload in workloads if workload.name in wanted]


@contextlib.contextmanager
def running(options: argparse.Namespace) -> Iterator[list[Contestant]]:
    """The brokers, those of ours started in fresh folders and stopped at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amqpd-bench-", dir=ROOT / "build")))
        contestants: list[Contestant] = []
        for name, command in ((AMQPD, options.compiled), (INTERPRETED, options.interpreted)):
            broker = Amqpd(name, command, folder / name.replace(" ", "-"))
            broker.pace = INTERPRETED_PACE if name == INTERPRETED else 1.0
            stack.callback(broker.stop)
            contestants.append(broker)
        if options.rabbitmq:
            host, port, pid = options.rabbitmq.split(":")
            contestants.append(Contestant(RABBITMQ, host, int(port), int(pid)))
        yield contestants


def measure(workload: Workload, contestants: list[Contestant], rounds: int, scale: float, results: Results) -> None:
    """Measure all brokers in turn, round by round, and keep the medians; one that failed has no further round."""
    samples: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    racing = [contestant for contestant in contestants if contestant.name in workload.brokers]
    for _ in range(min(rounds, workload.rounds)):
        for contestant in tuple(racing):
            try:
                for group, point, figures in workload.measure(contestant, scale):
                    kept = samples.setdefault((group, point, contestant.name), {})
                    for figure, value in figures.items():
                        kept.setdefault(figure, []).append(value)
            except (Failed, OSError) as error:
                racing.remove(contestant)
                results.failures.append(f"{workload.name}: {contestant.name}: {error!r}")
                print(results.failures[-1], flush=True)
    for (group, point, name), found in samples.items():
        medians = {figure: statistics.median(values) for figure, values in found.items()}
        results.add(group, point, name, medians)
        print(f"{group} {point:>9} {name:18}", *(f"{figure} {value:,.5g}" for figure, value in medians.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Breaks brokers again and again, for as long as is asked for, and tells what came of it.

    make torture TORTURE="--kills 500 --failpoints 300 --flips 500 --seed 7"

Each trial has a seed, which is printed where it fails, and runs in a folder of its own, which is kept then.
"""
# ruff: noqa: T201  (it is a command: its output is what it is for)

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

import pytest
from torture.trials import TRIALS

ROOM: Final = Path(tempfile.gettempdir())


class Torture:
    """All trials of one kind."""

    def __init__(self, kind: str, seeds: Iterable[int]) -> None:
        self.kind: Final = kind
        self.seeds: Final = list(seeds)
        self.outcomes: Final[Counter[str]] = Counter()
        self.failures = 0

    def run(self, pool: ProcessPoolExecutor) -> None:
        """Run them and print each failure as it comes."""
        pending: dict[Future[tuple[Counter[str], str]], int] = {
            pool.submit(attempt, self.kind, seed): seed for seed in self.seeds
        }
        for number, done in enumerate(as_completed(pending), 1):
            outcome, trouble = done.result()
            if number % 20 == 0:
                print(f"{self.kind}: {number} of {len(pending)} trials, {self.failures} failed", flush=True)
            self.outcomes.update(outcome)
            if trouble:
                self.failures += 1
                print(f"{self.kind}, seed {pending[done]}: {trouble}", flush=True)

    def summary(self, seconds: float) -> str:
        """One line on all of them."""
        found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        return f"{self.kind}: {len(self.seeds)} trials in {seconds:.0f} s: {found}; {self.failures} failed"


def attempt(kind: str, seed: int) -> tuple[Counter[str], str]:
    """One trial: its outcome and, if it failed, why and where its files are."""
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{kind}-{seed}-", dir=ROOM))
    try:
        outcome = TRIALS[kind].run(folder, random.Random(seed))
    except pytest.skip.Exception as reason:
        outcome = Counter({f"skipped ({reason})": 1})
    except BaseException:  # noqa: BLE001  (whatever it was, the other trials go on)
        return Counter(), f"{folder}\n{traceback.format_exc(limit=-6)}"
    shutil.rmtree(folder)
    return outcome, ""


def seeds(first: int) -> Iterator[int]:
    """The seeds of one kind of trials."""
    while True:
        yield first
        first += 1


def options() -> argparse.Namespace:
    """What the command line asks for: how many of what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, trial in TRIALS.items():
        parser.add_argument(f"--{kind}", type=int, metavar="N", help=f"{trial.help} (default: {trial.default})")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first trial of each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="trials at a time")
    return parser.parse_args()


def main() -> int:
    """Run what is asked for, or everything; 1 if anything failed."""
    chosen = options()
    wanted = {kind: getattr(chosen, kind) for kind in TRIALS}
    if not any(wanted.values()):
        wanted = {kind: trial.default for kind, trial in TRIALS.items()}
    failures = 0
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for kind, number in wanted.items():
            if not number:
                continue
            numbers = seeds(chosen.seed)
            torture = Torture(kind, [next(numbers) for _ in range(-(-number // TRIALS[kind].ends))])
            start = time.monotonic()
            torture.run(pool)
            failures += torture.failures
            print(torture.summary(time.monotonic() - start), f"(from seed {chosen.seed})", flush=True)
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())

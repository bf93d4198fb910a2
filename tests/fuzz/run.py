"""Fuzzes with coverage as its guide: `python -m fuzz.run --target tables --runs 1000000` in the folder `tests`, with atheris.

An input that fails is written to the folder of artifacts; `--repeat FILE` runs that input alone.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

atheris = import_module("atheris")  # It offers no types, and is not installed with the other tests' needs.

with atheris.instrument_imports(include=["amqpd", "exchanges", "persistence"]):
    from fuzz.documents import SEEDS, definitions, requests
    from fuzz.targets import TARGETS, seeds

TARGETS.update(requests=requests, definitions=definitions)
LONGEST = 4096
RSS_LIMIT_MB = 700
SECONDS = 10
"""An input that takes longer has hung."""


def main(arguments: Sequence[str]) -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True, choices=sorted(TARGETS))
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/amqpd-fuzz"), help="for the corpus and artifacts")  # noqa: S108
    parser.add_argument("--repeat", type=Path)
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    target = TARGETS[given.target]
    if given.repeat is not None:
        target(given.repeat.read_bytes())
        return
    corpus = given.folder / given.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate({**seeds(), **SEEDS}[given.target]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-runs={given.runs}", f"-seed={given.seed}", f"-max_len={LONGEST}", f"-rss_limit_mb={RSS_LIMIT_MB}",
        f"-timeout={SECONDS}", f"-artifact_prefix={given.folder / given.target}-", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])

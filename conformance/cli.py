"""The command line: run the suite against a broker, list the cases, compare two reports."""

import argparse
import fnmatch
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conformance.catalogue import AREAS, Case, load
from conformance.mutation.proof import SURVIVED, Proof
from conformance.report.compare import compare
from conformance.report.page import page
from conformance.report.proof import proof
from conformance.report.terminal import Progress, summary
from conformance.runner import Runner
from conformance.target import Target

RESULTS: Final = "<!-- results -->"
PROOF: Final = "<!-- proof -->"


def run_parser() -> argparse.ArgumentParser:
    """The flags of a run."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance",
        description="Proves an AMQP 0-9-1 broker, case by case. Exit code 1 when a MUST fails.",
        epilog="`python -m conformance compare a.json b.json [--markdown FILE]` shows two reports side by side; "
        "`python -m conformance prove [the same flags]` makes the broker lie and lists the cases that do not notice.",
    )
    parser.add_argument("--url", default="amqp://guest:guest@127.0.0.1:5672/", help="the broker, amqp://user:pw@host/vhost")
    parser.add_argument("--name", help="what to call the broker in place of the product and version that it announces")
    parser.add_argument("--http-url", help="its management API, http://user:pw@host:15672")
    parser.add_argument("--tls-url", help="its TLS listener, amqps://host:5671")
    parser.add_argument("--restart-command", help="a shell command that stops the broker in order and starts it again")
    parser.add_argument("--kill-command", help="a shell command that kills the broker with SIGKILL and starts it again")
    parser.add_argument("--alarm-command", help="a shell command that raises the memory alarm")
    parser.add_argument("--clear-command", help="a shell command that clears the memory alarm")
    parser.add_argument("--select", action="append", default=[], help="an area, a level, an id or a pattern of ids; repeatable")
    parser.add_argument("--deselect", action="append", default=[], help="what to leave out, in the same words")
    parser.add_argument("--jobs", type=int, default=2, help="how many cases run at the same time")
    parser.add_argument("--timeout", type=float, default=4.0, help="seconds to wait for any answer")
    parser.add_argument("--report", type=Path, help="where to write the HTML page")
    parser.add_argument("--json", type=Path, help="where to write the results for `compare`")
    parser.add_argument("--brief", action="store_true", help="leave the frames out of the JSON, which makes it small")
    parser.add_argument("--list", action="store_true", help="print the cases and run nothing")
    return parser


def prove_parser() -> argparse.ArgumentParser:
    """The flags of a proof."""
    parser = argparse.ArgumentParser(prog="python -m conformance prove", parents=[run_parser()], add_help=False)
    parser.add_argument("--markdown", type=Path, help="a file whose text behind its <!-- proof --> is replaced by the outcome")
    return parser


def compare_parser() -> argparse.ArgumentParser:
    """The flags of a comparison."""
    parser = argparse.ArgumentParser(prog="python -m conformance compare")
    parser.add_argument("reports", nargs=2, type=Path, metavar="report.json")
    parser.add_argument(
        "--markdown", type=Path, help="a file whose text behind its <!-- results --> is replaced by the comparison"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["compare"]:
        return _compare(compare_parser().parse_args(given[1:]))
    if given[:1] == ["prove"]:
        return _prove(prove_parser().parse_args(given[1:]))
    return _run(run_parser().parse_args(given))


def select(cases: list[Case], wanted: list[str], unwanted: list[str]) -> list[Case]:
    """The cases that any of the wanted words names (all without words) and no unwanted word names."""
    chosen = [case for case in cases if not wanted or any(names(word, case) for word in wanted)]
    return [case for case in chosen if not any(names(word, case) for word in unwanted)]


def names(word: str, case: Case) -> bool:
    """Whether a word of --select means this case: by area, level, need, id, beginning of an id, or pattern."""
    if word in (case.area.name, case.level.value, case.id) or word in case.needs:
        return True
    return case.id.startswith(f"{word}.") or fnmatch.fnmatchcase(case.id, word)


def _run(options: argparse.Namespace) -> int:
    cases = select(load(), options.select, options.deselect)
    if options.list:
        print("\n".join(f"{case.id:60} {case.level.value:20} {case.title}" for case in cases))
        print(f"{len(cases)} cases in {len({case.area.name for case in cases})} of {len(AREAS)} areas")
        return 0
    if not cases:
        print("no case is selected", file=sys.stderr)
        return 2
    with Progress(len(cases)) as progress:
        run = Runner(Target(options), options.jobs, progress.note).run(cases)
    summary(run)
    if options.json:
        options.json.write_text(json.dumps(run.as_dict(with_frames=not options.brief), indent=1, ensure_ascii=False))
    if options.report:
        options.report.write_text(page(run.as_dict()))
    return 0 if run.is_conforming else 1


def _prove(options: argparse.Namespace) -> int:
    """Lists the selected cases that pass although the broker lied."""
    cases = select(load(), options.select, options.deselect)
    verdicts = Proof(Target(options)).run(cases, options.jobs)
    text = proof(cases, verdicts)
    if options.markdown:
        insert(options.markdown, PROOF, text)
    print(text)
    return 1 if SURVIVED in verdicts.values() else 0


def _compare(options: argparse.Namespace) -> int:
    left, right = (json.loads(report.read_text()) for report in options.reports)
    text = compare(left, right)
    if options.markdown:
        insert(options.markdown, RESULTS, text)
    else:
        print(text)
    return 0


def insert(document: Path, mark: str, text: str) -> None:
    """Replaces what stands between a mark and the next heading, or the end."""
    head, _, old = document.read_text().partition(mark)
    _, heading, tail = old.partition("\n## ")
    document.write_text(f"{head}{mark}\n\n{text}{heading}{tail}")

"""The commands that look after a data folder; each returns the exit code of the process and raises StoreError."""
# ruff: noqa: T201  (answers are printed)

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from persistence import backup as backups
from persistence.check import check as check_data
from persistence.compaction import compact as compact_data
from persistence.remedy import Report
from persistence.repair import repair as repair_data


def backup(data_dir: Path, target: Path) -> int:
    """Copy the data folder, which a broker may be using, into an empty one."""
    _copy(backups.back_up, data_dir, target)
    print(f"{data_dir} is backed up in {target}")
    return 0


def restore(source: Path, data_dir: Path) -> int:
    """Copy a backup into an empty data folder, and check what came of it."""
    _copy(backups.restore, source, data_dir)
    return check(data_dir)


def check(data_dir: Path) -> int:
    """Print what is wrong in the data folder, or `ok` and what it holds."""
    return _tell(check_data(data_dir))


def repair(data_dir: Path) -> int:
    """Mend the data folder, and print what was done and what is still wrong."""
    done, report = repair_data(data_dir)
    for sentence in done:
        print(sentence)
    return _tell(report)


def compact(data_dir: Path) -> int:
    """Give what the data folder takes of the disk and does not need back, and print how much that was."""
    before, after = compact_data(data_dir)
    print(f"ok octets_before={before} octets_after={after}")
    return 0


def _tell(report: Report) -> int:
    for problem in report.problems:
        print(problem)
    if report.problems:
        return 1
    print("ok", *(f"{name}={count}" for name, count in report.counts.items()))
    return 0


def _copy(copy: Callable[[Path, Path, backups.Progress], None], source: Path, target: Path) -> None:
    """Copy with a bar, if somebody looks on."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("messages", total=None)
        copy(source, target, lambda done, total: bar.update(task, completed=done, total=total))

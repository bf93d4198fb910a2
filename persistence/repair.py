"""Mend a data folder that no broker uses.

Invariants:

1. Nothing is lost: what goes out of the tables is in a file below `damaged/`, on the disk, before it goes.
2. A repair that was interrupted can be begun again, and nothing else is done with the folder before.
3. What a check finds no fault with stays as it is.
"""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from persistence import failpoints
from persistence.aside import Aside, is_unfinished
from persistence.check import check, check_messages
from persistence.check_definitions import check_definitions
from persistence.data_folder import DEFINITIONS, MESSAGES, open_existing_data_folder, sync
from persistence.layer import Layer
from persistence.lmdb_env import FIRST_MAP_BYTES, LmdbTables
from persistence.logged_tables import open_logged
from persistence.remedy import Remedy, Report
from persistence.repair_definitions import adopt, is_readable, mend_rows, rebuild
from persistence.salvage import salvage
from persistence.store import NoSpace, StoreError
from persistence.tables import Tables
from persistence.write_ahead_log import FILE

WALKS: Final = 5
"""What one walk mends may show the next one something else: a body that is lost takes its records along."""


def repair(data_folder: Path) -> tuple[list[str], Report]:
    """Mend what can be mended; return a sentence for each thing done, and what a check finds afterwards.

    Raises StoreError if the folder is in use, if it is no data folder, or if another version wrote it.
    """
    folder = open_existing_data_folder(data_folder)
    try:
        aside = Aside(data_folder)
        told = _repair(data_folder, aside, is_unfinished(data_folder))
        if told:
            aside.keep("report.txt", "".join(f"{line}\n" for line in told).encode("utf-8", "surrogateescape"))
        aside.finish()
    finally:
        folder.close()
    return told, check(data_folder)


def _repair(data_folder: Path, aside: Aside, was_interrupted: bool) -> list[str]:
    path = data_folder / DEFINITIONS
    was_readable = is_readable(path)
    told = [] if was_readable else rebuild(path, aside)
    done, lost_queues = mend_rows(path, aside)
    told += done
    failpoints.at(failpoints.REPAIR_DEFINED)
    mended, strangers = _mend_or_salvage(data_folder, aside, check_definitions(path, Report()))
    told += mended
    failpoints.at(failpoints.REPAIR_MENDED)
    # Where all definitions are known, messages without one are those of a queue that was deleted.
    return told + adopt(path, strangers) if lost_queues or was_interrupted or not was_readable else told


def _mend_or_salvage(data_folder: Path, aside: Aside, queue_ids: set[int]) -> tuple[list[str], set[int]]:
    """Mend the messages, in a new environment if the one that is there cannot be read to its end."""
    folder = data_folder / MESSAGES
    new = data_folder / f"{MESSAGES}.new"
    if new.exists() and not folder.exists():
        new.rename(folder)  # An earlier repair was interrupted after it had salvaged all.
    try:
        return _in_process(folder, aside, queue_ids)
    except NoSpace:
        raise
    except (BrokenProcessPool, StoreError) as error:
        told = [f"{MESSAGES}: {error}"]
    shutil.rmtree(new, ignore_errors=True)
    told += [f"{MESSAGES}: {line}" for line in salvage(folder, new)]
    if (folder / FILE).exists():
        shutil.copyfile(folder / FILE, new / FILE)
        sync(new / FILE)
    sync(new)
    failpoints.at(failpoints.REPAIR_SALVAGED)
    told.append(f"{MESSAGES}: moved to {aside.move(folder)}")
    failpoints.at(failpoints.REPAIR_EMPTIED)
    new.rename(folder)
    sync(data_folder)
    mended, strangers = _in_process(folder, aside, queue_ids)
    return told + mended, strangers


def _in_process(folder: Path, aside: Aside, queue_ids: set[int]) -> tuple[list[str], set[int]]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_repair_messages, folder, aside, queue_ids).result()


def _repair_messages(folder: Path, aside: Aside, queue_ids: set[int]) -> tuple[list[str], set[int]]:
    try:
        tables = LmdbTables(folder, True, FIRST_MAP_BYTES)
        try:
            _walk(tables, queue_ids)  # Nothing is written into a database that cannot be read to its end.
            damages: list[str] = []
            open_logged(tables, folder, damages).close()
            told, strangers = mend_messages(tables, aside, queue_ids)
            return damages + told, strangers
        finally:
            tables.close()
    except (OSError, StoreError):
        raise
    except Exception as error:  # noqa: BLE001  (damaged pages can give any error)
        raise StoreError(f"the database cannot be read: {error}") from None


def mend_messages(tables: Tables, aside: Aside, queue_ids: set[int]) -> tuple[list[str], set[int]]:
    """Walk and mend until there is nothing left to mend; return what was done, and ids of queues that nobody knows."""
    told: list[str] = []
    strangers: set[int] = set()
    for _ in range(WALKS):
        report = _walk(tables, queue_ids)
        strangers = report.strangers
        remedies = [remedy for remedy in report.remedies if remedy.changes]
        if not remedies:
            break
        told += [_told(remedy, aside) for remedy in remedies]
        layer = Layer()
        layer.lay(change for remedy in remedies for change in remedy.changes)
        tables.change(layer.write_to, layer.size())
    return told, strangers


def _walk(tables: Tables, queue_ids: set[int]) -> Report:
    report = Report()
    view = tables.view()
    try:
        check_messages(view, queue_ids, report)
    finally:
        view.close()
    return report


def _told(remedy: Remedy, aside: Aside) -> str:
    """Keep what is lost, and tell what became of the problem."""
    places = [aside.keep(name, content) for name, content in remedy.lost]
    return f"{remedy.problem}: {'moved to ' + ', '.join(places) if places else 'mended'}"

"""The store on disk: messages in one LMDB environment, synced, with a log; the spill in another, unsynced, emptied at start."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Final

from persistence.aside import refuse_unfinished
from persistence.chunk_store import ChunkStore
from persistence.data_folder import MESSAGES, SPILL, open_data_folder
from persistence.lmdb_env import FIRST_MAP_BYTES, LmdbTables
from persistence.logged_tables import open_logged
from persistence.schema import begin_epoch
from persistence.store import StoreError
from persistence.tables import CALENDARS, CHUNKS


class LmdbStore(ChunkStore):
    """The store in a data folder, locked until `close`. Raises StoreError if the folder cannot be used."""

    def __init__(self, path: Path, map_bytes: int = FIRST_MAP_BYTES) -> None:
        self._folder: Final = open_data_folder(path)
        try:
            refuse_unfinished(path)
            self._disk: Final = LmdbTables(path / MESSAGES, True, map_bytes)
            shutil.rmtree(path / SPILL, ignore_errors=True)
            self._scratch: Final = LmdbTables(path / SPILL, False, map_bytes)
            epoch = self._disk.change(begin_epoch, 0)[0]
            damages: list[str] = []
            self._logged: Final = open_logged(self._disk, path / MESSAGES, damages)
            super().__init__(self._logged, self._scratch, epoch)
            self.damages.extend(damages)
        except BaseException:
            self._folder.close()
            raise

    def is_empty(self) -> bool:
        """Whether nothing is stored that belongs to a queue or an exchange. Raises Corrupt."""
        view = self._logged.view()
        try:
            return view.count(CHUNKS) + view.count(CALENDARS) == 0
        finally:
            view.close()

    def close(self) -> None:
        """See `Store.close`; what was not committed is lost."""
        with contextlib.suppress(StoreError):  # The log counts at the next start, too.
            self._logged.settle()
        self._logged.close()
        self._scratch.close()
        self._disk.close()
        self._folder.close()

"""Stores to test, of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.stores import kill
from persistence.chunk_store import ChunkStore
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryStore, memory_store


class Place:
    """Where a store lies; it can be opened again after its program ended without notice."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.store: ChunkStore = memory_store() if folder is None else LmdbStore(folder)

    def reopen(self) -> ChunkStore:
        """The store of the next run of the program."""
        if self._folder is None:
            assert isinstance(self.store, MemoryStore)
            self.store = self.store.reopen()
        else:
            kill(self.store)
            self.store = LmdbStore(self._folder)
        return self.store


@pytest.fixture(params=["memory", "lmdb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A new place for a store, in memory or on disk."""
    place = Place(tmp_path / "data" if request.param == "lmdb" else None)
    yield place
    place.store.close()


@pytest.fixture
def store(place: Place) -> ChunkStore:
    """A new store, in memory or on disk."""
    return place.store

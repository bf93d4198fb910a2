"""Chunks as they are read back from the tables: what is damaged of them is left out, and told of."""

from __future__ import annotations

from persistence import records
from persistence.store import Chunk, Corrupt, Log, StoredRecord
from persistence.tables import BODIES, CHUNKS, WHOLE, Tables, Transaction, stored_marks


def read_chunks(
    tables: Tables,
    log: Log,
    ranges: list[tuple[bytes, bytes]],
    newest: dict[int, bytearray],
    spilled: bool,
    damages: list[str],
) -> list[StoredRecord]:
    """The live records of a log in ranges of keys; `newest` has marks that are newer than those of the tables."""
    out: list[StoredRecord] = []
    view = tables.view()
    try:
        for low, high in ranges:
            for key, value in view.range(CHUNKS, low, high, WHOLE):
                marks = newest.get(records.split_key(key)[2])
                try:
                    out.extend(_read_chunk(view, key, value, log, marks, spilled, damages))
                except Corrupt as error:
                    damages.append(str(error))
    finally:
        view.close()
    return out


def _read_chunk(
    view: Transaction, key: bytes, value: bytes, log: Log, newest: bytearray | None, spilled: bool, damages: list[str]
) -> list[StoredRecord]:
    """The live records of a chunk; what is damaged of it is left out and told of, or all of it is Corrupt."""
    first = records.split_key(key)[2]
    name = f"queue {log.queue_id}, lane {log.lane}, chunk {first}"
    try:
        marks = _read_marks(view, key, value, name, damages) if newest is None else bytearray(newest)
        chunk = Chunk(log, first, marks, spilled)
        chunk.durable = True
        chunk.marked = True
        found = records.decode(value, chunk)
    except Corrupt as error:
        raise Corrupt(f"{name}: {error}") from error
    return [record for record in found if not record.body_id or _has_body(view, record, name, damages)]


def _read_marks(view: Transaction, key: bytes, value: bytes, name: str, damages: list[str]) -> bytearray:
    """The marks of a chunk; if they are damaged, any record may have been delivered, and none is known to be settled."""
    try:
        return stored_marks(view, key, value)
    except Corrupt as error:
        damages.append(f"{name}: {error}")
        return bytearray(b"\1" * records.chunk_header(key, value)[0])


def _has_body(view: Transaction, record: StoredRecord, name: str, damages: list[str]) -> bool:
    """Give a record its shared body; False if that cannot be read."""
    try:
        record.body = _read_body(view, record.body_id)
    except Corrupt as error:
        damages.append(f"{name}, sequence {record.sequence}: {error}")
        return False
    return True


def _read_body(view: Transaction, body_id: int) -> bytes:
    key = records.pack_id(body_id)
    value = view.get(BODIES, key)
    if value is None:
        raise Corrupt(f"shared body {body_id} is missing")
    return records.unprotect(key, value)

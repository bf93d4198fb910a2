"""The stored layout: what is written comes back, and damage never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.stores import Note, Owner, flipped
from persistence import records
from persistence.memory import memory_store
from persistence.store import SETTLED, Chunk, Corrupt, Log, StoredRecord

LOG = Log(memory_store(), 1, 0, Owner())


def chunk_key(first: int) -> bytes:
    """The key of a chunk of the log."""
    return records.key(1, 0, first)


def encoded(notes: list[Note], first: int | None = None) -> bytes:
    """A chunk of these records, for the key of the first one or of another."""
    pieces: list[bytes] = []
    size = sum(note.pieces(pieces) for note in notes)
    stored_key = chunk_key(notes[0].sequence if first is None else first)
    return records.encode_chunk(stored_key, pieces, len(notes), notes[-1].sequence, size)


def decoded(value: bytes, marks: bytes, first: int) -> list[StoredRecord]:
    """What the chunk holds under these marks."""
    return records.decode(value, Chunk(LOG, first, bytearray(marks), False))


@given(
    st.lists(st.tuples(st.integers(1, 1 << 40), st.binary(max_size=50), st.integers(0, 1)), min_size=1, max_size=9),
    st.data(),
)
def test_chunk_round_trip(given_records: list[tuple[int, bytes, int]], data: st.DataObject) -> None:
    """Every record that is not settled comes back as it was put, but for a shared body."""
    sequence = 0
    notes: list[Note] = []
    for step, body, body_id in given_records:
        sequence += step
        notes.append(Note(sequence, body, body_id))
    marks = data.draw(st.binary(min_size=len(notes), max_size=len(notes)))
    found = decoded(encoded(notes), marks, notes[0].sequence)
    expected = [
        (note.sequence, slot, mark, b"" if note.body_id else note.body, note.body_id)
        for slot, (note, mark) in enumerate(zip(notes, marks, strict=True))
        if mark != SETTLED
    ]
    assert expected == [(one.sequence, one.slot, one.returns, one.body, one.body_id) for one in found]
    assert all((b"address", b"header") == (one.address, one.header) for one in found)
    assert all((records.PERSISTENT, 7, 0) == (one.flags, one.received_at, one.expires_at) for one in found)


def test_every_flipped_bit_of_a_chunk_is_found() -> None:
    """No single bit of a chunk can change unseen."""
    for value in flipped(encoded([Note(5, b"one"), Note(9, b"two")])):
        with pytest.raises(Corrupt):
            decoded(value, b"\0\0", 5)


def test_every_cut_of_a_chunk_is_found() -> None:
    """A chunk that lost its end is corrupt."""
    value = encoded([Note(5, b"one"), Note(9, b"two")])
    for length in range(len(value)):
        with pytest.raises(Corrupt):
            decoded(value[:length], b"\0\0", 5)


@given(st.binary(max_size=200), st.binary(max_size=3), st.integers(0, 10))
def test_any_bytes_decode_or_are_corrupt(value: bytes, marks: bytes, first: int) -> None:
    """Random bytes never raise anything but Corrupt."""
    with pytest.raises(Corrupt):
        decoded(value, marks, first)


@given(st.lists(st.binary(max_size=90), max_size=4), st.integers(1, 4), st.integers(0, 1 << 33))
def test_any_payload_with_a_right_checksum_decodes_or_is_corrupt(pieces: list[bytes], count: int, last: int) -> None:
    """Records that do not fit together are corrupt although the checksum is right."""
    value = records.encode_chunk(chunk_key(0), pieces, count, last, 0)
    try:
        found = decoded(value, bytes(count), 0)
    except Corrupt:
        return
    assert count == len(found)


@pytest.mark.parametrize(
    ("notes", "marks", "first", "text"),
    [
        ([Note(5, b"a"), Note(5, b"b")], b"\0\0", 5, "record 1 has sequence 5 after 5"),
        ([Note(5, b"a")], b"\0", 4, "record 0 has sequence 5 after 3"),
        ([Note(5, b"a")], b"\0\0", 5, "2 marks for 1 records"),
    ],
)
def test_inconsistencies_are_named(notes: list[Note], marks: bytes, first: int, text: str) -> None:
    """A chunk that contradicts its key, its marks or itself is corrupt, and the error says how."""
    with pytest.raises(Corrupt, match=text):
        decoded(encoded(notes, first), marks, first)


def test_a_chunk_under_another_key_is_found() -> None:
    """A chunk that was moved to another queue, lane or place is corrupt."""
    value = encoded([Note(5, b"a")])
    for log, first in ((Log(memory_store(), 2, 0, Owner()), 5), (Log(memory_store(), 1, 1, Owner()), 5), (LOG, 4)):
        with pytest.raises(Corrupt, match="fails its checksum"):
            records.decode(value, Chunk(log, first, bytearray(1), False))


def test_wrong_last_sequence_is_found() -> None:
    """The header's last sequence is checked against the records."""
    pieces: list[bytes] = []
    Note(5, b"a").pieces(pieces)
    with pytest.raises(Corrupt, match="last sequence is 5, not 6"):
        decoded(records.encode_chunk(chunk_key(5), pieces, 1, 6, 0), b"\0", 5)


def test_bytes_after_the_last_record_are_found() -> None:
    """A chunk ends with its last record."""
    pieces: list[bytes] = [b"", b"x"]
    Note(5, b"a").pieces(pieces)
    with pytest.raises(Corrupt, match="1 bytes after the last record"):
        decoded(records.encode_chunk(chunk_key(5), [*pieces[2:], b"x"], 1, 5, 0), b"\0", 5)


def test_newer_layout_is_refused() -> None:
    """A chunk of another version is corrupt, not misread."""
    with pytest.raises(Corrupt, match="layout version 2"):
        records.chunk_header(chunk_key(1), b"\2" + bytes(40))


@given(st.binary(max_size=40))
def test_protected_content(content: bytes) -> None:
    """Marks and bodies come back as they were, and each flipped bit is found, also in the key."""
    value = records.protect(b"key", content)
    assert content == records.unprotect(b"key", value)
    for changed in flipped(value):
        with pytest.raises(Corrupt):
            records.unprotect(b"key", changed)
    for other in flipped(b"key"):
        with pytest.raises(Corrupt):
            records.unprotect(other, value)


def test_keys_sort_by_queue_lane_and_sequence() -> None:
    """The order of keys is the order of records."""
    triples = [(1, 0, 255), (1, 0, 256), (1, 1, 0), (2, 0, 0), (256, 255, 1 << 63)]
    assert triples == [records.split_key(key) for key in sorted(records.key(*triple) for triple in triples)]
    with pytest.raises(Corrupt):
        records.split_key(b"short")
    with pytest.raises(Corrupt):
        records.unpack_id(b"short")

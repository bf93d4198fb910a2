"""Counting references to shared bodies."""

import pytest

from persistence.bodies import Bodies
from persistence.store import StoreError


def test_a_body_without_references_is_never_written() -> None:
    """Neither a body that nobody wanted nor one whose references went in the same batch is written or deleted."""
    bodies = Bodies(100)
    assert 100 == bodies.share(b"unwanted")
    released = bodies.share(b"released")
    bodies.retain(released)
    bodies.release(released)
    unreferenced: list[int] = []
    assert {} == bodies.close(unreferenced)
    assert [] == unreferenced
    assert not bodies.has_work()


def test_a_body_is_written_once_and_deleted_with_its_last_reference() -> None:
    """The second of two references deletes the body."""
    bodies = Bodies(1)
    body_id = bodies.share(b"body")
    bodies.retain(body_id)
    bodies.retain(body_id)
    unreferenced: list[int] = []
    assert {body_id: b"body"} == bodies.close(unreferenced)
    bodies.release(body_id)
    assert {} == bodies.close(unreferenced)
    assert [] == unreferenced
    bodies.release(body_id)
    assert bodies.has_work()
    assert {} == bodies.close(unreferenced)
    assert [body_id] == unreferenced


def test_a_body_can_be_retained_again_until_the_batch_is_closed() -> None:
    """A body that moves from one queue to another survives."""
    bodies = Bodies(1)
    bodies.recover({7: 1})
    bodies.release(7)
    bodies.retain(7)
    unreferenced: list[int] = []
    bodies.close(unreferenced)
    assert [] == unreferenced
    bodies.release(7)
    bodies.close(unreferenced)
    with pytest.raises(StoreError, match="shared body 7 is gone"):
        bodies.retain(7)

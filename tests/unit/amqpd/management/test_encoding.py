"""JSON as it comes and as it is sent."""

import asyncio
import json

import pytest

from amqpd.management.encoding import (
    NESTING_MAX,
    OBJECT_BYTES,
    PIECE_BYTES,
    TEXTS_MAX,
    Encoded,
    decode,
    encode_slowly,
    is_quickly_decoded,
)


def test_what_json_can_hold() -> None:
    """Numbers, escapes and pairs of surrogates mean what they mean."""
    assert {"a": [1, -2.5e3, "\U0001f600é"]} == decode(rb'{"a": [1, -2.5e3, "\ud83d\ude00\u00e9"]}')


@pytest.mark.parametrize(
    "text", [b"NaN", b"-Infinity", b"1e999", rb'{"a": ["\ud800"]}', rb'{"\udc80": 1}', b"\xff", b"[" * 100_000]
)
def test_what_could_not_be_sent_back_is_refused(text: bytes) -> None:
    """Numbers that JSON lacks, halves of pairs, no UTF-8, and nesting without end."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    """So many lists or objects in each other."""
    return opening * depth + b"1" + closing * depth


@pytest.mark.parametrize(
    ("opening", "closing", "depth"),
    [(b"[", b"]", NESTING_MAX), (b'{"a":', b"}", NESTING_MAX), (b'[[],{"a":', b"}]", NESTING_MAX // 2)],
)
def test_nesting_has_a_limit(opening: bytes, closing: bytes, depth: int) -> None:
    """Up to it JSON is decoded, beyond it refused; what is wide is not deep."""
    fits = nested(depth, opening, closing)
    assert json.loads(fits) == decode(fits)
    assert [json.loads(fits)] * 9 == decode(b"[" + b",".join([fits] * 9) + b"]", NESTING_MAX + 1)
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(nested(depth + 1, opening, closing))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([[]] * 1000, True), (["x" * OBJECT_BYTES] * 9, True), ('"\\\n' * OBJECT_BYTES, True), ([1] * OBJECT_BYTES, False),
        (["x" * OBJECT_BYTES, [[]] * OBJECT_BYTES], False), (["x" * (OBJECT_BYTES // TEXTS_MAX + 1)] * TEXTS_MAX, False),
    ],
)  # fmt: skip
def test_few_long_texts_are_decoded_quickly(value: object, expected: bool) -> None:
    """Many short ones are not, and neither is much else beside them; what is short is quick anyway."""
    assert expected == is_quickly_decoded(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [
        [], [1], ["x"] * 1000, [["y" * 1000]] * 1000, ["z" * PIECE_BYTES] * 3, "text",
        {}, {"a": 1}, {"a": [], "b": [1], "c": [1, 2, "x"] * 9, "d": {"e": [1]}}, {"a": ["x" * 1000] * 1000},
    ],
)  # fmt: skip
def test_pieces_make_up_the_whole(value: object) -> None:
    """Short and long lists and other values: as many bytes as was said, and none of the pieces much too long."""
    encoded = asyncio.run(encode_slowly(value))
    pieces = list(encoded.pieces())
    assert (value, encoded.size) == (json.loads(b"".join(pieces)), len(b"".join(pieces)))
    assert max(len(piece) for piece in pieces) <= 2 * PIECE_BYTES


def test_items_that_are_json_make_a_list() -> None:
    """Also where a piece ends with the last item."""
    items = [b"1" * PIECE_BYTES, b"2", b"3" * PIECE_BYTES]
    assert b"[" + b",".join(items) + b"]" == b"".join(Encoded(items).pieces())

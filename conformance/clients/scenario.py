"""What every client program prints."""

from typing import Final

EXPECTED: Final = (
    "topology",
    "confirmed 100",
    "returned 312 NO_ROUTE",
    "prefetch 5",
    "acked 100",
    "redelivered",
    "dead rejected",
    "reply QUESTION",
    "headers equal",
    "large 1048576 equal",
    "missing 404",
    "messages 10000 in order",
    "restart",
    "recovered survivor",
    "done",
)


def differences(lines: list[str]) -> list[str]:
    """How printed lines differ from those expected, line by line."""
    missing, surplus = EXPECTED[len(lines) :], lines[len(EXPECTED) :]
    pairs = zip([*EXPECTED, *("(nothing)" for _ in surplus)], [*lines, *("(nothing)" for _ in missing)], strict=True)
    return [f"expected {expected!r}, printed {line!r}" for expected, line in pairs if expected != line]

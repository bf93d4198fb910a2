"""The transcript of one case: every frame of every connection, kept as it passed and put into words on demand."""

import time

from conformance.wire.frames import METHOD, Frame


class Transcript:
    """Frames and remarks in the order in which they were seen."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._entries: list[tuple[float, str, Frame | str]] = []
        self.last_received: Frame | str | None = None
        self.methods = 0
        self.answers = 0

    def sent(self, connection: int, what: Frame | str) -> None:
        """Notes what the suite sent."""
        self._entries.append((time.monotonic() - self._started, f"{connection} →", what))

    def received(self, connection: int, what: Frame | str) -> None:
        """Notes what the broker sent."""
        self.last_received = what
        self.methods += isinstance(what, Frame) and what.type == METHOD
        self._entries.append((time.monotonic() - self._started, f"{connection} ←", what))

    def answered(self, words: str) -> None:
        """Notes an answer over HTTP."""
        self.answers += 1
        self.received(0, words)

    def lines(self, limit: int = 120) -> list[str]:
        """The transcript as text; the middle of a long one is left out."""
        shown = [f"{at:7.3f}s  {arrow}  {shortened(describe(what))}" for at, arrow, what in self._entries]
        if len(shown) <= limit:
            return shown
        half = limit // 2
        return [*shown[:half], f"   … {len(shown) - 2 * half} more …", *shown[-half:]]

    def observation(self) -> str:
        """What the broker said last."""
        return "nothing received" if self.last_received is None else describe(self.last_received)


def shortened(words: str, limit: int = 240) -> str:
    """Words that fit one line of a report."""
    return words if len(words) <= limit else words[: limit - 1] + "…"


def describe(what: Frame | str) -> str:
    """A frame or a remark in words."""
    return what if isinstance(what, str) else what.describe()

"""The heap of this process, of which the C library keeps what was freed, for later."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Give memory that was freed back to the system; does nothing where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

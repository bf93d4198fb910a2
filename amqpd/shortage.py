"""What the want of memory interrupted may be half done: the process ends before anybody sees that, and a restart mends it."""

from __future__ import annotations

import logging
import os
from typing import Final

from amqpd.logs import ERROR, log

logger = logging.getLogger(__name__)

EXIT_CODE: Final = 1


def end_if_out_of_memory(error: object) -> None:
    """End the process at once if this is a MemoryError; else do nothing."""
    if isinstance(error, MemoryError):
        try:
            log(logger, ERROR, "out of memory")
        finally:
            os._exit(EXIT_CODE)

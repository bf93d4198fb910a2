"""What comes to an HTTP port and is no HTTP: a line in the log, as on the port for AMQP, instead of aiohttp's traceback."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp.http_exceptions import HttpProcessingError

from amqpd.logs import WARNING, log

logger = logging.getLogger(__name__)


class _Malformed(logging.Filter):
    """Passes over what is wrong with a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter.filter`."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        peer = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        log(logger, WARNING, "malformed HTTP request", peer=peer, reason=error.message.partition("\n")[0])
        return False


HTTP_LOGGER: Final = logging.getLogger("amqpd.management.http")
"""Where aiohttp logs."""
HTTP_LOGGER.addFilter(_Malformed())

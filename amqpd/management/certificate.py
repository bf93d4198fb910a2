"""When a certificate ends."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime


def end_of(path: str) -> datetime | None:
    """The end of validity of the first certificate in a PEM file; None if it cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError):
        return None
    ends = [str(found["notAfter"]) for found in context.get_ca_certs() if "notAfter" in found]
    return datetime.fromtimestamp(min(map(ssl.cert_time_to_seconds, ends)), UTC) if ends else None

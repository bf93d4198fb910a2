"""When a certificate ends, read from its DER encoding (X.690, RFC 5280 section 4.1)."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_CERTIFICATE: Final = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_EXPLICIT_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17


def end_of(path: str) -> datetime | None:
    """The end of validity of the first certificate in a PEM file; None if there is none that can be read."""
    try:
        found = _CERTIFICATE.search(Path(path).read_text(encoding="ascii", errors="replace"))
        return _end(ssl.PEM_cert_to_DER_cert(found.group())) if found is not None else None
    except (OSError, ValueError, IndexError):
        return None


def _end(der: bytes) -> datetime:
    _, outer, _ = _value(der, 0)
    _, signed, _ = _value(outer, 0)
    tag, _, position = _value(signed, 0)
    if tag == _EXPLICIT_VERSION:
        _, _, position = _value(signed, position)
    for _ in ("signature", "issuer"):
        _, _, position = _value(signed, position)
    _, validity, _ = _value(signed, position)
    _, _, position = _value(validity, 0)
    tag, end, _ = _value(validity, position)
    text = end.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _value(der: bytes, position: int) -> tuple[int, bytes, int]:
    """Tag and content of the value at a position, and where the next one begins."""
    tag, length = der[position], der[position + 1]
    start = position + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    return tag, der[start : start + length], start + length

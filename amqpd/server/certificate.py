"""The user that a client certificate names, read as RabbitMQ reads it (from what `ssl.SSLSocket.getpeercert` returns)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Certificate = Mapping[str, Any]

DISTINGUISHED_NAME: Final = "distinguished_name"
COMMON_NAME: Final = "common_name"
SUBJECT_ALTERNATIVE_NAME: Final = "subject_alternative_name"
LOGIN_FROM: Final = (DISTINGUISHED_NAME, COMMON_NAME, SUBJECT_ALTERNATIVE_NAME)

SAN_TYPES: Final = {"dns": "DNS", "ip": "IP Address", "email": "email", "uri": "URI"}
"""Kinds of alternative names, and what Python calls them."""

SHORT: Final = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "emailAddress": "EMAILADDRESS",
    "generationQualifier": "GENERATIONQUALIFIER",
    "givenName": "GIVENNAME",
    "initials": "INITIALS",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "pseudonym": "PSEUDONYM",
    "serialNumber": "SERIALNUMBER",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "surname": "SN",
    "title": "TITLE",
    "userId": "UID",
}
"""Attributes of a distinguished name."""

SPECIAL: Final = ',+"\\<>;'


def user_name(certificate: Certificate, login_from: str, san_type: str, san_index: int) -> str:
    """The user's name; empty if the certificate does not have what is asked for."""
    if login_from == DISTINGUISHED_NAME:
        return distinguished_name(certificate)
    if login_from == COMMON_NAME:
        return ",".join(value for rdn in certificate.get("subject", ()) for name, value in rdn if name == "commonName")
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == SAN_TYPES[san_type]]
    return names[san_index] if san_index < len(names) else ""


def distinguished_name(certificate: Certificate) -> str:
    """The subject as RFC 4514 writes it: the most specific part first."""
    parts = ["+".join(f"{SHORT.get(name, name)}={_escaped(value)}" for name, value in rdn) for rdn in certificate["subject"]]
    return ",".join(reversed(parts))


def _escaped(value: str) -> str:
    text = "".join("\\" + character if character in SPECIAL else character for character in value)
    if text[:1] in {"#", " "}:
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and len(text) > 1 else text

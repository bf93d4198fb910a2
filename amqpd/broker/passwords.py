"""Passwords, hashed as RabbitMQ does: base64 of a salt of four bytes and the digest of salt and password."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

SHA256: Final = "rabbit_password_hashing_sha256"
SHA512: Final = "rabbit_password_hashing_sha512"
MD5: Final = "rabbit_password_hashing_md5"

DIGESTS: Final[dict[str, str]] = {SHA256: "sha256", SHA512: "sha512", MD5: "md5"}
SALT_BYTES: Final = 4


def hash_password(password: str, salt: bytes | None = None) -> str:
    """The password's hash under `SHA256`, with a random salt unless one is given."""
    if salt is None:
        salt = secrets.token_bytes(SALT_BYTES)
    return base64.b64encode(salt + _digest("sha256", salt, password)).decode("ascii")


def is_hash(text: str) -> bool:
    """Whether this can be a hash; an empty one can, and matches no password."""
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def verify(password: str, password_hash: str, algorithm: str) -> bool:
    """Whether the password has this hash; a blank password, a malformed hash and an unknown algorithm never match."""
    digest = DIGESTS.get(algorithm)
    if digest is None or not password:
        return False
    try:
        stored = base64.b64decode(password_hash, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(stored[SALT_BYTES:], _digest(digest, stored[:SALT_BYTES], password))


def _digest(name: str, salt: bytes, password: str) -> bytes:
    return hashlib.new(name, salt + password.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()

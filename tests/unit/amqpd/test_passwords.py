import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.passwords import MD5, SHA256, SHA512, hash_password, verify

SALT = bytes.fromhex("908dc60a")


def test_hash_is_that_of_the_manual() -> None:
    """The worked example of RabbitMQ's manual: salt 908DC60A, password test12."""
    assert "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR" == hash_password("test12", SALT)


@pytest.mark.parametrize(("algorithm", "digest"), [(SHA256, "sha256"), (SHA512, "sha512"), (MD5, "md5")])
def test_every_algorithm_is_verified(algorithm: str, digest: str) -> None:
    """Hashes under all of RabbitMQ's algorithms are recognised, and only with the right password."""
    password_hash = base64.b64encode(SALT + hashlib.new(digest, SALT + b"secret").digest()).decode()
    assert verify("secret", password_hash, algorithm)
    assert not verify("Secret", password_hash, algorithm)


@given(st.text(min_size=1), st.text(min_size=1))
def test_only_the_same_password_is_verified(password: str, other: str) -> None:
    """A hash fits its own password, whatever the characters, and no other."""
    assert (password == other) == verify(other, hash_password(password), SHA256)


def test_salt_is_random() -> None:
    """Equal passwords have different hashes."""
    assert hash_password("secret") != hash_password("secret")


def test_octets_that_are_not_text_are_kept() -> None:
    """A password that is not UTF-8 is hashed octet for octet."""
    password = b"\xff\xfe".decode("utf-8", "surrogateescape")
    digest = hashlib.sha256(SALT + b"\xff\xfe").digest()
    assert base64.b64encode(SALT + digest).decode() == hash_password(password, SALT)


def test_blank_password_is_refused() -> None:
    """A blank password never matches, not even its own hash."""
    assert not verify("", hash_password("", SALT), SHA256)


@pytest.mark.parametrize("password_hash", ["", "kI3G", "not base64!", "ü", "kI3GC", "kI3GCqW5JLMJa4iX1lo7"])
def test_malformed_hash_is_refused(password_hash: str) -> None:
    """A hash that is no hash matches nothing, and raises nothing."""
    assert not verify("test12", password_hash, SHA256)


def test_unknown_algorithm_is_refused() -> None:
    """A hash under an algorithm that nobody knows matches nothing."""
    assert not verify("secret", hash_password("secret"), "rabbit_password_hashing_rot13")

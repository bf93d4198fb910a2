"""TLS as it is served: version 1.2 or 1.3, forward secrecy, a certificate by server name, read again without a restart."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from amqpd.config import Config
from amqpd.errors import StartError

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of TLS 1.3 are all good."""
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
VERIFY: Final = {"none": ssl.CERT_NONE, "peer": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


class Tls:
    """The certificates of a listener. Raises StartError if they cannot be used."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        self._hosts: dict[str, ssl.SSLContext] = {}
        self.context: ssl.SSLContext = self._load()

    def reload(self) -> None:
        """Read the files again, for connections to come. Raises StartError, and then everything stays as it was."""
        self.context = self._load()

    def _load(self) -> ssl.SSLContext:
        config = self._config
        if config.tls_certificate is None:
            raise StartError("tls-port needs tls-certificate")
        if config.tls_verify != "none" and config.tls_ca is None:
            raise StartError(f"tls-verify = {config.tls_verify} needs tls-ca")
        hosts = {name: self._context(file, None) for name, file in config.tls_hosts.items()}
        context = self._context(config.tls_certificate, config.tls_key)
        context.sni_callback = self._choose
        self._hosts = hosts
        return context

    def _context(self, certificate: Path, key: Path | None) -> ssl.SSLContext:
        config = self._config
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = VERSIONS[config.tls_version]
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.verify_mode = VERIFY[config.tls_verify]
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
            if config.tls_ca is not None:
                context.load_verify_locations(config.tls_ca)
        except (OSError, ValueError) as error:
            files = ", ".join(str(file) for file in (certificate, key, config.tls_ca) if file is not None)
            raise StartError(f"cannot use the certificates in {files}: {getattr(error, 'strerror', None) or error}") from None
        return context

    def _choose(self, connection: ssl.SSLObject, server_name: str | None, context: ssl.SSLContext) -> None:
        """Serve the certificate of the name that the client asks for, if there is one."""
        name = (server_name or "").lower()
        chosen = self._hosts.get(name) or self._hosts.get("*." + name.partition(".")[2])
        if chosen is not None:
            connection.context = chosen


def _no_password() -> str:
    """Asked for the password of an encrypted key: there is nobody to type it."""
    raise ValueError("the key is encrypted")

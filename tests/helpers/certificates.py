"""Certificates for tests, made by the command `openssl`."""

import shutil
import subprocess
from pathlib import Path

import pytest

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class CertificateAuthority:
    """Signs certificates; each is a PEM file that holds its key too."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl to make certificates with")
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.file = folder / f"{name}.pem"
        self._run("req", "-x509", *KEY, "-days", "3650", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.file)

    def issue(self, name: str, subject: str, alternatives: str = "DNS:localhost,IP:127.0.0.1") -> Path:
        """A certificate for a subject such as `/O=amqpd/CN=alice`, as NAME.pem; an older one of the name is replaced."""
        request, extensions, key = (self._folder / f"{name}.{kind}" for kind in ("csr", "ext", "key"))
        certificate, both = self._folder / f"{name}.crt", self._folder / f"{name}.pem"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        self._run("req", *KEY, "-subj", subject, "-keyout", key, "-out", request)
        self._run(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key, "-CAcreateserial"),
            *("-days", "3650", "-extfile", extensions, "-out", certificate),
        )
        both.write_text(certificate.read_text() + key.read_text())
        return both

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

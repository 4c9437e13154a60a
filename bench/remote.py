"""The responder's process, as a part uses it."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import requests

from bench.stage import ROOT


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that the responder got; `at` on the clock that all processes share."""

    at: float
    method: str
    key: str
    path: str


@dataclass
class Remote:
    url: str
    process: subprocess.Popen[str]
    verify: str | bool = True

    def set(self, **wanted: Any) -> float:
        """Changes it; the moment at which that was done."""
        answer = requests.post(f"{self.url}/control", json=wanted, timeout=10, verify=self.verify)
        return float(answer.json()["now"])

    @property
    def log(self) -> list[Seen]:
        return [Seen(*entry) for entry in self._told()["log"]]

    @property
    def cpu(self) -> float:
        return float(self._told()["cpu"])

    def _told(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/control", timeout=30, verify=self.verify).json()
        return found


@contextlib.contextmanager
def remote(*, certificate: Path | None = None, bundle: Path | None = None, **wanted: Any) -> Iterator[Remote]:
    """A running responder; with a certificate it speaks TLS, and `bundle` is whom to trust."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.responder", *([str(certificate)] if certificate else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        scheme = "https" if certificate else "http"
        made = Remote(f"{scheme}://127.0.0.1:{port}", process, str(bundle) if bundle else True)
        made.set(**wanted)
        yield made
    finally:
        process.terminate()
        process.wait()


def certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate of our own with its key, and a bundle of certifi's authorities and it.

    The bundle is as long as everybody's: reading it is what a `requests.get` over TLS spends its time on.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dailies measurement")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate, bundle = folder / "server.pem", folder / "bundle.pem"
    certificate.write_bytes(secret + public)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + public)
    return certificate, bundle

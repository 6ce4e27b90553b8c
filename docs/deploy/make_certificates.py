"""The certificates of a Dask cluster: an authority of its own, and one certificate for all who belong to it.

    python make_certificates.py FOLDER [--days 825]

Writes ca.pem, dask.pem and dask.key, readable by their owner only. Whoever holds dask.key can run any program on the
workers; whoever does not is refused by scheduler, workers and fieldvisit alike. The authority's own key is thrown away,
so that nobody can ever make another certificate that these machines believe. Where the three files are there and end in
more than thirty days, nothing is done; afterwards all machines need the new ones and a restart.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SOON = timedelta(days=30)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--days", type=int, default=825)
    chosen = options.parse_args()
    folder, now = chosen.folder, datetime.now(UTC)
    ends = _ends_at(folder)
    if ends and ends > now + SOON:
        print(f"{folder}: the certificates are there until {ends:%Y-%m-%d}")
        return 0
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ends = now + timedelta(days=chosen.days)
    authority, member = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("fieldvisit's own Dask authority")
    ca = (
        _certificate(ca_name, ca_name, authority, now, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    certificate = (
        _certificate(_name("fieldvisit's Dask cluster"), ca_name, member, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("scheduler"), x509.DNSName("localhost")]), critical=False
        )
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    _write(folder / "dask.key", member.private_bytes(pem, form, serialization.NoEncryption()))
    _write(folder / "dask.pem", certificate.public_bytes(pem))
    _write(folder / "ca.pem", ca.public_bytes(pem))
    print(f"{folder}: certificates until {ends:%Y-%m-%d}")
    return 0


def _ends_at(folder: Path) -> datetime | None:
    """When the certificates end; None where one of the three files is missing."""
    files = [folder / "dask.pem", folder / "ca.pem"]
    if not all(file.exists() for file in (*files, folder / "dask.key")):
        return None
    return min(x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc for file in files)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(ends)


def _usage(**used: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


if __name__ == "__main__":
    sys.exit(main())

"""When certificates end."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509


def ends_at(file: Path) -> datetime:
    """When the first of a PEM file's certificates to end does so. Raises ValueError for a file without any."""
    return min(certificate.not_valid_after_utc for certificate in x509.load_pem_x509_certificates(file.read_bytes()))

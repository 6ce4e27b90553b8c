"""What a browser may do on our pages."""

from __future__ import annotations

import secrets
from collections.abc import Iterable


def new_nonce() -> str:
    """A fresh secret for one response: only scripts that carry it run."""
    return secrets.token_urlsafe(16)


def content_security_policy(nonce: str, images: Iterable[str] = ()) -> str:
    """The Content-Security-Policy header: nothing but our own files, and scripts that carry the nonce.

    Args:
        nonce: of this response.
        images: origins of online map tiles, if some are set up (`MapFragments.image_origins`).
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            " ".join(["img-src 'self' data: blob:", *images]),
            "connect-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )

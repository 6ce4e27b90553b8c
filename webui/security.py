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
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def headers_for(
    nonce: str, images: Iterable[str] = (), https: bool = False, finds_itself: bool = False
) -> dict[str, str]:
    """The headers that every response carries, so that browsers do on our pages what we mean and no more.

    Args:
        nonce: of this response.
        images: as for `content_security_policy`.
        https: whether browsers come by https; from then on they come by nothing else.
        finds_itself: whether the page may ask the person for the position of their device.
    """
    position = "(self)" if finds_itself else "()"
    headers = {
        "Content-Security-Policy": content_security_policy(nonce, images),
        "X-Content-Type-Options": "nosniff",
        # Other sites hear nothing. With "no-referrer" browsers would also hide from us where a form was sent from.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": f"camera=(), geolocation={position}, microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers

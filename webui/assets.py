"""Our static files and the installed libraries: their addresses, and how they are served."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, abort, request
from werkzeug.security import safe_join

from webui.errors import AssetError
from webui.policy import public

STATIC = Path(__file__).parent / "static"

assets = Blueprint("assets", __name__)
"""Serves /static/…; register it on an app that was made with `static_folder=None`."""

_SMALLEST_GZIPPED = 1024


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    gzipped: bytes | None
    digest: str
    mimetype: str


def asset_url(name: str) -> str:
    """The address of a file below webui/static, with its content's hash: it may be cached for ever.

    Raises:
        AssetError: there is no such file.
    """
    asset = _find(name)
    if asset is None:
        raise AssetError(f"static file {name!r} is missing; install the package again to fetch the map's libraries")
    return f"/static/{name}?v={asset.digest}"


@assets.get("/static/<path:name>")
@public
def serve(name: str) -> Response:
    """A static file, gzipped where the browser takes it; unchanging under the address that `asset_url` gives."""
    asset = _find(name)
    if asset is None:
        abort(404)
    packed = asset.gzipped if request.accept_encodings.quality("gzip") > 0 else None
    response = Response(packed or asset.content, mimetype=asset.mimetype)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    if request.args.get("v") == asset.digest:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    response.set_etag(f"{asset.digest}-gzip" if packed else asset.digest)
    response.make_conditional(request)
    return response


def _find(name: str) -> _Asset | None:
    path = safe_join(str(STATIC), name)
    if path is None or "\0" in path or not Path(path).is_file():
        return None
    return _load(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _load(path: str, mtime_ns: int) -> _Asset:
    content = Path(path).read_bytes()
    mimetype = mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = mimetype.startswith("text/") or mimetype in ("application/json", "image/svg+xml")
    gzipped = gzip.compress(content, 9, mtime=0) if is_text and len(content) >= _SMALLEST_GZIPPED else None
    return _Asset(content, gzipped, hashlib.sha256(content).hexdigest()[:12], mimetype)

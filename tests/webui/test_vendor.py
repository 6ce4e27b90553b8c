"""The build hook: what an install puts into webui/static/vendor."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from webui.build_hook import FILES, TEST_FILES, vendor

CHECKOUT = Path(__file__).parents[2]


class FakeNpm:
    """Stands for `npm ci`: writes a node_modules with every file the table asks for."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, folder: Path) -> None:
        self.runs += 1
        assert {path.name for path in folder.iterdir()} == {"package.json", "package-lock.json", ".npmrc"}
        for source in (*FILES.values(), *TEST_FILES.values()):
            (folder / "node_modules" / source).parent.mkdir(parents=True, exist_ok=True)
            (folder / "node_modules" / source).write_text(f"content of {source}")
        (folder / "node_modules" / "leaflet" / "LICENSE").write_text("BSD")
        (folder / "node_modules" / "axe-core" / "LICENSE").write_text("MPL")
        (folder / "node_modules" / "leaflet" / "unused.js").write_text("not copied")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def test_only_the_files_in_use_are_copied_with_licences_and_a_manifest(checkout: Path) -> None:
    assert vendor(checkout, FakeNpm())
    out = checkout / "webui" / "static" / "vendor"
    copied = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert copied == {*FILES, "licences/leaflet.txt", "manifest.json"}
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["files"]) == set(FILES)
    assert manifest["packages"]["leaflet"] == "1.9.4, BSD-2-Clause"


def test_what_only_tests_load_is_beside_them_and_ships_to_nobody(checkout: Path) -> None:
    vendor(checkout, FakeNpm())
    assert all((checkout / "tests" / "vendor" / name).is_file() for name in TEST_FILES)
    shipped = checkout / "webui" / "static" / "vendor"
    assert not [path for path in shipped.rglob("*") if "axe" in path.name]
    assert "axe-core" not in json.loads((shipped / "manifest.json").read_text())["packages"]


def test_the_checkout_is_left_without_node_modules(checkout: Path) -> None:
    vendor(checkout, FakeNpm())
    left = {"package.json", "package-lock.json", ".npmrc", "webui", "tests"}
    assert {path.name for path in checkout.iterdir()} == left


def test_a_second_install_fetches_nothing(checkout: Path) -> None:
    npm = FakeNpm()
    assert vendor(checkout, npm)
    assert not vendor(checkout, npm)
    assert npm.runs == 1


@pytest.mark.parametrize("damage", ["missing", "changed", "no manifest", "other lock file", "none for tests"])
def test_damaged_or_outdated_files_are_fetched_again(checkout: Path, damage: str) -> None:
    npm = FakeNpm()
    vendor(checkout, npm)
    out = checkout / "webui" / "static" / "vendor"
    match damage:
        case "missing":
            (out / "leaflet" / "leaflet.css").unlink()
        case "changed":
            (out / "leaflet" / "leaflet.js").write_text("tampered")
        case "none for tests":
            shutil.rmtree(checkout / "tests")
        case "no manifest":
            (out / "manifest.json").write_text("{")
        case "other lock file":
            lock = checkout / "package-lock.json"
            lock.write_text(lock.read_text() + "\n")
    assert vendor(checkout, npm)
    assert (out / "leaflet" / "leaflet.js").read_text() == "content of leaflet/dist/leaflet.js"


def test_when_npm_fails_the_old_files_stay(checkout: Path) -> None:
    vendor(checkout, FakeNpm())
    lock = checkout / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")

    def offline(folder: Path) -> None:
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        vendor(checkout, offline)
    assert (checkout / "webui" / "static" / "vendor" / "leaflet" / "leaflet.js").is_file()


def test_the_lock_file_pins_every_package_by_hash_and_names_no_server() -> None:
    text = (CHECKOUT / "package-lock.json").read_text()
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    fetched_from = [{**entry, "funding": ""} for entry in packages.values()]
    assert "http" not in json.dumps(fetched_from)

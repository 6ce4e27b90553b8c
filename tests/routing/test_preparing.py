"""Machine code is made before anybody waits for it, and kept where it can be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from street_maps import at, write_osm

from routing import native, preparing
from routing.extract import read_graph
from routing.native import kept_in, sources
from routing.preparing import Loops
from routing.streets import StreetNetwork

compiled_only = pytest.mark.skipif(not native.COMPILED, reason="needs numba")


# ------------------------------------------------------------------------------------------------ where it is kept


def test_machine_code_is_kept_where_the_environment_says(tmp_path: Path) -> None:
    named = tmp_path / "named"
    kept = kept_in({"NUMBA_CACHE_DIR": str(named)}, tmp_path / "installed")
    assert kept == named / sources()
    assert kept_in({"NUMBA_CACHE_DIR": str(kept)}, tmp_path / "installed") == kept, "in a process that this one starts"


def test_machine_code_is_kept_beside_the_program_where_that_can_be_written(tmp_path: Path) -> None:
    assert kept_in({"HOME": str(tmp_path)}, tmp_path / "installed") == tmp_path / "installed" / sources()


def unwritable(folder: Path) -> Path:
    """A folder that cannot be made: by root neither."""
    folder.parent.mkdir(parents=True)
    folder.parent.joinpath("file").write_text("")
    return folder.parent / "file" / folder.name


def test_where_nothing_beside_the_program_can_be_written_it_is_kept_in_the_users_cache(tmp_path: Path) -> None:
    installed = unwritable(tmp_path / "program" / "loops")
    assert kept_in({"HOME": str(tmp_path)}, installed) == tmp_path / ".cache" / "fieldvisit" / "loops" / sources()
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "own")}
    assert kept_in(own, installed) == tmp_path / "own" / "fieldvisit" / "loops" / sources()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    nowhere = unwritable(tmp_path / "program" / "loops")
    assert kept_in({"NUMBA_CACHE_DIR": str(nowhere), "XDG_CACHE_HOME": str(nowhere)}, nowhere) is None


def test_what_an_installation_has_compiled_is_taken_along_to_where_more_can_be_added(tmp_path: Path) -> None:
    installed, named = tmp_path / "installed", tmp_path / "named"
    (installed / sources() / "streets").mkdir(parents=True)
    (installed / sources() / "compiled").write_text("stamp")
    for name in ("table.1.nbc", "table.nbi"):
        (installed / sources() / "streets" / name).write_text(name)
    kept = kept_in({"NUMBA_CACHE_DIR": str(named)}, installed)
    assert kept == named / sources()
    found = {str(file.relative_to(kept)): file.read_text() for file in kept.rglob("*") if file.is_file()}
    assert found == {"compiled": "stamp", "streets/table.1.nbc": "table.1.nbc", "streets/table.nbi": "table.nbi"}


def test_what_has_been_compiled_since_the_installation_is_not_written_over(tmp_path: Path) -> None:
    installed, named = tmp_path / "installed", tmp_path / "named"
    for folder, text in ((installed / sources(), "old"), (named / sources(), "new")):
        folder.mkdir(parents=True)
        (folder / "table.nbi").write_text(text)
    os.utime(installed / sources() / "table.nbi", (1, 1))
    kept_in({"NUMBA_CACHE_DIR": str(named)}, installed)
    assert (named / sources() / "table.nbi").read_text() == "new"


# ------------------------------------------------------------------------------------------------ what is compiled


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for machine code, as those who ask about it see; loops themselves stay where they are."""
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    return tmp_path


@compiled_only
def test_loops_are_compiled_once_and_anew_when_their_source_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    monkeypatch.setattr(preparing, "use_everything", lambda: used.append("once"))
    assert preparing.loops() is Loops.MISSING
    assert preparing.prepare()
    assert preparing.loops() is Loops.KEPT
    assert not preparing.prepare()
    (folder / "compiled").write_text("of another version")
    assert preparing.loops() is Loops.MISSING
    assert preparing.prepare()
    assert used == ["once"] * 2


def test_without_a_compiler_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "COMPILED", False)
    assert preparing.loops() is Loops.PLAIN
    assert not preparing.prepare()
    assert not preparing.make_ready()


@compiled_only
def test_where_machine_code_cannot_be_kept_a_process_compiles_for_itself_once(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    monkeypatch.setattr(native, "FOLDER", None)
    monkeypatch.setattr(preparing, "_done_here", False)
    monkeypatch.setattr(preparing, "use_everything", lambda: used.append("once"))
    assert preparing.loops() is Loops.HOMELESS
    assert [preparing.make_ready(), preparing.make_ready()] == [True, False]
    assert used == ["once"]


@compiled_only
def test_preparing_compiles_every_loop_for_the_types_it_is_called_with_in_earnest(tmp_path: Path) -> None:
    preparing.use_everything()
    ours = [loop for loop in native.LOOPS if loop.py_func.__module__.startswith("routing.")]  # tests have loops too
    known = {loop: list(loop.signatures) for loop in ours}
    # One that only others call is loaded as a part of them.
    unused = [loop for loop, signatures in known.items() if not signatures]
    assert [
        loop.__name__ for loop in unused if not list(Path(loop.stats.cache_path).glob(f"*.{loop.__name__}-*"))
    ] == []
    corners = {"a": (0, 0), "b": (800, 0), "c": (800, 800), "d": (0, 800), "e": (400, 400)}
    ways = [("abcda", {"highway": "residential"}), ("aec", {"highway": "service", "access": "private"})]
    StreetNetwork.compile(read_graph(write_osm(tmp_path / "town.osm", corners, ways))).save(tmp_path)
    network = StreetNetwork.load(tmp_path)
    places = [at(east, north) for east, north in corners.values()]
    network.travel_times(places)
    network.fan(places).times(places[1])
    network.leg(places[0], places[2])
    network.spread(places[4])
    assert {loop: list(loop.signatures) for loop in ours} == known

"""Fixtures of the cast in cast.py, and of stores on every database that we support."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cast import Town, door, rep
from field_cast import Field, Fields
from handoff_cast import Desk, staff
from people_cast import Office
from postgres import Postgres
from replanning_cast import Phone, plan_a_tuesday
from slots_cast import SlotTown, slot_town

from planner.storage import SqlStore, open_store


@pytest.fixture
def empty_town() -> Town:
    return Town()


@pytest.fixture
def town() -> Town:
    """The town with Anna in it, who starts from the office."""
    town = Town()
    town.add(rep(), door())
    return town


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; each test takes a new database of it."""
    server = Postgres()
    open_store(server.new()).close()  # test_1, which the others are copied from
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it, not even tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fieldvisit.sqlite"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with our tables and no rows."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/fieldvisit.sqlite"
        open_store(url).close()
        return url
    server: Postgres = request.getfixturevalue("postgres")
    return server.new(template="test_1")


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables, to be copied: making them takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "fieldvisit.sqlite"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def office(empty_database: Path, tmp_path: Path) -> Iterator[Office]:
    """The office before anybody has come."""
    file = tmp_path / "fieldvisit.sqlite"
    shutil.copy(empty_database, file)
    store = open_store(f"sqlite:///{file}")
    yield Office(store)
    store.close()


@pytest.fixture
def any_office(store: SqlStore) -> Office:
    """The same on each database that we support."""
    return Office(store)


@pytest.fixture(scope="session")
def planned_tuesday(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with Anna's planned Tuesday, to be copied: planning takes longer than most tests."""
    file = tmp_path_factory.mktemp("tuesday") / "fieldvisit.sqlite"
    town = slot_town(file, copy_of=empty_database)
    plan_a_tuesday(town)
    town.store.close()
    return file


@pytest.fixture
def phone(planned_tuesday: Path, tmp_path: Path) -> Iterator[Phone]:
    """Anna's phone on a Tuesday as planned: bakery 9:20, dairy 10:15, cafe 11:00."""
    town = slot_town(tmp_path / "fieldvisit.sqlite", copy_of=planned_tuesday)
    yield Phone(town)
    town.store.close()


@pytest.fixture
def slots(empty_database: Path, tmp_path: Path) -> Iterator[SlotTown]:
    """The town of bookings with Anna in it, who starts from the office; nothing is planned yet."""
    town = slot_town(tmp_path / "fieldvisit.sqlite", copy_of=empty_database)
    town.add((rep(), door()))
    yield town
    town.store.close()


@pytest.fixture(scope="module")
def fields(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fields]:
    fields = Fields(tmp_path_factory.mktemp("field"), empty_database)
    yield fields
    fields.close()


@pytest.fixture
def field(fields: Fields) -> Field:
    """The field on Tuesday at six, when its phones have said nothing yet."""
    return fields.anew()


@pytest.fixture(scope="session")
def staffed_database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the cast of handoffs."""
    file = tmp_path_factory.mktemp("staffed") / "fieldvisit.sqlite"
    shutil.copy(empty_database, file)
    store = open_store(f"sqlite:///{file}")
    staff(store)
    store.close()
    return file


@pytest.fixture
def desk(staffed_database: Path, tmp_path: Path) -> Iterator[Desk]:
    """Where Iris and the others hand off the mill, which is a draft so far."""
    file = tmp_path / "fieldvisit.sqlite"
    shutil.copy(staffed_database, file)
    store = open_store(f"sqlite:///{file}")
    yield Desk(store)
    store.close()

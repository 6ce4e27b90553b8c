"""Adding, changing and removing territories; each change is of the revision that its writer saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError
from planner.repository import UnitOfWork
from planner.territories.domain import Territory, TerritorySource
from planner.territories.importing import MOST_OUTLINES, Outline, clean_name, free_name
from routing.boundaries import Boundary
from routing.shapes import as_geojson


class TerritoryChangedError(ConflictError):
    """Somebody else has changed the territory since the writer saw it; `present` is what it is now."""

    def __init__(self, present: Territory) -> None:
        super().__init__(f"somebody else has changed the territory “{present.name}” meanwhile")
        self.present = present


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding outlines."""

    added: tuple[Territory, ...] = ()
    changed: tuple[Territory, ...] = ()
    notes: tuple[str, ...] = ()


def territories_in(unit: UnitOfWork, area: str) -> list[Territory]:
    """Those that are seen, by name."""
    return sorted(unit.territories.find(area=area), key=lambda each: (each.name.casefold(), each.id))


def territory_in(unit: UnitOfWork, area: str, territory_id: str) -> Territory:
    """Raises NotFoundError where there is none, or none that is seen."""
    found = unit.territories.get(area, territory_id)
    if found is None:
        raise NotFoundError(f"there is no territory {territory_id}")
    return found


def add_outlines(
    unit: UnitOfWork,
    area: str,
    outlines: Sequence[Outline],
    source: TerritorySource,
    new_id: Callable[[], str],
    *,
    rep_id: str = "",
    replacing: bool = False,
) -> Added:
    """Make a territory of each outline.

    One whose name is taken gets a number behind it; or, when `replacing`, the territory of that name gets its shape
    and keeps its rep.

    Raises:
        InvalidRecordError: there is no such rep.
        RefusedError: there would be too many.
    """
    _check_rep(unit, area, rep_id)
    present = {each.name.casefold(): each for each in territories_in(unit, area)}
    added: list[Territory] = []
    changed: list[Territory] = []
    notes: list[str] = []
    taken = set(present)
    for outline in outlines:
        old = present.get(outline.name.casefold()) if replacing else None
        if old is not None:
            if old.geometry != outline.geometry:
                changed.append(replace(old, revision=old.revision + 1, source=source, geometry=outline.geometry))
            continue
        name = free_name(outline.name, taken)
        if name != outline.name:
            notes.append(f"There is a “{outline.name}” already: the new one is called “{name}”.")
        taken.add(name.casefold())
        added.append(Territory(area, new_id(), 1, name, rep_id, source, outline.geometry))
    if len(present) + len(added) > MOST_OUTLINES:
        raise RefusedError(f"an area has at most {MOST_OUTLINES} territories: there are {len(present)} already")
    for territory in (*added, *changed):
        unit.territories.put(territory)
    if added or changed:
        subject = added[0].id if len(added) == 1 and not changed else ""
        unit.audit("territories.added", subject, area, source=source, added=len(added), changed=len(changed))
    return Added(tuple(added), tuple(changed), tuple(notes))


def outlines_of(boundaries: Sequence[Boundary]) -> list[Outline]:
    return [Outline(clean_name(each.name), as_geojson(each.geometry)) for each in boundaries]


def change_territory(
    unit: UnitOfWork,
    area: str,
    territory_id: str,
    revision: int,
    *,
    name: str | None = None,
    rep_id: str | None = None,
    geometry: Mapping[str, Any] | None = None,
) -> Territory:
    """Give a territory another name, rep or shape; None leaves each as it is. Changing nothing writes nothing.

    Raises:
        NotFoundError: there is none that is seen.
        InvalidRecordError: the name is empty or taken, or there is no such rep.
        TerritoryChangedError: it is at another revision, and not what is wanted already.
    """
    present = territory_in(unit, area, territory_id)
    wanted = replace(
        present,
        name=present.name if name is None else _name(unit, area, name, territory_id),
        rep_id=present.rep_id if rep_id is None else rep_id,
        geometry=present.geometry if geometry is None else geometry,
    )
    if wanted == present:
        return present
    if revision != present.revision:
        raise TerritoryChangedError(present)
    if wanted.rep_id != present.rep_id:
        _check_rep(unit, area, wanted.rep_id)
    if geometry is not None:
        wanted = replace(wanted, source=TerritorySource.DRAWN)
    wanted = replace(wanted, revision=revision + 1)
    unit.territories.put(wanted)
    before = {field: getattr(present, field) for field in ("name", "rep_id")}
    details = {"name": wanted.name, "rep_id": wanted.rep_id, "before": before, "redrawn": geometry is not None}
    unit.audit("territory.changed", territory_id, area, **details)
    return wanted


def remove_territory(unit: UnitOfWork, area: str, territory_id: str, revision: int) -> None:
    """Remove a territory; the customers in it stay whose they are.

    Raises:
        NotFoundError: there is none that is seen.
        TerritoryChangedError: it is at another revision.
    """
    present = territory_in(unit, area, territory_id)
    if present.revision != revision:
        raise TerritoryChangedError(present)
    unit.territories.remove(area, territory_id)
    unit.audit("territory.removed", territory_id, area, name=present.name, rep_id=present.rep_id)


def _name(unit: UnitOfWork, area: str, typed: str, territory_id: str) -> str:
    name = clean_name(typed)
    if not name:
        raise InvalidRecordError("name", "is empty")
    others = (each for each in territories_in(unit, area) if each.id != territory_id)
    if any(other.name.casefold() == name.casefold() for other in others):
        raise InvalidRecordError("name", f"there is a territory “{name}” already")
    return name


def _check_rep(unit: UnitOfWork, area: str, rep_id: str) -> None:
    if rep_id and all(rep.id != rep_id for rep in unit.records(area).reps()):
        raise InvalidRecordError("rep_id", f"there is no rep {rep_id}")

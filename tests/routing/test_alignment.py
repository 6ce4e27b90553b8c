"""Which centre visits which sites: rules that hold for any, and small cases that everybody can judge."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street_maps import at

from routing.alignment import Alignment, AlignmentLimits, Centre, Prices, Site, align
from routing.alignment.adjacency import neighbours
from routing.alignment.aggregation import units_of
from routing.alignment.domain import NOBODY, AlignmentProblem
from routing.alignment.exchanging import exchanged, voronoi
from routing.alignment.preparing import Prepared, prepare
from routing.alignment.searching import search
from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.solver.alignment_model import bound_alignment
from routing.travel_times import Fan, GreatCircleTravelTimes, LegPath, PlainFan, TravelTimes
from routing.workload import Base

PLAIN = GreatCircleTravelTimes(kmh=36, detour=1)
WORK = AlignmentLimits(work=4)
SERVICE_S = 1_800
HOURS = 60.0


@dataclass(frozen=True)
class River:
    """Plain ways, but none across the meridian through the middle of the map."""

    def travel_times(self, places: Sequence[LatLon]) -> TravelTimes:
        times = PLAIN.travel_times(places)
        east = np.array([place.lon > at(0, 0).lon for place in places])
        across = east[:, None] != east
        return TravelTimes(*(np.where(across, np.int32(UNREACHABLE), v) for v in (times.seconds, times.metres)))

    def fan(self, places: Sequence[LatLon]) -> Fan:
        return PlainFan(self, tuple(places))

    def leg(self, origin: LatLon, destination: LatLon) -> LegPath:
        return PLAIN.leg(origin, destination)


def centre(name: str, east: float, north: float = 0.0, there: float = 20 * HOURS) -> Centre:
    home = at(east, north)
    return Centre(name, Base(home, home, 8 * 3600), there)


def row(*owners: str, step: float = 500.0) -> list[Site]:
    """Sites on a road from west to east through the middle of the map, a letter for each."""
    first = -step * (len(owners) - 1) / 2
    return [Site(chr(ord("a") + k), at(first + step * k, 0), 2.0, SERVICE_S, owner) for k, owner in enumerate(owners)]


WEST, EAST = centre("west", -2_000), centre("east", 2_000)
FREE = Prices(move=0, unevenness=1)
LAZY = Prices(move=20, unevenness=0.05)


def owners(found: Alignment) -> str:
    """The first letters of the owners, in the order of the sites' ids."""
    return "".join(found.owner[id_][0] for id_ in sorted(found.owner))


def test_sites_go_to_the_nearer_centre_and_both_have_as_much_to_do() -> None:
    found = align(row(*[""] * 8), [WEST, EAST], PLAIN, WORK, FREE)
    assert owners(found) == "wwwweeee"
    assert found.spread == pytest.approx(1, abs=0.01)
    assert found.gap < 0.01
    assert (found.moved, found.apart, found.unreached) == ((), (), ())


def test_who_works_half_the_hours_gets_half_the_work() -> None:
    half = replace(EAST, there=WEST.there / 2)
    found = align(row(*[""] * 9), [WEST, half], PLAIN, WORK, FREE)
    assert owners(found) == "wwwwwweee"


def test_a_site_changes_hands_only_where_that_is_worth_its_price() -> None:
    sites = row(*["west"] * 7, "east")
    assert owners(align(sites, [WEST, EAST], PLAIN, WORK, Prices(move=0))) == "wwwweeee"
    stays = align(sites, [WEST, EAST], PLAIN, WORK, Prices(move=10_000))
    assert (owners(stays), stays.moved) == ("wwwwwwwe", ())


def test_what_is_out_of_the_way_moves_although_it_costs_since_territories_are_in_one_piece() -> None:
    found = align(row("west", "west", "east", "west", "west", "east", "east", "east"), [WEST, EAST], PLAIN, WORK, LAZY)
    assert owners(found) == "wwwwweee"
    assert found.moved == ("c",)
    assert found.apart == ()


def test_what_lies_among_anothers_may_stay_but_what_a_centre_gets_touches_what_it_has() -> None:
    may_stay = Prices(move=20, unevenness=0.05, one_piece=False)
    mixed = row("west", "west", "east", "west", "west", "east", "east", "east")
    found = align(mixed, [WEST, EAST], PLAIN, WORK, may_stay)
    assert (owners(found), found.moved, found.apart) == ("wwewweee", (), ())
    uneven = align(row(*["west"] * 7, "east"), [WEST, EAST], PLAIN, WORK, replace(may_stay, move=0, unevenness=1))
    assert (owners(uneven), uneven.apart) == ("wwwweeee", ())


def test_what_is_off_by_less_than_the_band_moves_nothing() -> None:
    sites = row(*["west"] * 5, *["east"] * 4)
    sites = [*sites[:4], replace(sites[4], place=at(0, 0)), *sites[5:]]
    banded = align(sites, [WEST, EAST], PLAIN, WORK, Prices(move=5, unevenness=10, band=0.3))
    assert banded.moved == ()


def test_a_pinned_site_stays_where_it_is_pinned_and_is_told_to_lie_apart() -> None:
    sites = row(*[""] * 8)
    sites[6] = replace(sites[6], pinned="west")
    found = align(sites, [WEST, EAST], PLAIN, WORK, FREE)
    assert found.owner["g"] == "west"
    assert found.apart == ("g",)
    sites[6] = replace(sites[6], pinned="")
    sites[3] = replace(sites[3], pinned="west")
    assert align(sites, [WEST, EAST], PLAIN, WORK, FREE).apart == ()


def test_pins_that_shut_a_centre_in_leave_the_rest_in_one_piece() -> None:
    sites = [replace(site, pinned="west") if site.id in "bdf" else site for site in row(*[""] * 8)]
    found = align(sites, [WEST, EAST], PLAIN, WORK, FREE)
    assert all(found.owner[id_] == "west" for id_ in "bdf")
    assert set(found.apart) <= set("bdf")


def test_the_sites_of_a_centre_that_is_gone_go_to_others_and_are_counted_as_moved() -> None:
    found = align(row(*["west"] * 3, *["gone"] * 2, *["east"] * 3), [WEST, EAST], PLAIN, WORK)
    assert set(found.owner.values()) == {"west", "east"}
    assert found.moved == ("d", "e")


def test_a_new_centre_gets_what_is_around_it() -> None:
    found = align(row(*["west"] * 4, *["east"] * 5), [WEST, centre("new", 0), EAST], PLAIN, WORK, Prices(move=1))
    assert owners(found) == "wwwnnneee"
    assert found.spread < 1.05


def test_a_site_that_no_centre_can_get_to_is_told_and_is_nobodys() -> None:
    found = align(row(*[""] * 4), [WEST], River(), WORK)
    assert (owners(found), found.unreached) == ("ww", ("c", "d"))


def test_nobody_is_sent_across_a_river_without_a_bridge() -> None:
    found = align(row(*[""] * 8), [replace(WEST, there=HOURS), EAST], River(), WORK)
    assert owners(found) == "wwwweeee"


def test_all_at_one_door_go_together_or_not_but_each_has_one_owner() -> None:
    sites = [Site(str(k), at(0, 0), 2.0, SERVICE_S) for k in range(6)]
    found = align(sites, [WEST, EAST], PLAIN, WORK)
    assert sorted(found.owner) == sorted(site.id for site in sites)


def test_no_sites_and_only_pinned_sites_are_no_trouble() -> None:
    assert align([], [WEST], PLAIN, WORK).owner == {}
    found = align([replace(site, pinned="west") for site in row("", "")], [WEST, EAST], PLAIN, WORK)
    assert owners(found) == "ww"
    assert found.spread == pytest.approx(2)


@pytest.mark.parametrize(
    ("sites", "centres", "message"),
    [
        (row(""), [], "no centre"),
        (row(""), [WEST, WEST], "centre occurs twice"),
        ([*row(""), *row("")], [WEST], "site occurs twice"),
        ([replace(row("")[0], pinned="gone")], [WEST], "pinned to gone"),
    ],
)
def test_what_contradicts_itself_is_refused(sites: list[Site], centres: list[Centre], message: str) -> None:
    with pytest.raises(RoutingError, match=message):
        align(sites, centres, PLAIN, WORK)


def test_a_search_has_seconds_or_work() -> None:
    for wrong in ({}, {"seconds": 1.0, "work": 1}, {"seconds": 0.0}, {"work": 0}):
        with pytest.raises(RoutingError):
            AlignmentLimits(**wrong)  # type: ignore[arg-type]


METRES = st.tuples(st.integers(-4_000, 4_000), st.integers(-4_000, 4_000))
NAMES = ("north", "middle", "south")


@st.composite
def cases(draw: st.DrawFn, most: int = 24) -> tuple[list[Site], list[Centre], Prices]:
    names = NAMES[: draw(st.integers(1, 3))]
    centres = [centre(name, *draw(METRES), there=draw(st.sampled_from([500.0, 1_000.0]))) for name in names]
    current = st.sampled_from([*names, "", "gone"])
    pinned = st.sampled_from([*[""] * 9, *names])
    drawn = draw(st.lists(st.tuples(METRES, st.sampled_from([0.36, 1.09, 2.17]), current, pinned), max_size=most))
    sites = [Site(str(k), at(*metres), times, SERVICE_S, now, pin) for k, (metres, times, now, pin) in enumerate(drawn)]
    return sites, centres, Prices(draw(st.sampled_from([0.0, 5.0, 40.0])), draw(st.sampled_from([0.2, 1.0])))


def piece_of(prepared: Prepared, owner: dict[int, int], root: int) -> set[int]:
    """Units that a chain of neighbours with one owner joins to a root; plain steps from one to the next."""
    touching: dict[int, set[int]] = defaultdict(set)
    for a, b in prepared.problem.neighbours.tolist():
        touching[a].add(b)
        touching[b].add(a)
    reached, left = {root}, [root]
    while left:
        for unit in touching[left.pop()] - reached:
            if owner[unit] == owner[root]:
                reached.add(unit)
                left.append(unit)
    return reached


@settings(deadline=None, max_examples=40)
@given(cases())
def test_everyone_has_one_owner_pins_hold_and_territories_are_in_one_piece(
    case: tuple[list[Site], list[Centre], Prices],
) -> None:
    sites, centres, prices = case
    found = align(sites, centres, PLAIN, AlignmentLimits(work=2), prices)
    number = {c.id: k for k, c in enumerate(centres)}
    assert set(found.owner) == {site.id for site in sites}
    assert set(found.owner.values()) <= set(number)
    assert all(found.owner[site.id] == site.pinned for site in sites if site.pinned)
    assert set(found.apart) <= {site.id for site in sites if site.pinned}
    assert found.moved == tuple(s.id for s in sites if s.current not in ("", found.owner[s.id]))
    prepared = prepare(sites, centres, PLAIN, prices, 30 * len(centres))
    owner = {u: number[found.owner[sites[int(unit[0])].id]] for u, unit in enumerate(prepared.units)}
    for k, root in enumerate(prepared.problem.roots.tolist()):
        mine = {unit for unit, which in owner.items() if which == k}
        assert not mine or mine == piece_of(prepared, owner, root)
    assert found.bound <= found.cost * (1 + 1e-9)
    assert found.cost == pytest.approx(prepared.problem.cost(np.array(list(owner.values()), dtype=np.intp)))


@settings(deadline=None, max_examples=15)
@given(cases(8))
def test_a_small_alignment_is_the_best_there_is_and_no_bound_is_above_it(
    case: tuple[list[Site], list[Centre], Prices],
) -> None:
    problem = prepare(case[0], case[1], PLAIN, case[2], 8).problem
    best = min(map(problem.cost, every_alignment(problem)), default=problem.fixed_price)
    owner, bound = search(problem, AlignmentLimits(work=6), time.monotonic())
    if len(owner):
        assert problem.cost(owner) == pytest.approx(best, rel=2e-4, abs=1e-3)
        assert bound_alignment(problem, np.isfinite(problem.levels), None) <= best * (1 + 1e-6) + 1e-6
    assert bound <= best * (1 + 1e-6) + 1e-6


def every_alignment(problem: AlignmentProblem) -> list[np.ndarray]:
    """All owners under which each unit but a root has a neighbour of the same centre that is nearer to the root."""
    n, m = problem.levels.shape

    def in_one_piece(owner: tuple[int, ...]) -> bool:
        def held(u: int) -> bool:
            c = owner[u]
            beside = [b if a == u else a for a, b in problem.neighbours.tolist() if u in (a, b)]
            nearer = [v for v in beside if owner[v] == c and problem.levels[v, c] < problem.levels[u, c]]
            return problem.roots[c] == u or (problem.roots[c] != NOBODY and bool(nearer))

        return all(map(held, range(n)))

    return [np.array(owner, dtype=np.intp) for owner in itertools.product(range(m), repeat=n) if in_one_piece(owner)]


def test_equal_input_and_work_give_an_equal_alignment() -> None:
    rng = np.random.default_rng(5)
    sites = [Site(str(k), at(*rng.uniform(-3_000, 3_000, 2)), 1.0, SERVICE_S, NAMES[k % 3]) for k in range(24)]
    centres = [centre(name, *rng.uniform(-2_000, 2_000, 2)) for name in NAMES]
    first, second = (align(sites, centres, PLAIN, AlignmentLimits(work=1)) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


def test_exchanges_never_make_it_worse_and_never_break_a_territory() -> None:
    rng = np.random.default_rng(7)
    sites = [Site(str(k), at(*rng.uniform(-3_000, 3_000, 2)), 1.0, SERVICE_S) for k in range(80)]
    prepared = prepare(sites, [centre(name, *rng.uniform(-2_000, 2_000, 2)) for name in NAMES], PLAIN, Prices(), 80)
    problem = prepared.problem
    first = voronoi(problem)
    then = exchanged(problem, first, 20_000, seed=1)
    assert problem.cost(then) < problem.cost(first)
    owner = dict(enumerate(then.tolist()))
    assert sum(len(piece_of(prepared, owner, root)) for root in problem.roots.tolist()) == 80


@settings(deadline=None, max_examples=30)
@given(st.lists(METRES, min_size=1, max_size=30))
def test_neighbours_join_all_places_and_nothing_lies_between_them(metres: list[tuple[int, int]]) -> None:
    places = [at(*each) for each in metres]
    pairs, apart = neighbours(places, PLAIN.travel_times(places).seconds)
    joined = {0}
    for _ in places:
        joined |= {b for a, b in [*pairs.tolist(), *pairs[:, ::-1].tolist()] if a in joined}
    assert joined == set(range(len(places)))
    assert np.all(apart >= 1)
    assert all(a < b for a, b in pairs.tolist())


def test_two_banks_touch_at_no_place_where_no_way_leads_across() -> None:
    places = [at(x, y) for x in (-900, -100, 100, 900) for y in (-500, 0, 500)]
    pairs, _ = neighbours(places, River().travel_times(places).seconds)
    assert len(pairs) >= 10
    assert not any((places[a].lon > at(0, 0).lon) != (places[b].lon > at(0, 0).lon) for a, b in pairs.tolist())


@settings(deadline=None, max_examples=40)
@given(st.lists(METRES, max_size=40), st.integers(1, 20))
def test_units_hold_every_place_once_and_places_at_one_spot_together(metres: list[tuple[int, int]], most: int) -> None:
    places = np.array(metres, dtype=np.float64).reshape(-1, 2)
    units = units_of(places, most)
    assert sorted(itertools.chain.from_iterable(unit.tolist() for unit in units)) == list(range(len(places)))
    assert len(units) <= most
    unit_of = {int(k): u for u, unit in enumerate(units) for k in unit}
    for a, b in itertools.combinations(range(len(places)), 2):
        assert metres[a] != metres[b] or unit_of[a] == unit_of[b]

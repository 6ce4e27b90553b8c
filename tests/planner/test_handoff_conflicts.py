"""Who is there already: found whatever the name looks like, told on a card, and decided by the team's rule."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest
from cast import account, door, opportunity
from handoff_cast import AREA, INES, IRIS, SCOPES, Desk, actor, by, mill
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain import Address, Opportunity, RecordKind
from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError
from planner.handoffs.alike import joined_name, name_percents, person_words, sorted_name
from planner.handoffs.conflicts import (
    MOST_MATCHES,
    MOST_NEIGHBOURS,
    Conflicts,
    Directory,
    Sureness,
    find_alike,
    find_conflicts,
)
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.handing import HandOff, LooksKnownError, hand_off
from planner.handoffs.moving import HandoffMovedError
from planner.handoffs.transitions import Action
from planner.repository import Listing
from planner.settings import HandoffSettings
from routing.geo import LatLon

OVEN = Address("1 Oven Lane")
HERE = door(3, 3)
"""Where the bakery is; 0.001 degrees are 111 m to the north."""
NEAR, FAR = LatLon(HERE.lat + 0.0005, HERE.lon), LatLon(HERE.lat + 0.02, HERE.lon)


def baker(**changes: Any) -> Opportunity:
    """Somebody who may be the bakery."""
    usual = {"name": "Bakery", "address": OVEN, "inside_rep": IRIS, "contact_name": "Bea Baker",
             "contact_email": "bea@bakery.example"}  # fmt: skip
    return opportunity("new", **(usual | changes))


def found(desk: Desk, deal: Opportunity, place: LatLon | None = None, **rules: Any) -> Conflicts:
    settings = replace(desk.settings, handoffs=HandoffSettings(**rules))
    return find_conflicts(desk.store, desk.directories, AREA, deal, settings, place)


# ---- names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Bakery Ltd", "bakery"),
        ("BAKERY LIMITED", "Bakery Ltd."),
        ("Bäckerei Müller GmbH & Co. KG", "Backerei Muller"),
        ("Oy Kahvila Ab", "Kahvila Oyj"),
        ("Pasta S.p.A.", "Pasta SpA"),
        ("Smith & Sons", "Smith and Sons plc"),
        ("McDonald's", "McDonalds"),
        ("Łódź Sp. z o.o.", "Lodz sp z oo"),
        ("Strauß AG", "STRAUSS"),
        ("Sons Smith", "Smith Sons"),
    ],
)
def test_capitals_accents_order_and_legal_forms_make_no_other_name(one: str, other: str) -> None:
    assert name_percents(one, [sorted_name(other)], [joined_name(other)], 85)[0] >= 90


def test_names_that_are_written_together_or_mistyped_are_alike_and_others_are_not() -> None:
    def percent(one: str, other: str) -> int:
        return int(name_percents(one, [sorted_name(other)], [joined_name(other)], 85)[0])

    assert percent("Northwind Traders", "North Wind Traders") == 100
    assert 85 <= percent("Northwind Tradres", "Northwind Traders") < 100
    for other in ("Southwind Hotels", "Northern Trading Post", "N"):
        assert percent("Northwind Traders", other) == 0


def test_a_name_of_nothing_but_a_legal_form_is_a_name_and_no_name_is_like_nothing() -> None:
    assert name_percents("AG", [sorted_name("Ag")], [joined_name("Ag")], 85)[0] == 100
    assert name_percents("!!!", [sorted_name("???")], [joined_name("???")], 85)[0] == 0
    assert name_percents("Bakery", [], [], 85).size == 0


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_it_and_it_does_not_matter_which_was_first(one: str, other: str) -> None:
    percents = [
        name_percents(ours, [sorted_name(theirs)], [joined_name(theirs)], 1)[0]
        for ours, theirs in ((one, other), (other, one))
    ]
    assert percents[0] == percents[1]
    assert person_words(one) == person_words(f" {one} ")


# ---- what is a match, and how sure


@pytest.mark.parametrize(
    ("changes", "place", "sureness", "reasons"),
    [
        ({}, HERE, Sureness.SURE, ("the same name", "the same place")),
        ({"name": "Bakery GmbH"}, NEAR, Sureness.SURE, ("the same name", "56 m away")),
        ({"name": "Bekery"}, NEAR, Sureness.SURE, ("a name that is 83 % alike", "56 m away")),
        ({}, None, Sureness.LIKELY, ("the same name",)),
        ({}, FAR, Sureness.POSSIBLE, ("the same name", "2.2 km away")),
        ({"name": "Bakery of the North"}, NEAR, Sureness.LIKELY, ("one name is part of the other", "56 m away")),
        ({"name": "Garage"}, NEAR, Sureness.POSSIBLE, ("56 m away",)),
    ],
)
def test_how_sure_it_is_depends_on_name_and_place_together(
    desk: Desk, changes: dict[str, Any], place: LatLon | None, sureness: Sureness, reasons: tuple[str, ...]
) -> None:
    desk.know(account("bakery", name="The Bakery Ltd", address=OVEN), place=HERE)
    match = found(desk, baker(**changes), place, alike_percent=80).matches[0]
    assert match.key == "account:bakery"
    assert (match.sureness, match.reasons) == (sureness, reasons)


def test_who_shares_neither_name_nor_place_nor_contact_is_no_match(desk: Desk) -> None:
    assert found(desk, baker(name="Garage"), FAR) == Conflicts((), None)
    assert found(desk, baker(name="Garage"), None) == Conflicts((), None)


def test_a_contact_is_known_by_e_mail_and_by_name(desk: Desk) -> None:
    ours = {"contact_name": "Bea Baker", "contact_email": "bea@bakery.example"}
    desk.know(
        account("bakery", name="Bakery", contact_email="BEA@bakery.example "),
        opportunity("rolls", name="Rolls", inside_rep=INES, contact_name="Baker, Bea"),
        place=FAR,
    )
    matches = found(desk, baker(name="Garage", **ours), HERE).matches
    assert [(match.key, match.sureness, match.reasons[1:]) for match in matches] == [
        ("account:bakery", Sureness.LIKELY, ("the same e-mail address bea@bakery.example",)),
        ("opportunity:rolls", Sureness.POSSIBLE, ("the same contact Bea Baker",)),
    ]


def test_it_is_no_match_of_itself_nor_of_the_account_that_it_is_of(desk: Desk) -> None:
    assert found(desk, desk.deal(), door(20, 20)).matches == ()
    assert found(desk, baker(account_id="bakery"), HERE).matches == ()
    # An account and an opportunity may have the same id.
    desk.know(account("new", name="Bakery"), place=HERE)
    assert {match.key for match in found(desk, baker(), HERE).matches} == {"account:bakery", "account:new"}


def test_what_is_won_or_lost_is_no_match_any_more(desk: Desk) -> None:
    deal = mill()
    again = replace(deal, id="again", inside_rep=INES)
    [match] = found(desk, again).matches
    assert (match.key, match.card.state) == ("opportunity:mill", HandoffState.DRAFT)
    desk.bring_to(HandoffState.LOST)
    assert found(desk, again).matches == ()


def test_of_neighbours_who_share_nothing_else_only_the_nearest_are_shown(desk: Desk) -> None:
    # The letters of these names have nothing in common.
    names = [letter * 8 for letter in "bcdfghjklmnpqrstvwxz"]
    for metres, name in enumerate(names):
        desk.know(account(name, name=name), place=LatLon(HERE.lat + metres * 2e-5, HERE.lon))
    matches = found(desk, baker(name="Aaaaaaaa"), LatLon(HERE.lat - 1e-4, HERE.lon)).matches
    assert len(matches) == MOST_NEIGHBOURS
    assert [match.metres for match in matches] == sorted(match.metres or 0 for match in matches)


def test_a_chain_with_a_hundred_sites_does_not_fill_the_page(desk: Desk) -> None:
    desk.know(*(account(f"shop{n}", name="Bakery") for n in range(100)), place=FAR)
    conflicts = found(desk, baker(), HERE)
    assert len(conflicts.matches) == MOST_MATCHES
    assert conflicts.matches[0].key == "account:bakery"


@pytest.mark.parametrize("place", [LatLon(90, 0), LatLon(-90, 180), LatLon(0, -180)])
def test_the_ends_of_the_earth_are_places_too(desk: Desk, place: LatLon) -> None:
    assert found(desk, baker(name="Garage"), place).matches == ()


# ---- what is told


def test_the_two_stand_side_by_side(desk: Desk) -> None:
    [match] = found(desk, baker(), HERE).matches
    assert [(field.label, field.ours, field.theirs, field.same) for field in match.compared] == [
        ("Company", "Bakery", "The Bakery Ltd", True),
        ("Address", "1 Oven Lane", "1 Oven Lane", True),
        ("Contact", "Bea Baker", "", False),
        ("E-mail", "bea@bakery.example", "", False),
        ("Segment", "", "B", False),
        ("Customer of", "", "Anna", False),
    ]


def test_nobody_is_told_money_or_contacts_of_what_they_do_not_see(desk: Desk) -> None:
    """Neither of the account, which is Anna's, nor of the opportunity, which is Ines's."""
    desk.know(
        account("bakery", name="Bakery", annual_value=98_765.0, contact_name="Secret Sam"),
        opportunity("rolls", name="Bakery", inside_rep=INES, value=98_765.0, contact_name="Secret Sue",
                    contact_email="sue@secret.example", notes="Secret", timeline="Secret"),
        place=HERE,
    )  # fmt: skip
    matches = found(desk, baker(), HERE).matches
    assert len(matches) == 2
    told = str([asdict(match) for match in matches])
    assert "98" not in told
    assert "ecret" not in told


# ---- who takes it


@pytest.mark.parametrize(
    ("rule", "owner", "side", "credit", "words"),
    [
        ("owner", "anna", Side.FIELD, (), "Anna takes it"),
        ("shared", "anna", Side.FIELD, (IRIS, "anna"), f"Anna takes it, and shares the credit with {IRIS}"),
        ("manager", "", Side.MANAGER, (), "a manager decides who takes it"),
    ],
)
def test_the_rule_decides_and_says_so_in_the_row_and_the_history(
    desk: Desk, rule: str, owner: str, side: Side, credit: tuple[str, ...], words: str
) -> None:
    desk.settings = replace(desk.settings, handoffs=HandoffSettings(conflict=rule))
    desk.writes(baker())
    desk.locate(baker(), HERE)
    row = desk.hands_off(id_="new", shown=frozenset({"account:bakery"}))
    sentence = f"The Bakery Ltd is Anna's customer already (the same name, the same place): {words}"
    assert (row.owner, row.side, row.credit, row.conflict) == (owner, side, credit, sentence)
    assert desk.told("new")[-1] == ("handed_off", sentence)


def test_until_a_manager_has_decided_the_field_waits(desk: Desk) -> None:
    desk.settings = replace(desk.settings, handoffs=HandoffSettings(conflict="manager"))
    desk.writes(baker())
    desk.locate(baker(), HERE)
    desk.hands_off(id_="new", shown=frozenset({"account:bakery"}))
    with pytest.raises(RefusedError, match="decide first whose Bakery is"):
        desk.does("max", Action.ACCEPT, "new", rep="ben")
    row = desk.does("max", Action.ASSIGN, "new", rep="ben", shared=True)
    assert (row.side, row.owner, row.credit) == (Side.FIELD, "ben", (IRIS, "ben"))
    assert desk.does("ben", Action.ACCEPT, "new").state is HandoffState.ACCEPTED


def test_a_match_is_shown_before_anything_is_handed_off(desk: Desk) -> None:
    desk.writes(baker())
    desk.locate(baker(), HERE)
    with pytest.raises(LooksKnownError, match="Bakery may be known already: The Bakery Ltd; look at them") as known:
        desk.hands_off(id_="new")
    assert isinstance(known.value, ConflictError)
    assert [match.key for match in known.value.conflicts.matches] == ["account:bakery"]
    assert known.value.conflicts.decision is not None
    assert desk.state("new") is HandoffState.DRAFT


def test_who_says_that_it_is_another_company_decides_that_and_it_is_written_down(desk: Desk) -> None:
    desk.writes(baker())
    desk.locate(baker(), HERE)
    keys = frozenset({"account:bakery"})
    row = desk.hands_off(id_="new", shown=keys, different=keys, note="Ring first")
    assert (row.owner, row.conflict) == ("", "")
    assert desk.told("new")[-1] == ("handed_off", "Ring first. Not the same as The Bakery Ltd")
    with pytest.raises(InvalidRecordError, match="was not shown"):
        HandOff("new", 1, different=keys)


@pytest.mark.parametrize("owner", ["", "carl"])
def test_a_customer_without_a_rep_decides_nothing(desk: Desk, owner: str) -> None:
    desk.know(account("bakery", name="Bakery", owner_rep_id=owner), place=HERE)
    conflicts = found(desk, baker(), HERE)
    assert len(conflicts.matches) == 1
    assert conflicts.decision is None


def test_what_is_only_possible_decides_nothing(desk: Desk) -> None:
    conflicts = found(desk, baker(), FAR)
    assert [match.sureness for match in conflicts.matches] == [Sureness.POSSIBLE]
    assert conflicts.decision is None


def test_credit_is_shared_with_nobody_where_nobody_handed_it_off(desk: Desk) -> None:
    decision = found(desk, baker(inside_rep=""), HERE, conflict="shared").decision
    assert decision is not None
    assert decision.credit == ()
    assert decision.sentence.endswith("Anna takes it")


def test_an_inside_rep_finds_what_they_do_not_see_and_hands_off_only_their_own(desk: Desk) -> None:
    with desk.store.read(SCOPES["iris"][1]) as unit:
        assert unit.records(AREA).get(RecordKind.ACCOUNT, "bakery") is None
    assert len(found(desk, baker(), HERE).matches) == 1
    desk.know(baker(inside_rep=INES), place=HERE)
    with pytest.raises(NotFoundError):
        desk.hands_off("iris", "new", revision=0)


def test_what_an_import_changed_while_somebody_looked_is_looked_at_again(desk: Desk) -> None:
    """A record may change without its handoff."""
    seen, real = desk.row(), desk.store

    class Meanwhile:
        """A store in which an import comes just before the write."""

        read = staticmethod(real.read)

        @staticmethod
        def write(who: Any) -> Any:
            desk.know(replace(desk.deal(), name="The Bakery"), place=HERE)
            return real.write(who)

    asked = HandOff("mill", seen.revision)
    with pytest.raises(HandoffMovedError):
        hand_off(Meanwhile(), actor("iris"), desk.directories, AREA, asked, by("iris"), desk.settings, desk.now)  # type: ignore[arg-type]
    assert desk.state() is HandoffState.DRAFT


# ---- the directory


def test_what_is_new_renamed_moved_or_located_is_found_at_once(desk: Desk) -> None:
    assert found(desk, baker(name="Forge"), HERE).matches[0].reasons == ("the same place",)
    desk.know(account("forge", name="Forge"), place=FAR)
    assert "account:forge" in {match.key for match in found(desk, baker(name="Forge"), HERE).matches}
    desk.know(account("forge", name="Anvil"), place=FAR)
    assert "account:forge" not in {match.key for match in found(desk, baker(name="Forge"), HERE).matches}
    desk.locate(account("forge", name="Anvil"), HERE)
    assert "account:forge" in {match.key for match in found(desk, baker(name="Forge"), HERE).matches}
    with desk.store.write() as unit:
        unit.records(AREA).save(opportunity("late", name="Late", inside_rep=INES))
        unit.audit("test.known", area=AREA)
    assert "opportunity:late" not in {match.key for match in found(desk, baker(), HERE).matches}
    desk.locate(opportunity("late", name="Late"), HERE)
    assert "opportunity:late" in {match.key for match in found(desk, baker(), HERE).matches}


def test_a_place_of_a_former_address_does_not_count(desk: Desk) -> None:
    desk.know(account("forge", name="Forge", address=Address("old")), place=HERE)
    with desk.store.write() as unit:
        unit.records(AREA).save(account("forge", name="Forge", address=Address("new")))
        unit.audit("test.known", area=AREA)
    assert found(desk, baker(name="Forge"), HERE).matches[0].reasons == ("the same name",)


WORDS = (
    "north",
    "mill",
    "river",
    "stone",
    "brown",
    "garden",
    "motor",
    "print",
    "star",
    "union",
    "park",
    "hill",
    "bridge",
)


def test_ten_thousand_customers_are_searched_while_somebody_types() -> None:
    """In 10 ms of a processor; others may keep this one busy."""
    random = Random(4)
    listings = [
        Listing(
            RecordKind.ACCOUNT, f"A{n}", " ".join(random.sample(WORDS, 3)).title(), "", "",
            51 + random.random() / 10, random.random() / 10,
        )
        for n in range(10_000)
    ]  # fmt: skip
    directory = Directory.of(listings, {})
    seventh = listings[7]
    assert seventh.lat is not None
    assert seventh.lon is not None
    place = LatLon(seventh.lat, seventh.lon)
    deal, times = baker(name=f"{seventh.name} GmbH"), []
    for _ in range(7):
        begin = time.thread_time()
        alike = find_alike(directory, deal, place, HandoffSettings())
        times.append(time.thread_time() - begin)
        assert alike[0][0] == seventh
        assert alike[0][1].sureness is Sureness.SURE
    assert min(times) < 0.05
